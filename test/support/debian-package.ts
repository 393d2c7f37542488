import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface DebianPackage {
	readonly name: string;
	readonly version: string;
}

/** What the package says of itself. */
export function debianFields({ name, version }: DebianPackage): Readonly<Record<string, string>> {
	return {
		Package: name,
		Version: version,
		Architecture: 'all',
		Maintainer: 'Tests <tests@example.com>',
		Description: 'made by a test',
	};
}

/** The fields as the files of Debian hold them. */
export function formatFields(fields: Readonly<Record<string, string>>): string {
	return Object.entries(fields)
		.map(([field, value]) => `${field}: ${value}\n`)
		.join('');
}

/** A real Debian package with one program that prints its version; `dpkg-deb` makes it. */
export function createDebianPackage({ name, version }: DebianPackage): Buffer {
	const folder = mkdtempSync(join(tmpdir(), 'debian-package-'));
	try {
		const tree = join(folder, 'tree');
		mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
		mkdirSync(join(tree, 'usr/bin'), { recursive: true });
		writeFileSync(join(tree, 'DEBIAN/control'), formatFields(debianFields({ name, version })));
		writeFileSync(join(tree, 'usr/bin', name), `#!/bin/sh\necho ${version}\n`);
		chmodSync(join(tree, 'usr/bin', name), 0o755);
		const file = join(folder, 'package.deb');
		execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
		return readFileSync(file);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
