import { readFileSync } from 'node:fs';
import { load, printConfig } from '../config/index.ts';
import { compose } from './compose.ts';
import { createLog } from './log.ts';
import { readyText } from './ready-text.ts';
import { onStopSignal } from './stop-signal.ts';
import { version } from './version.ts';

async function main(): Promise<void> {
	const file = process.env.CONFIG_FILE ? readFileSync(process.env.CONFIG_FILE, 'utf8') : undefined;
	if (process.argv.includes('--print-config')) {
		process.stdout.write(`${printConfig(process.env, file)}\n`);
		return;
	}
	const config = load(process.env, file);
	const log = createLog(config.log.level, process.stdout);
	const service = await compose(config, log);
	process.stdout.write(readyText(service, config));
	log.info({ version, ports: Object.fromEntries(service.listeners.map(({ name, port }) => [name, port])) }, 'ready');
	onStopSignal((signal) => {
		log.info({ signal }, 'stopping');
		service.close().then(() => log.info('stopped'), fail);
	});
}

function fail(error: unknown): void {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}

main().catch(fail);
