import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const helpText = `npm start [-- --print-config | --version | --help]
npm run backup -- FILE
npm run restore -- FILE DATA_DIR

Starts the service. Settings come from the environment, or from a JSON file that CONFIG_FILE names;
docs/reference/configuration.md lists them.

  --print-config   shows every setting, where it comes from, and ends; secrets are hidden
  --version        shows the version and ends
  --help           shows this text and ends
  --backup FILE    writes a backup of the embedded database in DATA_DIR, whether or not a service runs on it, and ends
  --restore FILE DATA_DIR
                   puts a backup into a new folder, and ends
`;

/** What the command line may ask for instead of a start. */
export type Asked =
	| { readonly what: 'help' | 'version' | 'print-config' }
	| { readonly what: 'backup'; readonly target: string }
	| { readonly what: 'restore'; readonly backup: string; readonly directory: string };

/** What the command line asks for instead of a start, and the text of the configuration file. @throws Error that names the fault */
export function readArguments(
	args: string[],
	environment: Readonly<Record<string, string | undefined>>,
): { readonly asked?: Asked; readonly file?: string } {
	const flag = { type: 'boolean' } as const;
	const path = { type: 'string' } as const;
	const { values, positionals } = parseArgs({
		args,
		allowPositionals: true,
		options: { 'print-config': flag, version: flag, help: flag, backup: path, restore: path },
	});
	const [directory, ...strangers] = positionals;
	if (strangers.length > 0 || (directory !== undefined && values.restore === undefined))
		throw new Error(`unexpected argument '${strangers[0] ?? directory}'\n\n${helpText}`);
	return {
		asked: askedFor(values, directory),
		file: environment.CONFIG_FILE ? readConfigFile(environment.CONFIG_FILE) : undefined,
	};
}

function askedFor(
	{ backup, restore, ...flags }: Readonly<Record<string, unknown>>,
	directory: string | undefined,
): Asked | undefined {
	for (const what of ['help', 'version', 'print-config'] as const) if (flags[what]) return { what };
	if (typeof backup === 'string') return { what: 'backup', target: backup };
	if (typeof restore !== 'string') return undefined;
	if (directory === undefined) throw new Error(`--restore needs the backup and the folder to put it into\n\n${helpText}`);
	return { what: 'restore', backup: restore, directory };
}

function readConfigFile(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`CONFIG_FILE: the file '${path}' cannot be read`, { cause: error });
	}
}
