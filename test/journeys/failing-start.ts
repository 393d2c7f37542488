import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
});
