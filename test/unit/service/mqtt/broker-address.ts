import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readBrokerAddress } from '../../../../service/mqtt/broker-address.ts';

describe('service/mqtt/broker-address', () => {
	it('takes an address apart', async () => {
		expect(await readBrokerAddress('mqtt://broker.example', {})).to.deep.equal({
			protocol: 'mqtt',
			host: 'broker.example',
			port: 1883,
			tls: {},
		});
		expect(await readBrokerAddress('mqtts://us%2Fer:p%40ss@[::1]:9883', {})).to.deep.equal({
			protocol: 'mqtts',
			host: '::1',
			port: 9883,
			username: 'us/er',
			password: 'p@ss',
			tls: {},
		});
		expect(await readBrokerAddress('mqtts://broker.example', {})).to.include({ port: 8883 });
	});

	it('reads the files, and names the setting of one that cannot be read', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'broker-address-'));
		const file = join(folder, 'ca.pem');
		writeFileSync(file, 'PEM');
		expect((await readBrokerAddress('mqtts://b', { caFile: file })).tls).to.deep.equal({ ca: Buffer.from('PEM') });
		rmSync(folder, { recursive: true });
		const message = await readBrokerAddress('mqtts://b', { keyFile: file }).catch((error: Error) => error.message);
		expect(message).to.equal(`MQTT_BRIDGE_KEY_FILE: the file '${file}' cannot be read`);
	});
});
