import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const main = fileURLToPath(new URL('../../service/main.ts', import.meta.url));

/** Loaded before the program: at SIGUSR2 the thread of this name ends. */
const endThread = (name: string) =>
	`data:text/javascript,${encodeURIComponent(`
	import threads from 'node:worker_threads';
	import { syncBuiltinESMExports } from 'node:module';
	threads.Worker = class extends threads.Worker {
		constructor(file, options) {
			super(file, options);
			if (options.name === '${name}') process.on('SIGUSR2', () => this.terminate());
		}
	};
	syncBuiltinESMExports();
`)}`;

describe('contract/store-death', () => {
	for (const thread of ['store-writer', 'store-reader']) {
		it(`ends the process with a reason when the thread '${thread}' has ended`, async () => {
			const directory = await mkdtemp(join(tmpdir(), 'store-death-'));
			const { PATH = '', HOME = '' } = process.env;
			const child = spawn(process.execPath, ['--import=tsx', `--import=${endThread(thread)}`, main], {
				env: { PATH, HOME, HOST: '127.0.0.1', HTTP_PORT: '0', MQTT_PORT: '0', DATA_DIR: directory },
				stdio: ['ignore', 'pipe', 'inherit'],
			});
			try {
				const ended = once(child, 'exit');
				const lines: string[] = [];
				for await (const line of createInterface(child.stdout)) {
					lines.push(line);
					if (line.includes('"msg":"ready"')) child.kill('SIGUSR2');
				}
				expect(await ended).to.deep.equal([1, null]);
				expect(JSON.parse(lines[lines.length - 1] ?? '')).to.deep.include({ level: 60, msg: 'the store has failed' });
				expect(lines[lines.length - 1]).to.include(thread);
			} finally {
				child.kill('SIGKILL');
				await rm(directory, { recursive: true, force: true });
			}
		});
	}
});
