import { expect } from 'chai';
import { load } from '../../../config/index.ts';
import type { Service } from '../../../service/compose.ts';
import { readyText } from '../../../service/ready-text.ts';

type Listener = Service['listeners'][number];

function textOf(
	environment: Record<string, string>,
	ports: Partial<Record<Listener['name'], number>>,
	credentials: Service['credentials'] = [],
	place = 'somewhere',
) {
	const names: readonly Listener['name'][] = ['http', 'https', 'mqtt', 'mqtts'];
	const listeners = names.flatMap((name): Listener[] => {
		const port = ports[name];
		return port === undefined ? [] : [{ name, port, close: async () => undefined }];
	});
	return readyText(
		{ listeners, credentials, place, failed: new Promise(() => {}), reload: async () => undefined, close: async () => undefined },
		load(environment),
	);
}

describe('service/ready-text', () => {
	it('says where everything is, with the ports that were really taken', () => {
		const text = textOf({ HTTP_PORT: '0', TENANT_ID: 't9' }, { http: 41_001, mqtt: 41_002 }, [], '/data');
		for (const part of ['http://localhost:41001', 'ws://localhost:41001/mqtt', 'mqtt://localhost:41002', '/data', 't9', '/docs'])
			expect(text).to.include(part);
		expect(text).to.not.include('HTTPS').and.not.include('mqtts://').and.not.include('undefined');
		expect(text).to.not.include('password');
	});

	it('shows TLS ports where there are some, and a host that is given', () => {
		const text = textOf({ HOST: '127.0.0.1' }, { http: 1, https: 2, mqtt: 3, mqtts: 4 });
		expect(text).to.include('https://127.0.0.1:2').and.include('mqtts://127.0.0.1:4');
	});

	it('shows generated passwords, once each', () => {
		const text = textOf({}, {}, [{ user: 't1/admin', password: 'pw-one' }]);
		expect(text.split('pw-one')).to.have.length(2);
		expect(text).to.include('t1/admin').and.include('shown this once');
	});
});
