import { expect } from 'chai';
import { basic } from '../support/checked-http-client.ts';
import { credentials, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const [listed, second, unlisted] = ['https://ui.example.com', 'http://localhost:4200', 'https://ui.example.com.evil.example'];
const path = '/inventory/managedObjects';

/** What a browser asks before `@c8y/client` creates something. */
const question = {
	'Access-Control-Request-Method': 'POST',
	'Access-Control-Request-Headers': 'accept,authorization,content-type,tfatoken,usexbasic,x-xsrf-token',
};

describe('http/cross-origin', () => {
	let fixture: HttpFixture;
	let closed: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture({ corsOrigins: [listed, second], requestsPerSecond: { address: 200, user: 0, device: 0 } });
		closed = await openHttpFixture();
	});
	after(async () => {
		await fixture.close();
		await closed.close();
	});

	const authorization = { Authorization: basic(credentials.admin) };
	const ask = (method: string, where: string, headers: Readonly<Record<string, string>>, { url } = fixture) =>
		fetch(url + where, { method, headers });
	const corsHeadersOf = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

	for (const origin of [listed, second]) {
		it(`answers what a browser asks for a page of ${origin}, without credentials`, async () => {
			const answer = await ask('OPTIONS', path, { Origin: origin, ...question });
			expect([answer.status, await answer.text()]).to.deep.equal([204, '']);
			expect(Object.fromEntries(answer.headers)).to.include({
				'access-control-allow-origin': origin,
				'access-control-allow-credentials': 'true',
				'access-control-allow-methods': 'GET,HEAD,POST,PUT,DELETE',
				'access-control-max-age': '600',
				vary: 'Origin',
			});
			const allowed = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(',');
			expect(allowed).to.include.members(question['Access-Control-Request-Headers'].split(','));
		});

		it(`lets a page of ${origin} read answers and refusals`, async () => {
			for (const [where, headers, status] of [
				[path, authorization, 200],
				[path, {}, 401],
				['/no/such/path', authorization, 404],
				['/service/advanced-software-mgmt/docs/start.js', {}, 200],
			] as const) {
				const answer = await ask('GET', where, { Origin: origin, ...headers });
				expect(answer.status).to.equal(status);
				expect(answer.headers.get('access-control-allow-origin')).to.equal(origin);
				expect(answer.headers.get('access-control-allow-credentials')).to.equal('true');
				expect(answer.headers.get('access-control-expose-headers')).to.contain('Location').and.to.contain('Retry-After');
				expect(answer.headers.get('vary')).to.match(/\bOrigin\b/);
			}
		});
	}

	for (const origin of [
		unlisted,
		'null',
		'http://ui.example.com',
		'https://ui.example.com:8443',
		'https://UI.example.com',
		'https://ui.example.com/',
		'*',
	]) {
		it(`says nothing to ${origin}, asked before or not`, async () => {
			const asked = await ask('OPTIONS', path, { Origin: origin, ...question });
			expect([asked.status, corsHeadersOf(asked)]).to.deep.equal([405, []]);
			const answer = await ask('GET', path, { Origin: origin, ...authorization });
			expect([answer.status, corsHeadersOf(answer)]).to.deep.equal([200, []]);
			expect(answer.headers.get('vary')).to.equal('Origin');
		});
	}

	it('says nothing to anybody where no origin is listed', async () => {
		for (const [method, status] of [
			['OPTIONS', 405],
			['GET', 200],
		] as const) {
			const answer = await ask(method, path, { Origin: listed, ...question, ...authorization }, closed);
			expect([answer.status, corsHeadersOf(answer), answer.headers.get('vary')]).to.deep.equal([status, [], null]);
		}
	});

	it('takes cookies of a listed origin, and what changes something only with the value of the second one', async () => {
		const [, password = ''] = credentials.admin.split(':');
		const form = new URLSearchParams({ grant_type: 'PASSWORD', username: 'admin', password });
		const login = await fetch(`${fixture.url}/tenant/oauth`, { method: 'POST', headers: { Origin: listed }, body: form });
		expect(login.headers.get('access-control-allow-credentials')).to.equal('true');
		const Cookie = login.headers
			.getSetCookie()
			.map((cookie) => cookie.split(';')[0])
			.join('; ');
		const [, xsrf = ''] = /XSRF-TOKEN=([^;]+)/.exec(Cookie) ?? [];
		const read = await ask('GET', path, { Origin: listed, Cookie });
		expect([read.status, read.headers.get('access-control-allow-origin')]).to.deep.equal([200, listed]);
		const create = (headers: Readonly<Record<string, string>>) =>
			fetch(fixture.url + path, {
				method: 'POST',
				headers: { 'Content-Type': 'application/json', Cookie, ...headers },
				body: '{}',
			});
		const forged = await create({ Origin: unlisted });
		expect([forged.status, corsHeadersOf(forged)]).to.deep.equal([401, []]);
		expect((await create({ Origin: listed })).status).to.equal(401);
		expect((await create({ Origin: listed, 'X-XSRF-TOKEN': xsrf })).status).to.equal(201);
	});

	it('lets a page see that it sends too much', async () => {
		let answer = await ask('GET', '/tenant/loginOptions', { Origin: listed });
		for (let times = 0; times < 200 && answer.status === 200; times++)
			answer = await ask('GET', '/tenant/loginOptions', { Origin: listed });
		expect([answer.status, answer.headers.get('access-control-allow-origin')]).to.deep.equal([429, listed]);
		const asked = await ask('OPTIONS', path, { Origin: listed, ...question });
		expect(asked.status).to.equal(429);
	});
});
