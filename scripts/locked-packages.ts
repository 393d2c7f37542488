import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');

/** Of Node; packages of long ago have a list such as ['node >=0.10']. */
const engines = z.union([
	z.looseObject({ node: z.string().optional() }),
	z.array(z.string()).transform((list) => ({ node: list.find((each) => each.startsWith('node'))?.slice('node'.length) })),
]);

const entry = z.object({
	version: z.string(),
	license: z.string().optional(),
	resolved: z.string().optional(),
	integrity: z.string().optional(),
	dev: z.boolean().optional(),
	optional: z.boolean().optional(),
	hasInstallScript: z.boolean().optional(),
	engines: engines.optional(),
	optionalDependencies: z.record(z.string(), z.string()).optional(),
});

/** A package as `package-lock.json` has it. */
export interface LockedPackage extends z.output<typeof entry> {
	readonly name: string;
	/** Below the project, where it is when it is installed. */
	readonly folder: string;
}

/** Every package of the project, sorted by name and version; those for other platforms, which are not installed here, included. */
export function lockedPackages(): LockedPackage[] {
	const { packages } = z.object({ packages: z.record(z.string(), z.unknown()) }).parse(readJson('package-lock.json'));
	return Object.entries(packages)
		.filter(([folder]) => folder !== '')
		.map(([folder, value]) => ({ ...entry.parse(value), folder, name: folder.slice(folder.lastIndexOf('node_modules/') + 13) }))
		.sort((one, other) => compare(one.name, other.name) || compare(one.version, other.version));
}

/** A JSON file of the project. */
export function readJson(path: string): unknown {
	return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

// Not by locale: the page must be the same everywhere.
function compare(one: string, other: string): number {
	return one < other ? -1 : Number(one > other);
}
