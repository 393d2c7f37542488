import type { Import, SourceFile } from './source-files.ts';

const domain = ['inventory', 'operations', 'events', 'catalog', 'compliance', 'rollouts', 'access', 'audit'];
const everything = 'everything';

/** What each part of the project may import of the others. The longest name that a file's path begins with is its part. */
const law: Readonly<Record<string, readonly string[] | typeof everything>> = {
	smartrest: [],
	config: [],
	inventory: ['store'],
	operations: ['store', 'inventory'],
	events: ['store', 'inventory'],
	catalog: ['store', 'inventory'],
	compliance: ['store', 'inventory', 'catalog'],
	rollouts: ['store', 'inventory', 'operations', 'catalog', 'compliance'],
	access: ['store'],
	audit: ['store'],
	store: [],
	'store/sqlite': ['store'],
	'store/mongodb': ['store'],
	'store/files': ['store'],
	'store/gridfs': ['store'],
	'store/s3': ['store'],
	service: [
		'store',
		'config',
		'service/http',
		'service/mqtt',
		'service/compose.ts',
		'service/open-store.ts',
		'service/binary-parts.ts',
		...domain,
	],
	// Which engine there is.
	'service/open-store.ts': ['store', 'store/sqlite', 'store/mongodb', 'config'],
	'service/binary-parts.ts': [
		'store',
		'store/files',
		'store/gridfs',
		'store/s3',
		'store/mongodb',
		'config',
		'inventory',
		'service',
	],
	'service/http': ['service', ...domain],
	'service/mqtt': ['service', 'smartrest', ...domain],
	'service/compose.ts': everything,
	'service/backup-commands.ts': ['config', 'inventory', 'service', 'service/binary-parts.ts', 'store/files', 'store/sqlite'],
	'service/commands.ts': ['config', 'service', 'service/backup-commands.ts'],
	'service/main.ts': ['config', 'service', 'service/compose.ts', 'service/commands.ts'],
	examples: everything,
	bench: everything,
	scripts: everything,
	test: everything,
};

/** Parts beside the product: they may also import files behind a door, and nothing of the product may import them. */
const beside = ['test', 'bench', 'scripts', 'examples'];

/** Parts with a door of their own inside another part. */
const innerDoors = ['store/sqlite', 'store/mongodb', 'store/files', 'store/gridfs', 'store/s3'];

/** Files that are no code and may be read by the parts named. */
const resources: Readonly<Record<string, readonly string[]>> = { 'package.json': ['service'] };

/** Packages with one home; elsewhere in the product they are strangers. */
const homes: Readonly<Record<string, readonly string[]>> = {
	libsql: ['store/sqlite'],
	mongodb: ['store/mongodb', 'store/gridfs'],
	'@aws-sdk/client-s3': ['store/s3'],
	'@aws-sdk/lib-storage': ['store/s3'],
	'@aws-sdk/s3-request-presigner': ['store/s3'],
	'@fastify/busboy': ['service/http'],
	express: ['service/http'],
	'openid-client': ['service/http'],
	jose: ['service/http'],
	aedes: ['service/mqtt'],
	mqtt: ['service/mqtt', 'examples'],
	'mqtt-packet': ['service/mqtt'],
};

/** Parts without any package, not even those of Node. */
const packageFree = ['smartrest'];

/** Tells why a file may not have this import, or nothing when it may. */
export function breach(file: string, imported: Import): string | undefined {
	const part = partOf(file);
	if (part === undefined) return `${file} is in no part of the import law`;
	return 'package' in imported ? packageBreach(part, imported.package) : fileBreach(part, imported.path);
}

function packageBreach(part: string, name: string): string | undefined {
	if (packageFree.includes(part)) return `${part} uses no package, so not ${name}`;
	const home = homes[name];
	if (home === undefined || home.includes(part) || isBeside(part)) return undefined;
	return `${name} is used in ${home.join(', ')} only`;
}

function fileBreach(part: string, path: string): string | undefined {
	const allowed = law[part] ?? [];
	if (resources[path]?.includes(part) || (isBeside(part) && allowed === everything)) return undefined;
	const other = partOf(path);
	if (other === undefined) return `${path} is in no part of the import law`;
	if (other === part) return undefined;
	if (allowed !== everything && !allowed.includes(other)) return `${part} may not import ${other}`;
	const throughDoor = path === `${other}/index.ts`;
	if (throughDoor || (topOf(part) === topOf(other) && !innerDoors.includes(other))) return undefined;
	return `${other} is entered through ${other}/index.ts, not ${path}`;
}

function partOf(path: string): string | undefined {
	return Object.keys(law)
		.filter((part) => path === part || path.startsWith(`${part}/`))
		.sort((a, b) => b.length - a.length)[0];
}

function topOf(part: string): string {
	return part.split('/')[0] ?? part;
}

function isBeside(part: string): boolean {
	return beside.includes(topOf(part));
}

/** The first circle of imports that is found, as paths from a file back to itself. */
export function findCycle(files: readonly SourceFile[]): string[] | undefined {
	const importsByPath = new Map(files.map(({ path, imports }) => [path, imports]));
	const done = new Set<string>();
	const walk = (path: string, trail: readonly string[]): string[] | undefined => {
		if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
		if (done.has(path)) return undefined;
		for (const imported of importsByPath.get(path) ?? []) {
			const cycle = 'path' in imported ? walk(imported.path, [...trail, path]) : undefined;
			if (cycle !== undefined) return cycle;
		}
		done.add(path);
		return undefined;
	};
	for (const { path } of files) {
		const cycle = walk(path, []);
		if (cycle !== undefined) return cycle;
	}
	return undefined;
}
