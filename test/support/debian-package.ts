import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real Debian package with one program that prints its version; `dpkg-deb` makes it. */
export function createDebianPackage({ name, version }: { readonly name: string; readonly version: string }): Buffer {
	const folder = mkdtempSync(join(tmpdir(), 'debian-package-'));
	try {
		const tree = join(folder, 'tree');
		mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
		mkdirSync(join(tree, 'usr/bin'), { recursive: true });
		const control = {
			Package: name,
			Version: version,
			Architecture: 'all',
			Maintainer: 'Tests <tests@example.com>',
			Description: 'made by a test',
		};
		writeFileSync(
			join(tree, 'DEBIAN/control'),
			Object.entries(control)
				.map(([field, value]) => `${field}: ${value}\n`)
				.join(''),
		);
		writeFileSync(join(tree, 'usr/bin', name), `#!/bin/sh\necho ${version}\n`);
		chmodSync(join(tree, 'usr/bin', name), 0o755);
		const file = join(folder, 'package.deb');
		execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
		return readFileSync(file);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
