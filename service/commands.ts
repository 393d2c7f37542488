import { constants, setPriority } from 'node:os';
import { load, printConfig } from '../config/index.ts';
import { backUp, restore } from './backup-commands.ts';
import { type Asked, helpText } from './command-line.ts';
import { migrate } from './migrate-command.ts';
import { verifyAudit } from './verify-audit-command.ts';
import { version } from './version.ts';

/** What was given beside the command line: the environment, and the text of the configuration file. */
interface Given {
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly file?: string;
}

/** Does what is asked for instead of a start, and tells what came of it. @throws Error that says why it could not be done */
export async function runCommand(asked: Asked, given: Given): Promise<void> {
	if ('words' in asked) {
		const command = asked.what === 'migrate' ? migrate : verifyAudit;
		await command(asked.words, given.environment, given.file);
	} else process.stdout.write(await textFor(asked, given));
}

async function textFor(asked: Exclude<Asked, { readonly words: string[] }>, { environment, file }: Given): Promise<string> {
	switch (asked.what) {
		case 'help':
			return helpText;
		case 'version':
			return `${version}\n`;
		case 'print-config':
			return `${printConfig(environment, file)}\n`;
		case 'backup':
			// The service beside it goes first.
			setPriority(constants.priority.PRIORITY_LOW);
			return backUp(load(environment, file), asked.target);
		case 'restore':
			return restore(load(environment, file), asked.backup, asked.directory);
	}
}
