import { once } from 'node:events';
import { request } from 'node:http';
import { expect } from 'chai';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

describe('journeys/http-server', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	async function ask(path: string, headers: Readonly<Record<string, string>>, body = ''): Promise<number | undefined> {
		const auth = `${service.admin.user}:${service.admin.password}`;
		const asking = request(`${service.urls.http}${path}`, { auth, headers, method: body ? 'POST' : 'GET' });
		asking.end(body);
		const [response] = await once(asking, 'response');
		response.resume();
		return response.statusCode;
	}

	it('answers clients that offer HTTP/2 over HTTP/1.1', async () => {
		const offer = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA' };
		expect(await ask('/tenant/currentTenant', offer)).to.equal(200);
		expect(await ask('/no/such/path', offer)).to.equal(404);
		expect(await ask('/devicecontrol/operations', { ...offer, 'Content-Length': '2' }, '{}')).to.equal(400);
	});

	it('opens a WebSocket at /mqtt only', async () => {
		const offer = {
			Connection: 'Upgrade',
			Upgrade: 'websocket',
			'Sec-WebSocket-Version': '13',
			'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
		};
		expect(await ask('/other', offer)).to.equal(404);
	});
});
