import { expect } from 'chai';
import type { Role } from '../../../access/index.ts';
import { createPasswordVerifier, generatePassword, hashPassword } from '../../../access/passwords.ts';
import { accessSettings } from '../../support/access-settings.ts';
import { expectRefusal, testClock, useBench } from '../inventory/inventory-bench.ts';
import { cacheTtlMilliseconds, openAccessBench } from './access-bench.ts';

describe('access/passwords', () => {
	const open = (maxEntries = 10) => {
		const clock = testClock();
		return { clock, ...createPasswordVerifier({ maxEntries, ttlMilliseconds: 1000, elapsed: clock }) };
	};
	const isAtOnce = async (checking: Promise<boolean>) => {
		let done = false;
		const finished = checking.then(() => {
			done = true;
		});
		for (let i = 0; i < 20; i++) await Promise.resolve();
		const atOnce = done;
		await finished;
		return atOnce;
	};

	it('makes passwords of 24 characters that no device splits at', () => {
		const made = Array.from({ length: 50 }, generatePassword);
		for (const password of made) expect(password).to.match(/^[a-zA-Z2-9]{24}$/);
		expect(new Set(made).size).to.equal(50);
	});

	it('hashes one password differently each time, with argon2id', async () => {
		const [one, two] = await Promise.all([hashPassword('a'), hashPassword('a')]);
		expect(one).to.match(/^\$argon2id\$/);
		expect(one).to.not.equal(two);
	});

	it('remembers what was right until it expires, and nothing that was wrong', async () => {
		const { check, clock } = open();
		const hash = await hashPassword('right');
		expect(await isAtOnce(check(hash, 'right'))).to.equal(false);
		expect(await isAtOnce(check(hash, 'right'))).to.equal(true);
		expect(await check(hash, 'wrong')).to.equal(false);
		expect(await isAtOnce(check(hash, 'wrong'))).to.equal(false);
		clock.now += 1000;
		expect(await isAtOnce(check(hash, 'right'))).to.equal(false);
	});

	it('does not mistake one hash for another', async () => {
		const { check } = open();
		const [one, two] = await Promise.all([hashPassword('one'), hashPassword('two')]);
		expect(await check(one, 'one')).to.equal(true);
		expect(await check(two, 'one')).to.equal(false);
	});

	it('forgets the oldest beyond its bound', async () => {
		const { check } = open(1);
		const [one, two] = await Promise.all([hashPassword('one'), hashPassword('two')]);
		await check(one, 'one');
		await check(two, 'two');
		expect(await isAtOnce(check(two, 'two'))).to.equal(true);
		expect(await isAtOnce(check(one, 'one'))).to.equal(false);
	});

	it('hashes the same credentials that come at once a single time', async () => {
		const { check } = open();
		const hash = await hashPassword('right');
		let done = 0;
		const first = check(hash, 'right');
		const others = Array.from({ length: 50 }, () => check(hash, 'right').then(() => done++));
		await first;
		await new Promise((resolve) => setImmediate(resolve));
		// Fifty hashes, each on its own, would not all have ended together with the first.
		expect(done).to.equal(50);
		await Promise.all(others);
	});

	it('fails for a hash that is none, each time', async () => {
		const { check } = open();
		for (let i = 0; i < 2; i++) expect(await check('no hash', 'a').catch(() => 'failed')).to.equal('failed');
	});
});

describe('access/users', () => {
	const bench = useBench(openAccessBench);
	const login = async (password: string, user = 'user', address = '10.0.0.1', tenant = 't1') => {
		const outcome = await bench().access.users.authenticate(tenant, user, password, address);
		return outcome.ok ? outcome.principal.role : outcome.reason;
	};
	beforeEach(() => bench().access.users.set('t1', 'user', 'right', 'admin'));

	it('accepts the right password of the right user of the right tenant only', async () => {
		expect(await login('right')).to.equal('admin');
		expect(await login('wrong')).to.equal('rejected');
		expect(await login('')).to.equal('rejected');
		expect(await login('right', 'User')).to.equal('rejected');
		expect(await login('right', 'user', '10.0.0.1', 't2')).to.equal('rejected');
		expect(await login('right', '', '10.0.0.1', 't1/user')).to.equal('rejected');
	});

	it('names the serial of a device', async () => {
		await bench().access.users.set('t1', 'device_a:b', 'p', 'device');
		const outcome = await bench().access.users.authenticate('t1', 'device_a:b', 'p', '');
		expect(outcome).to.deep.equal({
			ok: true,
			principal: { tenant: 't1', userName: 'device_a:b', role: 'device', serial: 'a:b' },
		});
	});

	it('refuses a password at once that was changed, although it was remembered', async () => {
		expect(await login('right')).to.equal('admin');
		await bench().access.users.set('t1', 'user', 'new', 'device');
		expect(await login('right')).to.equal('rejected');
		expect(await login('new')).to.equal('device');
	});

	it('refuses a removed user at once', async () => {
		expect(await login('right')).to.equal('admin');
		await bench().access.users.remove('t1', 'user');
		expect(await login('right')).to.equal('rejected');
	});

	it('hears of a password that another process changed', async () => {
		expect(await login('right')).to.equal('admin');
		await (await bench().reopen()).users.set('t1', 'user', 'new', 'admin');
		expect(await login('right')).to.equal('rejected');
	});

	it('does not remember a user who was read before a change and arrives after it', async () => {
		const { access } = bench();
		// Both are under way at once, whichever the store does first.
		for (let round = 0; round < 4; round++) {
			await access.users.set('t1', 'user', `old${round}`, 'admin');
			const early = login(`old${round}`, 'user', `a${round}`);
			await access.users.set('t1', 'user', `new${round}`, 'admin');
			await early;
			expect(await login(`old${round}`, 'user', `b${round}`)).to.equal('rejected');
		}
	});

	it('makes even the right password wait after too many wrong ones, for that user from that address', async () => {
		for (let i = 0; i < 3; i++) expect(await login(`wrong${i}`)).to.equal('rejected');
		expect(await login('right')).to.equal('throttled');
		expect(await login('x', 'nobody')).to.equal('rejected');
		bench().clock.now += 59_999;
		expect(await login('right')).to.equal('throttled');
		bench().clock.now += 1;
		expect(await login('right')).to.equal('admin');
	});

	it('lets in who was in lately, whoever guesses beside them', async () => {
		expect(await login('right', 'user', '10.0.0.2')).to.equal('admin');
		for (let i = 0; i < 3; i++) expect(await login(`wrong${i}`)).to.equal('rejected');
		expect(await login('wrong')).to.equal('throttled');
		expect(await login('right')).to.equal('admin');
	});

	it('counts a minute from the first wrong password', async () => {
		for (let i = 0; i < 2; i++) await login('wrong');
		bench().clock.now += 60_000;
		for (let i = 0; i < 2; i++) expect(await login('wrong')).to.equal('rejected');
		expect(await login('right')).to.equal('admin');
	});

	it('lets an unknown user cost a hash each time', async () => {
		const steps = async (user: string) => {
			let turns = 0;
			let done = false;
			const attempt = login('same', user, user).then(() => {
				done = true;
			});
			while (!done) {
				turns++;
				await new Promise(setImmediate);
			}
			await attempt;
			return turns;
		};
		await steps('nobody');
		// A remembered answer takes the store's turns only; a hash keeps the loop turning for milliseconds.
		const remembered = await (async () => {
			await bench().access.users.set('t1', 'known', 'same', 'admin');
			await steps('known');
			return steps('known');
		})();
		for (const user of ['nobody', 'nobody', 'else']) expect(await steps(user)).to.be.above(remembered);
	});

	it('checks the hash again when the memory of it expires', async () => {
		expect(await login('right')).to.equal('admin');
		bench().clock.now += cacheTtlMilliseconds + 1;
		expect(await login('right')).to.equal('admin');
	});

	it('keeps no password in the store', async () => {
		const user = await bench().access.users.find('t1', 'user');
		expect(JSON.stringify(user)).to.not.include('right');
	});

	it('hashes a password anew, once, when hashes are to cost something else', async () => {
		const hashOf = async () => (await bench().access.users.find('t1', 'user'))?.passwordHash ?? '';
		const before = await hashOf();
		const hashCost = { memoryKibibytes: 8000, passes: 2 };
		const { users } = await bench().reopen({ limits: { ...accessSettings.limits, hashCost } });
		expect((await users.authenticate('t1', 'user', 'wrong', 'a')).ok).to.equal(false);
		expect(await hashOf()).to.equal(before);
		expect((await users.authenticate('t1', 'user', 'right', 'a')).ok).to.equal(true);
		const renewed = await hashOf();
		expect(renewed).to.match(/^\$argon2id\$v=19\$m=8000,t=2,p=1\$/);
		expect((await users.authenticate('t1', 'user', 'right', 'a')).ok).to.equal(true);
		expect(await hashOf()).to.equal(renewed);
		expect(await login('right')).to.equal('admin');
	});

	it('does not bring an old password back when hashing anew', async () => {
		const hashCost = { memoryKibibytes: 8000, passes: 2 };
		const { users } = await bench().reopen({ limits: { ...accessSettings.limits, hashCost } });
		bench().store.beforeBatch = async () => {
			bench().store.beforeBatch = () => undefined;
			await bench().access.users.set('t1', 'user', 'changed', 'admin');
		};
		await users.authenticate('t1', 'user', 'right', 'a');
		expect([await login('right'), await login('changed')]).to.deep.equal(['rejected', 'admin']);
	});

	describe('whose password is changed', () => {
		const change = (password: string, mustChange = false) =>
			bench().access.users.changePassword({ tenant: 't1', userName: 'user' }, password, { mustChange });

		it('are let in by the new one only', async () => {
			expect(await login('right')).to.equal('admin');
			await change('a new long secret');
			expect([await login('right'), await login('a new long secret')]).to.deep.equal(['rejected', 'admin']);
		});

		it('have to choose another one where somebody else did it, and then not again', async () => {
			const mustChange = async (password: string) => {
				const outcome = await bench().access.users.authenticate('t1', 'user', password, 'a');
				return outcome.ok && (outcome.principal.mustChangePassword ?? false);
			};
			await change('chosen by others', true);
			expect(await mustChange('chosen by others')).to.equal(true);
			await change('chosen by the user');
			expect(await mustChange('chosen by the user')).to.equal(false);
		});

		it('keep the old one when the new one is weak, or there is no such user', async () => {
			await expectRefusal(change('password1234'), 'access/weakPassword');
			await bench().access.users.remove('t1', 'user');
			await expectRefusal(change('a new long secret'), 'access/notFound');
			expect(await bench().access.users.find('t1', 'user')).to.equal(undefined);
		});
	});

	describe('of a provider', () => {
		const setExternal = (userName: string, role: Role = 'admin', identity = 'idp/1', access = bench().access) =>
			access.users.setExternal('t1', userName, role, identity);

		it('are made at the first login, and follow the role at each one', async () => {
			expect(await setExternal('ext')).to.include({ role: 'admin', identity: 'idp/1' });
			const made = await bench().access.users.find('t1', 'ext');
			expect(await setExternal('ext')).to.deep.equal(made);
			expect(await setExternal('ext', 'reader')).to.deep.include({
				role: 'reader',
				globalRoles: ['reader'],
				creationTime: made?.creationTime,
			});
		});

		it('are made once by processes that do it at once', async () => {
			const other = await bench().reopen();
			const made = await Promise.all([setExternal('ext'), setExternal('ext', 'admin', 'idp/1', other)]);
			expect(new Set(made.map((user) => user?.sessionsId)).size).to.equal(1);
		});

		it('are never users with a password, nor other people or of other providers', async () => {
			expect(await setExternal('user')).to.equal(undefined);
			expect(await login('right')).to.equal('admin');
			await setExternal('ext');
			for (const identity of ['idp/2', 'other/1']) expect(await setExternal('ext', 'admin', identity)).to.equal(undefined);
		});

		it('have no password that lets them in, or could be changed', async () => {
			await setExternal('ext');
			for (const password of ['', 'undefined', 'anything']) expect(await login(password, 'ext')).to.equal('rejected');
			const change = bench().access.users.changePassword({ tenant: 't1', userName: 'ext' }, 'a new long secret');
			await expectRefusal(change, 'access/notFound');
		});
	});
});
