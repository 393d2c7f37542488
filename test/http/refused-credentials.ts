import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createHttpApp } from '../../service/http/index.ts';
import { createAuthority, createCertificate, type TestCertificate } from '../support/certificate-chain.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import type { HttpMethod } from '../support/checked-http-client.ts';
import type { HttpFixture } from '../support/http-fixture.ts';
import { openRefusedCredentials, refusedCredentials } from '../support/refused-credentials.ts';
import { openRoutes } from '../support/route-rows.ts';

interface Answer {
	readonly status: number | undefined;
	readonly body: { readonly message?: string };
}

const refusal = /^(?:Bad credentials|User has been logged out|The client certificate does not let this device in)/;
/** Calls at a time: fewer than wrong passwords are borne in a minute. */
const atOnce = 15;

describe('http/refused-credentials', () => {
	let fixture: HttpFixture;
	let given: Awaited<ReturnType<typeof openRefusedCredentials>>;
	/** Every route as it is called: HEAD as well where there is a GET. */
	let calls: (readonly [method: HttpMethod, path: string, status: number])[] = [];
	before(async () => {
		given = await openRefusedCredentials();
		fixture = given.fixture;
		const open = new Map(openRoutes.map(([method, path, status]) => [`${method} ${path}`, status]));
		calls = fixture.routes.flatMap(({ method, path }) => {
			const called = path.replaceAll(/\{\w+\}/g, '1');
			const status = open.get(`${method} ${path}`) ?? 401;
			const get = [method, called, status] as const;
			return method === 'get' ? [get, ['head', called, status] as const] : [get];
		});
	});
	after(() => fixture.close());

	it('knows which routes are open to everybody', () => {
		const open = fixture.routes
			.filter(({ permission }) => permission === 'public')
			.map(({ method, path }) => `${method} ${path}`);
		expect(open).to.have.members(openRoutes.map(([method, path]) => `${method} ${path}`));
	});

	/** Calls every route, and expects that it opens only where it is open to everybody. */
	async function expectRefused(ask: (method: HttpMethod, path: string) => Promise<Answer>): Promise<void> {
		const wrong: unknown[] = [];
		for (let from = 0; from < calls.length; from += atOnce) {
			// Whoever guesses has to wait, which is not what is tested here.
			fixture.time += 61_000;
			const some = calls.slice(from, from + atOnce);
			const answers = await Promise.all(some.map(([method, path]) => ask(method, path)));
			for (const [index, [method, path, expected]] of some.entries()) {
				const { status, body } = answers[index] ?? { status: 0, body: {} };
				const isSaid = expected !== 401 || method === 'head' || path.endsWith('simpleenroll') || refusal.test(body.message ?? '');
				if (status !== expected || !isSaid) wrong.push({ method, path, status, message: body.message });
			}
		}
		expect(wrong).to.deep.equal([]);
	}

	for (const name of refusedCredentials) {
		it(`opens no route to ${name}`, async () => {
			const { headers } = given.find(name);
			expect(await given.isGood(headers)).to.equal(false);
			await expectRefused((method, path) => fixture.call(undefined, method, path, { headers }));
		});
	}

	it('refuses for nothing else what was good before', () => {
		expect(refusedCredentials.filter((name) => given.find(name).wasGood)).to.deep.equal([
			'a former password',
			'the password of a disabled user',
			'the password of a removed user',
			'the password of a suspended tenant',
			'the password of a deleted tenant',
			'an expired token',
			'a token from before the password was changed',
			'a token of a disabled user',
			'a token of a removed user',
			'a token of a suspended tenant',
			'a token of a deleted tenant',
			'a token that was logged out',
			'cookies of a session that was logged out',
			'cookies with an expired token',
		]);
	});

	describe('over TLS', () => {
		let files: CertificateFiles;
		let server: Server;
		let trusted: TestCertificate;
		const agents: Agent[] = [];
		before(async () => {
			files = await createCertificateFiles();
			const [cert, key] = [readFileSync(files.certFile), readFileSync(files.keyFile)];
			server = createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, createHttpApp(fixture.services));
			await once(server.listen(0, '127.0.0.1'), 'listening');
			trusted = await createAuthority('trusted', { now: fixture.time });
			const how = { name: 'trusted', status: 'ENABLED', autoRegistrationEnabled: true } as const;
			await fixture.services.access.certificates.trusted.add('t1', { pem: trusted.pem, ...how });
		});
		after(() => {
			for (const agent of agents) agent.destroy();
			server.closeAllConnections();
			server.close();
			files.remove();
		});

		function callerWith(certificate: TestCertificate): (method: HttpMethod, path: string) => Promise<Answer> {
			const { pem: cert, keyPem: key } = certificate;
			const agent = new Agent({ keepAlive: true, ca: files.ca, cert, key });
			agents.push(agent);
			const base = `https://localhost:${(server.address() as AddressInfo).port}`;
			return (method, path) =>
				new Promise((resolve, reject) => {
					request(base + path, { method: method.toUpperCase(), agent }, (response) => {
						let text = '';
						response.setEncoding('utf8');
						response
							.on('data', (chunk: string) => (text += chunk))
							.on('end', () => resolve({ status: response.statusCode, body: text.startsWith('{') ? JSON.parse(text) : {} }));
					})
						.on('error', reject)
						.end();
				});
		}

		const now = () => fixture.time;
		const certificates: readonly (readonly [what: string, make: () => Promise<TestCertificate>])[] = [
			[
				'of an authority that nobody trusts',
				async () => createCertificate('dev1', { issuer: await createAuthority('stranger', { now: now() }), now: now() }),
			],
			[
				'of an authority that only bears the name of a trusted one',
				async () => createCertificate('dev1', { issuer: await createAuthority('trusted', { now: now() }), now: now() }),
			],
			['that signed itself', () => createCertificate('dev1', { now: now() })],
			['that has expired', () => createCertificate('dev1', { issuer: trusted, now: now(), from: -9, until: -1 })],
			['that is not good yet', () => createCertificate('dev1', { issuer: trusted, now: now(), from: 20 })],
		];
		for (const [what, make] of certificates) {
			it(`opens no route to a certificate ${what}`, async () => expectRefused(callerWith(await make())));
		}

		it('opens some to a good one', async () => {
			const ask = callerWith(await createCertificate('dev1', { issuer: trusted, now: now() }));
			expect((await ask('get', '/tenant/currentTenant')).status).to.equal(200);
		});
	});
});
