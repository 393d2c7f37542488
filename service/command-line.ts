import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const helpText = `npm start [-- --print-config | --version | --help]
npm run backup -- FILE
npm run restore -- FILE DATA_DIR
npm run migrate -- --help
npm run verify-audit -- --help

Starts the service. Settings come from the environment, or from a JSON file that CONFIG_FILE names;
docs/reference/configuration.md lists them.

  --print-config    shows every setting, where it comes from, and ends; secrets are hidden
  --version         shows the version and ends
  --help            shows this text and ends
  backup FILE       writes a backup of the embedded database in DATA_DIR, whether or not a service runs on it, with the
                    files of its binaries in FILE.binaries, and ends
  restore FILE DATA_DIR
                    puts a backup and its binaries into a new folder, and ends
  migrate           copies a store of one kind into one of the other, and ends
  verify-audit      looks whether audit records were changed or are missing, and ends
`;

/** What the command line may ask for instead of a start. */
export type Asked =
	| { readonly what: 'help' | 'version' | 'print-config' }
	| { readonly what: 'backup'; readonly target: string }
	| { readonly what: 'restore'; readonly backup: string; readonly directory: string }
	| { readonly what: 'migrate' | 'verify-audit'; readonly words: string[] };

/** What the command line asks for instead of a start, and the text of the configuration file. @throws Error that names the fault */
export function readArguments(
	args: string[],
	environment: Readonly<Record<string, string | undefined>>,
): { readonly asked?: Asked; readonly file?: string } {
	return { asked: askedFor(args), file: environment.CONFIG_FILE ? readConfigFile(environment.CONFIG_FILE) : undefined };
}

function askedFor([command, ...words]: string[]): Asked | undefined {
	if (command === undefined) return undefined;
	if (command === 'migrate' || command === 'verify-audit') return { what: command, words };
	if (command === 'backup') {
		const [target] = pathsOf(words, 1, 'backup needs the file to write');
		return { what: 'backup', target };
	}
	if (command === 'restore') {
		const [backup, directory] = pathsOf(words, 2, 'restore needs the backup and the folder to put it into');
		return { what: 'restore', backup, directory };
	}
	const flag = { type: 'boolean' } as const;
	const options = { 'print-config': flag, version: flag, help: flag };
	const { values } = parseArgs({ args: [command, ...words], options });
	const what = (['help', 'version', 'print-config'] as const).find((name) => values[name]);
	return what && { what };
}

function pathsOf(words: string[], count: number, need: string): [string, string] {
	const positionals = words.filter((word) => word !== '--');
	if (positionals.length !== count || positionals.some((word) => word.startsWith('--')))
		throw new Error(`${need}\n\n${helpText}`);
	const [first = '', second = ''] = positionals;
	return [first, second];
}

function readConfigFile(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`CONFIG_FILE: the file '${path}' cannot be read`, { cause: error });
	}
}
