import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { load } from '../../config/index.ts';
import { compose } from '../../service/compose.ts';
import { eventually } from '../support/eventually.ts';

describe('journeys/failing-start', () => {
	it('says at once that a folder cannot be made', async () => {
		const settings = { HOST: '127.0.0.1', MQTT_PORT: 'off', HTTP_PORT: '0', DATA_DIR: '/proc/here' };
		const error = await compose(load(settings), pino({ level: 'silent' })).catch((thrown: Error) => thrown);
		expect(error)
			.to.have.property('message')
			.that.matches(/^DATA_DIR: cannot make the directory \/proc\/here: /);
	});

	it('closes what it has opened when a port is taken', async () => {
		const taken = createServer();
		await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
		const { port } = taken.address() as AddressInfo;
		const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
		const before = timers();
		const settings = { HOST: '127.0.0.1', MQTT_PORT: '0', HTTP_PORT: String(port), DATA_DIR: ':memory:' };
		const error = await compose(load(settings), pino({ level: 'silent' })).catch((thrown: Error) => thrown);
		expect(error).to.be.instanceOf(Error);
		await eventually('its timers are gone', timers, (count) => count <= before);
		await new Promise((resolve) => taken.close(resolve));
	});

	it('says nothing but its reason, also while it looks for what an ended process left', async () => {
		const taken = createServer();
		await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
		const { port } = taken.address() as AddressInfo;
		const folder = await mkdtemp(join(tmpdir(), 'failing-start-'));
		const left = join(folder, 'binaries/contents/ab/cd');
		await mkdir(left, { recursive: true });
		for (let number = 0; number < 300; number++) await writeFile(join(left, `abcd-${number}`), '');
		const lines: string[] = [];
		const settings = { HOST: '127.0.0.1', MQTT_PORT: 'off', HTTP_PORT: String(port), DATA_DIR: folder };
		const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
		const error = await compose(load(settings), log).catch((thrown: Error) => thrown);
		expect(error)
			.to.have.property('message')
			.that.matches(/^HTTP_PORT: port \d+ of 127.0.0.1 cannot be opened: /);
		expect(lines).to.deep.equal([]);
		await new Promise((resolve) => taken.close(resolve));
		await rm(folder, { recursive: true });
	});
});
