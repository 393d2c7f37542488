import { execFileSync } from 'node:child_process';

/** A package as devices report it with 140 and 141. */
export interface InstalledPackage {
	readonly name: string;
	readonly version: string;
	readonly type: string;
	readonly url: string;
}

interface PackageManager {
	readonly type: string;
	readonly command: readonly [string, ...string[]];
	/** The lines or the JSON that the command prints, as names and versions. */
	readonly read: (output: string) => Iterable<readonly [name: string, version: string]>;
}

const managers: readonly PackageManager[] = [
	{
		type: 'apt',
		// biome-ignore lint/suspicious/noTemplateCurlyInString: these are the fields of dpkg-query.
		command: ['dpkg-query', '--show', '--showformat', '${db:Status-Abbrev}\t${binary:Package}\t${Version}\n'],
		read: (output) => rows(output, /^ii \t(\S+)\t(\S+)$/),
	},
	{
		type: 'rpm',
		command: ['rpm', '--query', '--all', '--queryformat', '%{NAME}\t%{VERSION}-%{RELEASE}.%{ARCH}\n'],
		read: (output) => rows(output, /^(\S+)\t(\S+)$/),
	},
	{ type: 'apk', command: ['apk', 'info', '--verbose'], read: (output) => rows(output, /^(\S+)-(\d[^-]*-r\d+)$/) },
	{
		type: 'npm',
		command: [process.platform === 'win32' ? 'npm.cmd' : 'npm', 'ls', '--all', '--json'],
		read: (output) => dependencies(JSON.parse(output)),
	},
];

/**
 * The packages that are really installed on this machine: those of dpkg, rpm or apk, else the npm packages of the working directory.
 * Sorted by name; each name with a version is there once.
 */
export function readPackages(): InstalledPackage[] {
	for (const { type, command, read } of managers) {
		const output = run(command);
		if (output === undefined) continue;
		const found = new Map<string, InstalledPackage>();
		for (const [name, version] of read(output)) found.set(`${name} ${version}`, { name, version, type, url: '' });
		if (found.size > 0) return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
	}
	throw new Error('No list of packages: none of dpkg-query, rpm, apk and npm could be run');
}

/** What the command prints; `undefined` where there is no such command. `npm ls` prints its list and complains with its exit code. */
function run([command, ...parameters]: PackageManager['command']): string | undefined {
	try {
		return execFileSync(command, parameters, {
			encoding: 'utf8',
			maxBuffer: 256 * 1024 * 1024,
			stdio: ['ignore', 'pipe', 'ignore'],
		});
	} catch (error) {
		return error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout !== ''
			? error.stdout
			: undefined;
	}
}

function* rows(output: string, pattern: RegExp): Generator<readonly [string, string]> {
	for (const line of output.split('\n')) {
		const [, name, version] = pattern.exec(line) ?? [];
		if (name !== undefined && version !== undefined) yield [name, version];
	}
}

/** The tree of `npm ls`, flat. */
function* dependencies(tree: unknown): Generator<readonly [string, string]> {
	if (typeof tree !== 'object' || tree === null || !('dependencies' in tree)) return;
	for (const [name, child] of Object.entries(tree.dependencies ?? {})) {
		if (typeof child?.version === 'string') yield [name, child.version];
		yield* dependencies(child);
	}
}
