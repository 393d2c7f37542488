import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDebianPackage, type DebianPackage, debianFields, formatFields } from './debian-package.ts';

/** A repository of packages for apt in a temporary folder, and a configuration by which apt knows this repository and no other. */
export function createAptRepository(packages: readonly DebianPackage[]) {
	const folder = mkdtempSync(join(tmpdir(), 'apt-repository-'));
	for (const path of ['packages', 'lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, path), { recursive: true });
	const entries = packages.map((described) => {
		const content = createDebianPackage(described);
		const fileName = `${described.name}_${described.version}_all.deb`;
		writeFileSync(join(folder, 'packages', fileName), content);
		const sha256 = createHash('sha256').update(content).digest('hex');
		return { ...debianFields(described), Filename: fileName, Size: String(content.length), SHA256: sha256 };
	});
	writeFileSync(join(folder, 'packages/Packages'), entries.map(formatFields).join('\n'));
	writeFileSync(join(folder, 'sources.list'), `deb [trusted=yes] file:${folder}/packages ./\n`);
	const settings = {
		// Nothing of what is configured here otherwise.
		'Dir::Etc::main': '/dev/null',
		'Dir::Etc::parts': '/dev/null',
		'Dir::Etc::sourcelist': join(folder, 'sources.list'),
		'Dir::Etc::sourceparts': '/dev/null',
		'Dir::State::lists': join(folder, 'lists'),
		'Dir::Cache': join(folder, 'cache'),
		'APT::Sandbox::User': 'root',
	};
	const configuration = join(folder, 'apt.conf');
	writeFileSync(
		configuration,
		Object.entries(settings)
			.map(([name, value]) => `${name} "${value}";\n`)
			.join(''),
	);
	return {
		/** For the environment of whatever uses apt. */
		environment: { APT_CONFIG: configuration, DEBIAN_FRONTEND: 'noninteractive' },
		remove: () => rmSync(folder, { recursive: true, force: true }),
	};
}
