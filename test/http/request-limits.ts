import { expect } from 'chai';
import { credentials, expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const path = '/tenant/currentTenant';

describe('http/request-limits', () => {
	let fixture: HttpFixture;
	/** Without the limits, and with no proxy that is believed. */
	let other: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture({
			requestsPerSecond: { address: 3, user: 2, device: 1 },
			urlMaxCharacters: 200,
			headersMaxCount: 20,
			formMaxBytes: 1000,
			hstsSeconds: 600,
		});
		other = await openHttpFixture({
			requestsPerSecond: { address: 1, user: 0, device: 0 },
			trustedProxies: ['10.0.0.1'],
		});
	});
	beforeEach(() => {
		for (const each of [fixture, other]) each.time += 1000;
	});
	after(async () => {
		await fixture.close();
		await other.close();
	});

	const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
	let addresses = 0;
	/** What somebody gets who comes from another address each time. */
	async function statusesOf(caller: keyof typeof credentials, times: number): Promise<number[]> {
		const statuses: number[] = [];
		for (let time = 0; time < times; time++)
			statuses.push((await fixture.call(caller, 'get', path, from(`198.51.100.${++addresses}`))).status);
		return statuses;
	}

	it('answers 429 to what one address sends too much in a second, before it asks who it is', async () => {
		const { call, logLines, services, url } = fixture;
		const statuses: number[] = [];
		for (const caller of [undefined, 'wrongPassword', 'admin', 'admin', undefined] as const)
			statuses.push((await call(caller, 'get', path, from('192.0.2.1'))).status);
		expect(statuses).to.deep.equal([401, 401, 200, 429, 429]);
		expect((await fetch(`${url}/no/such/path`, from('192.0.2.1'))).status).to.equal(429);
		const refused = await call('reader', 'get', path, from('192.0.2.1'));
		expectRefusal(refused, 429, /The address '192\.0\.2\.1' may send 3 requests a second: wait for the next one/);
		expect(refused.headers['retry-after']).to.equal('1');
		expect((await call('reader', 'get', path, from('192.0.2.2'))).status).to.equal(200);
		// Once a second, however many there are.
		expect(logLines.filter((line) => line.includes('more requests than allowed'))).to.have.length(1);
		expect(await services.metrics.registry.metrics()).to.contain('http_throttled_total{by="address"} 4');
	});

	it('counts the addresses of one network of IPv6 together', async () => {
		const statuses: number[] = [];
		for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4', '2001:db8:0:1::2'])
			statuses.push((await fixture.call(undefined, 'get', path, from(address))).status);
		expect(statuses).to.deep.equal([401, 401, 401, 429, 401]);
	});

	it('takes no word of strangers for an address', async () => {
		expect((await other.call('admin', 'get', path, from('192.0.2.1'))).status).to.equal(200);
		expect((await other.call('admin', 'get', path, from('192.0.2.2'))).status).to.equal(429);
	});

	it('answers probes whatever comes from their address', async () => {
		for (let times = 0; times < 3; times++) {
			expect((await other.call(undefined, 'get', '/health')).status).to.equal(200);
			expect((await other.call(undefined, 'get', '/ready')).status).to.equal(200);
		}
		expect((await other.call(undefined, 'get', '/metrics')).status).to.equal(200);
		expect((await other.call(undefined, 'get', '/metrics')).status).to.equal(429);
	});

	it('answers 429 to what one user sends too much in a second from wherever, and only to that user', async () => {
		expect(await statusesOf('admin', 3)).to.deep.equal([200, 200, 429]);
		expect(await statusesOf('otherAdmin', 3)).to.deep.equal([200, 200, 429]);
		expect(await statusesOf('device', 3)).to.deep.equal([200, 429, 429]);
		expect(await statusesOf('foreignDevice', 1)).to.deep.equal([200]);
		const refused = await fixture.call('device', 'get', path, from('192.0.2.1'));
		expectRefusal(refused, 429, new RegExp(`The device '${tenant}/device_dev1' may send 1 requests a second`));
		fixture.time += 1000;
		expect(await statusesOf('admin', 3)).to.deep.equal([200, 200, 429]);
		expect(await statusesOf('device', 2)).to.deep.equal([200, 429]);
	});

	it('does not let guessed passwords of a user count against that user', async () => {
		expect(await statusesOf('wrongPassword', 4)).to.deep.equal([401, 401, 401, 401]);
		expect(await statusesOf('admin', 1)).to.deep.equal([200]);
	});

	it('answers 414 to a URL that is too long', async () => {
		const url = (length: number) => `${path}?a=${'x'.repeat(length - path.length - 3)}`;
		expect((await fixture.call('admin', 'get', url(200))).status).to.equal(200);
		expectRefusal(await fixture.call('admin', 'get', url(201)), 414, /201 characters: at most 200/);
	});

	it('reads no large form of somebody whom nobody knows', async () => {
		const type = 'application/x-www-form-urlencoded';
		const [, password] = credentials.admin.split(':');
		const form = `grant_type=PASSWORD&username=admin&password=${password}&tfa_code=`;
		const send = (text: string) => fixture.call(undefined, 'post', '/tenant/oauth/token', { text, type });
		expect((await send(form)).status).to.equal(200);
		expectRefusal(await send(form + 'x'.repeat(1000)), 413, /at most 1000 bytes/);
	});

	it('tells browsers that come by TLS to come by TLS only', async () => {
		const securityOf = async (headers: Readonly<Record<string, string>>) =>
			(await fixture.call(undefined, 'get', '/health', { headers })).headers['strict-transport-security'];
		expect(await securityOf({ 'X-Forwarded-Proto': 'https' })).to.equal('max-age=600');
		expect(await securityOf({})).to.equal(undefined);
	});

	it('protects what it answers: nothing is kept, framed, guessed or run', async () => {
		for (const [caller, wanted] of [
			['admin', 200],
			[undefined, 401],
		] as const) {
			const { status, headers } = await fixture.call(caller, 'get', path);
			expect(status).to.equal(wanted);
			expect(headers).to.include({
				'cache-control': 'no-store',
				'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
				'cross-origin-resource-policy': 'same-origin',
				'referrer-policy': 'no-referrer',
				'x-content-type-options': 'nosniff',
			});
		}
	});
});
