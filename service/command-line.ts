import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseWords } from './parse-words.ts';
import { UsageError } from './store-place.ts';

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
	const flag = { type: 'boolean' } as const;
	if (command === 'backup' || command === 'restore') {
		const { values, positionals } = parseWords(() => parseArgs({ args: words, options: { help: flag }, allowPositionals: true }));
		if (values.help) return { what: 'help' };
		return command === 'backup' ? backupOf(positionals) : restoreOf(positionals);
	}
	const options = { 'print-config': flag, version: flag, help: flag };
	const { values } = parseWords(() => parseArgs({ args: [command, ...words], options }));
	const what = (['help', 'version', 'print-config'] as const).find((name) => values[name]);
	return what && { what };
}

function backupOf([target, ...others]: string[]): Asked {
	if (target !== undefined && others.length === 0) return { what: 'backup', target };
	throw new UsageError('backup needs the file to write, and nothing else; --help tells more');
}

function restoreOf([backup, directory, ...others]: string[]): Asked {
	if (backup !== undefined && directory !== undefined && others.length === 0) return { what: 'restore', backup, directory };
	throw new UsageError('restore needs the backup and the folder to put it into, and nothing else; --help tells more');
}

function readConfigFile(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`CONFIG_FILE: the file '${path}' cannot be read`, { cause: error });
	}
}
