import { load } from '../config/index.ts';
import { readArguments } from './command-line.ts';
import { runCommand } from './commands.ts';
import { compose } from './compose.ts';
import { createLog } from './log.ts';
import { readyText } from './ready-text.ts';
import { reloadOnSignal, stopOnSignal } from './stop-signal.ts';
import { version } from './version.ts';

// Amazon's SDK would tell operators which Node its later versions need; ours is fixed, and runs on the Node that we ask for.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

async function main(): Promise<void> {
	const { asked, file } = readArguments(process.argv.slice(2), process.env);
	if (asked !== undefined) return runCommand(asked, { environment: process.env, file });
	const config = load(process.env, file);
	const log = createLog(config.log.level, process.stdout);
	const starting = compose(config, log);
	// From the beginning on: a container's first process is told of no signal that it does not listen for.
	const { shutdownGraceSeconds: graceSeconds } = config.server;
	stopOnSignal({ log, graceSeconds, stop: async () => (await starting).close(), fail });
	reloadOnSignal({ log, reload: async () => (await starting).reload() });
	const service = await starting;
	process.stdout.write(readyText(service, config));
	log.info({ version, ports: Object.fromEntries(service.listeners.map(({ name, port }) => [name, port])) }, 'ready');
	service.failed.then((error) => {
		log.fatal({ err: error }, 'the store has failed');
		fail(error);
	}, fail);
}

function fail(error: unknown): never {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	// What was opened before the failure would keep the process alive, without a port.
	process.exit(1);
}

main().catch(fail);
