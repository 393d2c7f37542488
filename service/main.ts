import { load, printConfig } from '../config/index.ts';
import { helpText, readArguments } from './command-line.ts';
import { compose } from './compose.ts';
import { createLog } from './log.ts';
import { readyText } from './ready-text.ts';
import { onStopSignal } from './stop-signal.ts';
import { version } from './version.ts';

async function main(): Promise<void> {
	const { asked, file } = readArguments(process.argv.slice(2), process.env);
	if (asked !== undefined) {
		process.stdout.write(asked === 'help' ? helpText : `${asked === 'version' ? version : printConfig(process.env, file)}\n`);
		return;
	}
	const config = load(process.env, file);
	const log = createLog(config.log.level, process.stdout);
	const service = await compose(config, log);
	process.stdout.write(readyText(service, config));
	log.info({ version, ports: Object.fromEntries(service.listeners.map(({ name, port }) => [name, port])) }, 'ready');
	service.failed.then((error) => {
		log.fatal({ err: error }, 'the store has failed');
		fail(error);
	}, fail);
	onStopSignal((signal) => {
		log.info({ signal }, 'stopping');
		// What is cut off leaves this much for the store.
		const milliseconds = config.server.shutdownGraceSeconds * 1000 + 5000;
		setTimeout(() => fail(new Error('the service did not end within SHUTDOWN_GRACE_SECONDS')), milliseconds).unref();
		service.close().then(() => log.info('stopped'), fail);
	});
}

function fail(error: unknown): never {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	// What was opened before the failure would keep the process alive, without a port.
	process.exit(1);
}

main().catch(fail);
