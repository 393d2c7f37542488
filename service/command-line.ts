import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const helpText = `npm start [-- --print-config | --version | --help]

Starts the service. Settings come from the environment, or from a JSON file that CONFIG_FILE names;
docs/reference/configuration.md lists them.

  --print-config   shows every setting, where it comes from, and ends; secrets are hidden
  --version        shows the version and ends
  --help           shows this text and ends
`;

/** What the command line asks for instead of a start, and the text of the configuration file. @throws Error that names the fault */
export function readArguments(
	args: string[],
	environment: Readonly<Record<string, string | undefined>>,
): { readonly asked?: 'print-config' | 'version' | 'help' | 'migrate'; readonly file?: string } {
	const file = environment.CONFIG_FILE ? readConfigFile(environment.CONFIG_FILE) : undefined;
	if (args[0] === 'migrate') return { asked: 'migrate', file };
	const option = { type: 'boolean' } as const;
	const { values } = parseArgs({ args, options: { 'print-config': option, version: option, help: option } });
	const asked = values.help ? 'help' : values.version ? 'version' : values['print-config'] ? 'print-config' : undefined;
	return { asked, file };
}

function readConfigFile(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new Error(`CONFIG_FILE: the file '${path}' cannot be read`, { cause: error });
	}
}
