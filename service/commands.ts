import { constants, setPriority } from 'node:os';
import { type Config, load, printConfig } from '../config/index.ts';
import { restoreBackup, writeBackup } from '../store/sqlite/index.ts';
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
	} else process.stdout.write(textFor(asked, given));
}

function textFor(asked: Exclude<Asked, { readonly words: string[] }>, { environment, file }: Given): string {
	switch (asked.what) {
		case 'help':
			return helpText;
		case 'version':
			return `${version}\n`;
		case 'print-config':
			return `${printConfig(environment, file)}\n`;
		case 'backup':
			return backUp(load(environment, file), asked.target);
		case 'restore': {
			const restored = restoreBackup(asked.backup, asked.directory);
			return `restored ${restored.sizeBytes} bytes to ${restored.file}: start the service with DATA_DIR=${asked.directory}\n`;
		}
	}
}

function backUp({ store, mongodb }: Config, target: string): string {
	if (mongodb.url !== undefined)
		throw new Error('MONGODB_URL is set: only the embedded database is backed up by this, MongoDB by its own tools, `mongodump`');
	// The service beside it goes first.
	setPriority(constants.priority.PRIORITY_LOW);
	const { sizeBytes, writeMilliseconds, checkMilliseconds } = writeBackup(store.dataDir, target);
	return `backup ${target}: ${sizeBytes} bytes, written in ${seconds(writeMilliseconds)} s, checked in ${seconds(checkMilliseconds)} s\n`;
}

function seconds(milliseconds: number): string {
	return (milliseconds / 1000).toFixed(1);
}
