import { createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { Principal, SigningAlgorithm, TokenSettings } from '../../../access/index.ts';
import { accessSettings } from '../../support/access-settings.ts';
import { useBench } from '../inventory/inventory-bench.ts';
import { openAccessBench, tokenLifetimeSeconds } from './access-bench.ts';

const principal: Principal = { tenant: 't1', userName: 'device_s', role: 'device', serial: 's' };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const day = 86_400_000;

describe('access/tokens', () => {
	const bench = useBench(openAccessBench);
	const tokens = () => bench().access.tokens;
	const open = async (settings: Partial<TokenSettings>) =>
		(await bench().reopen({ tokens: { ...accessSettings.tokens, ...settings } })).tokens;
	const verify = async (token: string, by = tokens()) => {
		const verified = await by.verify(token);
		return verified.ok ? verified.principal : verified.reason;
	};
	const headerOf = (token: string) => jwt.decode(token, { complete: true })?.header;
	beforeEach(() => bench().access.users.set('t1', 'device_s', 'p', 'device'));

	it('stand for their user, here and in another process', async () => {
		const token = await tokens().issue(principal, 'host.example');
		expect(await verify(token)).to.deep.equal(principal);
		expect(await verify(token, (await bench().reopen()).tokens)).to.deep.equal(principal);
	});

	it('have the claims that clients read, base64url without padding', async () => {
		const token = await tokens().issue(principal, 'host.example');
		expect(token).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/);
		const now = bench().clock() / 1000;
		const claims = jwt.decode(token, { json: true });
		expect(claims).to.deep.include({
			iss: 'host.example',
			aud: 'host.example',
			sub: 'device_s',
			ten: 't1',
			tfa: false,
			iat: now,
			nbf: now,
			exp: now + tokenLifetimeSeconds,
		});
		expect(claims?.tci).to.match(/^[\w-]{22}$/);
		// What decoders of the standard alphabet cannot read.
		expect(JSON.stringify(claims))
			.to.match(/^[ -~]+$/)
			.and.not.match(/[>?~]/);
	});

	it('make each token another one', async () => {
		expect(await tokens().issue(principal, 'h')).to.not.equal(await tokens().issue(principal, 'h'));
	});

	it('end with their lifetime, those of sessions later', async () => {
		const token = await tokens().issue(principal, 'h');
		const session = await tokens().issueSession(principal, 'h');
		bench().clock.now += tokenLifetimeSeconds * 1000 - 1;
		expect(await verify(token)).to.deep.equal(principal);
		bench().clock.now += 1;
		expect([await verify(token), await verify(session.token)]).to.deep.equal(['rejected', principal]);
		bench().clock.now += accessSettings.tokens.sessionSeconds * 1000;
		expect(await verify(session.token)).to.equal('rejected');
	});

	it('stay good when the clock is set back', async () => {
		const token = await tokens().issue(principal, 'h');
		bench().clock.now -= 3_600_000;
		expect(await verify(token)).to.deep.equal(principal);
	});

	it('end with their user, and follow its role', async () => {
		await tokens().issue(principal, 'h');
		await bench().access.users.set('t1', 'device_s', 'p', 'admin');
		const token = await tokens().issue(principal, 'h');
		expect(await verify(token)).to.include({ role: 'admin' });
		await bench().access.users.remove('t1', 'device_s');
		expect(await verify(token)).to.equal('rejected');
	});

	it('are not good for a user made anew under the same name', async () => {
		const token = await tokens().issue(principal, 'h');
		await bench().access.users.remove('t1', 'device_s');
		await bench().access.users.set('t1', 'device_s', 'p', 'device');
		expect(await verify(token)).to.equal('loggedOut');
	});

	describe('that are ended', () => {
		it('are refused, and no others are', async () => {
			const [one, two] = [await tokens().issueSession(principal, 'h'), await tokens().issueSession(principal, 'h')];
			const verified = await tokens().verify(one.token);
			if (verified.ok) await tokens().end(verified.session);
			expect([await verify(one.token), await verify(two.token)]).to.deep.equal(['loggedOut', principal]);
			expect(await verify(one.token, (await bench().reopen()).tokens)).to.equal('loggedOut');
		});

		it('are refused by another process at once, and when the clock is set back', async () => {
			const other = (await bench().reopen()).tokens;
			const { token } = await other.issueSession(principal, 'h');
			const verified = await tokens().verify(token);
			if (verified.ok) await tokens().end(verified.session);
			expect(await verify(token, other)).to.equal('loggedOut');
			bench().clock.now -= 7_200_000;
			await other.refresh();
			expect(await verify(token, other)).to.equal('loggedOut');
		});

		it('are all those of a tenant, and none of another', async () => {
			await bench().access.users.set('t2', 'device_s', 'p', 'device');
			const own = await tokens().issue(principal, 'h');
			const foreign = await tokens().issue({ ...principal, tenant: 't2' }, 'h');
			await tokens().endAll('t1');
			expect([await verify(own), await verify(foreign)]).to.deep.equal(['loggedOut', { ...principal, tenant: 't2' }]);
			expect(await verify(await tokens().issue(principal, 'h'))).to.deep.equal(principal);
			expect(await verify(own, (await bench().reopen()).tokens)).to.equal('loggedOut');
		});

		it('are all but the one that is kept when the password changes', async () => {
			const [kept, other] = [await tokens().issueSession(principal, 'h'), await tokens().issueSession(principal, 'h')];
			const verified = await tokens().verify(kept.token);
			if (!verified.ok) throw new Error('the token is not good');
			const keptSession = tokens().keep('t1', verified.session);
			await bench().access.users.changePassword(principal, 'another long secret', { keptSession });
			expect([await verify(kept.token), await verify(other.token)]).to.deep.equal([principal, 'loggedOut']);
			await bench().access.users.changePassword(principal, 'a third long secret');
			expect(await verify(kept.token)).to.equal('loggedOut');
		});

		it('is the kept one, too, when all of the tenant end', async () => {
			const { token } = await tokens().issueSession(principal, 'h');
			const verified = await tokens().verify(token);
			if (!verified.ok) throw new Error('the token is not good');
			await bench().access.users.changePassword(principal, 'another long secret', {
				keptSession: tokens().keep('t1', verified.session),
			});
			await tokens().endAll('t1');
			expect(await verify(token)).to.equal('loggedOut');
		});
	});

	describe('and their keys', () => {
		for (const algorithm of ['HS256', 'RS256', 'ES256'] as const satisfies readonly SigningAlgorithm[]) {
			it(`sign with ${algorithm}, and let old tokens be good until they end`, async () => {
				const service = await open({ algorithm });
				const first = await service.issue(principal, 'h');
				expect(headerOf(first)?.alg).to.equal(algorithm);
				bench().clock.now += accessSettings.tokens.keyDays * day - 60_000;
				const old = await service.issue(principal, 'h');
				bench().clock.now += 60_000;
				await service.refresh();
				const young = await service.issue(principal, 'h');
				expect(headerOf(old)?.kid).to.equal(headerOf(first)?.kid);
				expect(Number(headerOf(young)?.kid)).to.equal(Number(headerOf(old)?.kid) + 1);
				for (const token of [old, young]) expect(await verify(token, service)).to.deep.equal(principal);
				expect(await verify(first, service)).to.equal('rejected');
			});
		}

		it('go when no token needs them any more', async () => {
			const service = await open({ algorithm: 'ES256' });
			const kids = () => service.publicKeys().map(({ kid }) => kid);
			const [first] = kids();
			bench().clock.now += accessSettings.tokens.keyDays * day;
			await service.refresh();
			expect(kids()).to.have.length(2).and.to.include(first);
			bench().clock.now += day + accessSettings.tokens.sessionSeconds * 1000 + 1;
			await service.refresh();
			expect(kids()).to.have.length(1).and.not.to.include(first);
		});

		it('are one for processes that make one at once', async () => {
			bench().clock.now += accessSettings.tokens.keyDays * day;
			const others = await Promise.all([1, 2, 3].map(() => bench().reopen()));
			const kids = await Promise.all(others.map(async (each) => headerOf(await each.tokens.issue(principal, 'h'))?.kid));
			expect(new Set(kids).size).to.equal(1);
			for (const each of others) expect(await verify(await tokens().issue(principal, 'h'), each.tokens)).to.deep.equal(principal);
		});

		it('stay when they are not to be changed', async () => {
			const service = await open({ keyDays: 0 });
			const kid = headerOf(await service.issue(principal, 'h'))?.kid;
			bench().clock.now += 4000 * day;
			await service.refresh();
			expect(headerOf(await service.issue(principal, 'h'))?.kid).to.equal(kid);
		});

		it('are public without what signs, and check what was signed', async () => {
			const service = await open({ algorithm: 'ES256' });
			const [key, ...more] = service.publicKeys();
			expect(more).to.deep.equal([]);
			expect(key).to.include({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }).and.not.to.have.any.keys('d', 'k');
			const token = await service.issue(principal, 'h');
			const check = () =>
				jwt.verify(token, createPublicKey({ key: key ?? {}, format: 'jwk' }), { ignoreExpiration: true, ignoreNotBefore: true });
			expect(check()).to.include({ sub: 'device_s' });
		});

		it('are not public where they are secret', () => expect(tokens().publicKeys()).to.deep.equal([]));

		it('verify tokens of the version before, which name none', async () => {
			const secret = 'a secret of the version before';
			const old = openAccessBench();
			const { store, clock, reopen } = await old;
			await store.batch([
				{ kind: 'removeWhere', collection: 'signingKeys', filter: { _id: '1' } },
				{ kind: 'put', collection: 'signingKeys', document: Object.assign({ _id: 'token' }, { secret }) },
				{
					kind: 'put',
					collection: 'users',
					document: Object.assign({ _id: 't1/u' }, { tenant: 't1', userName: 'u', role: 'admin' }),
				},
			]);
			const { tokens: service } = await reopen();
			const claims = { sub: 'u', ten: 't1', jti: 'x', exp: clock() / 1000 + 60 };
			const token = jwt.sign(claims, secret, { algorithm: 'HS256' });
			expect(await verify(token, service)).to.include({ userName: 'u' });
			expect(headerOf(await service.issue({ ...principal, userName: 'u' }, 'h'))?.kid).to.equal('token');
			await store.close();
		});
	});

	const claims = { sub: 'device_s', ten: 't1', jti: 'j', exp: 2e9 };
	const foreignKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
	const forged: [title: string, token: (good: string) => string][] = [
		['nothing', () => ''],
		['no token', () => 'nonsense'],
		['two parts', (good) => good.split('.').slice(0, 2).join('.')],
		['four parts', (good) => `${good}.x`],
		['no signature', (good) => `${good.split('.').slice(0, 2).join('.')}.`],
		['alg none', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`],
		['alg none and a key', () => `${encode({ alg: 'none', kid: '1' })}.${encode(claims)}.`],
		['alg none with a signature', (good) => `${encode({ alg: 'none' })}.${encode(claims)}.${good.split('.')[2]}`],
		['another key', () => jwt.sign(claims, 'another key that is long enough', { algorithm: 'HS256', keyid: '1' })],
		['no key id', () => jwt.sign(claims, 'another key that is long enough', { algorithm: 'HS256' })],
		['an unknown key id', () => jwt.sign(claims, 'another key that is long enough', { algorithm: 'HS256', keyid: '99' })],
		['a key id that is no text', (good) => [encode({ alg: 'HS256', kid: { $ne: 1 } }), ...good.split('.').slice(1)].join('.')],
		['a key id of objects', (good) => [encode({ alg: 'HS256', kid: '__proto__' }), ...good.split('.').slice(1)].join('.')],
		['another algorithm', () => jwt.sign(claims, 'another key that is long enough', { algorithm: 'HS512', keyid: '1' })],
		['a key pair', () => jwt.sign(claims, foreignKey, { algorithm: 'ES256', keyid: '1' })],
		['an empty key', () => `${encode({ alg: 'HS256', typ: 'JWT', kid: '1' })}.${encode(claims)}.AAAA`],
		[
			'a key of its own',
			(good) => [encode({ alg: 'HS256', kid: '1', jwk: { kty: 'oct', k: 'AA' } }), ...good.split('.').slice(1)].join('.'),
		],
		['changed claims', (good) => [good.split('.')[0], encode({ ...claims, sub: 'admin' }), good.split('.')[2]].join('.')],
		['claims that are no JSON', (good) => [good.split('.')[0], 'abc', good.split('.')[2]].join('.')],
		['a header that is no JSON', (good) => ['abc', ...good.split('.').slice(1)].join('.')],
		['white space', (good) => ` ${good}`],
	];
	for (const algorithm of ['HS256', 'ES256'] as const) {
		for (const [title, token] of forged) {
			it(`are refused with ${title} (${algorithm})`, async () => {
				const service = await open({ algorithm });
				expect(await verify(token(await service.issue(principal, 'h')), service)).to.equal('rejected');
			});
		}
	}

	for (const algorithm of ['RS256', 'ES256'] as const) {
		it(`are refused when the public key of ${algorithm} was taken for a secret`, async () => {
			const service = await open({ algorithm });
			const [key] = service.publicKeys();
			const { kid } = headerOf(await service.issue(principal, 'h')) ?? {};
			const pem = createPublicKey({ key: key ?? {}, format: 'jwk' })
				.export({ type: 'spki', format: 'pem' })
				.toString();
			for (const secret of [JSON.stringify(key), String(key?.n ?? key?.x), pem, pem.trim()].map((text) =>
				createSecretKey(Buffer.from(text)),
			)) {
				const token = jwt.sign(claims, secret, { algorithm: 'HS256', keyid: kid ?? '' });
				expect(await verify(token, service)).to.equal('rejected');
			}
		});
	}
});
