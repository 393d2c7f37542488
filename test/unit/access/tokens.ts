import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { Principal } from '../../../access/index.ts';
import { useBench } from '../inventory/inventory-bench.ts';
import { openAccessBench, tokenLifetimeSeconds } from './access-bench.ts';

const principal: Principal = { tenant: 't1', userName: 'device_s', role: 'device', serial: 's' };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('access/tokens', () => {
	const bench = useBench(openAccessBench);
	const tokens = () => bench().access.tokens;
	beforeEach(() => bench().access.users.set('t1', 'device_s', 'p', 'device'));

	it('stands for its user, here and in another process', async () => {
		const token = tokens().issue(principal, 'host.example');
		expect(await tokens().verify(token)).to.deep.equal(principal);
		expect(await (await bench().reopen()).tokens.verify(token)).to.deep.equal(principal);
	});

	it('has the claims that clients read, base64url without padding', () => {
		const token = tokens().issue(principal, 'host.example');
		expect(token).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/);
		const now = bench().clock() / 1000;
		expect(jwt.decode(token)).to.deep.include({
			iss: 'host.example',
			aud: 'host.example',
			sub: 'device_s',
			ten: 't1',
			tfa: false,
			iat: now,
			nbf: now,
			exp: now + tokenLifetimeSeconds,
		});
	});

	it('makes each token another one', () => expect(tokens().issue(principal, 'h')).to.not.equal(tokens().issue(principal, 'h')));

	it('ends with its lifetime', async () => {
		const token = tokens().issue(principal, 'h');
		bench().clock.now += tokenLifetimeSeconds * 1000 - 1;
		expect(await tokens().verify(token)).to.deep.equal(principal);
		bench().clock.now += 1;
		expect(await tokens().verify(token)).to.equal(undefined);
	});

	it('stays good when the clock is set back', async () => {
		const token = tokens().issue(principal, 'h');
		bench().clock.now -= 3_600_000;
		expect(await tokens().verify(token)).to.deep.equal(principal);
	});

	it('ends with its user, and follows the role of the user', async () => {
		const token = tokens().issue(principal, 'h');
		await bench().access.users.set('t1', 'device_s', 'p', 'admin');
		expect((await tokens().verify(token))?.role).to.equal('admin');
		await bench().access.users.remove('t1', 'device_s');
		expect(await tokens().verify(token)).to.equal(undefined);
	});

	const claims = { sub: 'device_s', ten: 't1', exp: 2e9 };
	const forged: [title: string, token: (good: string) => string][] = [
		['nothing', () => ''],
		['no token', () => 'nonsense'],
		['two parts', (good) => good.split('.').slice(0, 2).join('.')],
		['four parts', (good) => `${good}.x`],
		['no signature', (good) => `${good.split('.').slice(0, 2).join('.')}.`],
		['alg none', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`],
		['alg none with a signature', (good) => `${encode({ alg: 'none' })}.${encode(claims)}.${good.split('.')[2]}`],
		['another key', () => jwt.sign(claims, 'another key that is long enough', { algorithm: 'HS256' })],
		['another algorithm', () => jwt.sign(claims, 'another key that is long enough', { algorithm: 'HS512' })],
		['an empty key', () => `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}.AAAA`],
		['changed claims', (good) => [good.split('.')[0], encode({ ...claims, sub: 'admin' }), good.split('.')[2]].join('.')],
		['claims that are no JSON', (good) => [good.split('.')[0], 'abc', good.split('.')[2]].join('.')],
		['a header that is no JSON', (good) => ['abc', ...good.split('.').slice(1)].join('.')],
		['white space', (good) => ` ${good}`],
	];
	for (const [title, token] of forged) {
		it(`is refused with ${title}`, async () => {
			expect(await tokens().verify(token(tokens().issue(principal, 'h')))).to.equal(undefined);
		});
	}
});
