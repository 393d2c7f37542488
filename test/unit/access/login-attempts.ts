import { expect } from 'chai';
import { type AttemptLimits, createLoginAttempts, networkOf } from '../../../access/login-attempts.ts';
import { testClock } from '../inventory/inventory-bench.ts';

const limits: AttemptLimits = {
	failuresPerMinute: 3,
	failuresPerAddress: 6,
	failuresPerUser: 6,
	delayMilliseconds: 2000,
	delayedPerAddress: 2,
};

/** Attempts whose delays end when the test says so. */
function bench(more: Partial<AttemptLimits> = {}) {
	const clock = testClock();
	const delays: { readonly milliseconds: number; readonly end: () => void }[] = [];
	const pause = (milliseconds: number) => new Promise<void>((end) => void delays.push({ milliseconds, end }));
	const { run } = createLoginAttempts({ limits: { ...limits, ...more }, elapsed: clock, pause, maxEntries: 100 });
	const attempt = (address: string, user: string, isRight = false) => run(address, user, async () => isRight);
	return { clock, delays, run, attempt };
}

describe('access/login-attempts', () => {
	const guess = async (attempt: ReturnType<typeof bench>['attempt'], addresses: number, users: number, times: number) => {
		const outcomes: string[] = [];
		for (let i = 0; i < times; i++) outcomes.push(await attempt(`10.0.0.${i % addresses}`, `u${i % users}`));
		return outcomes;
	};

	it('refuses one user from one address after too many wrong passwords, for the rest of the minute', async () => {
		const { attempt, clock } = bench();
		expect(await guess(attempt, 1, 1, 4)).to.deep.equal(['wrong', 'wrong', 'wrong', 'throttled']);
		expect(await attempt('10.0.0.0', 'u0', true)).to.equal('throttled');
		expect(await attempt('10.0.0.1', 'u0', true)).to.equal('right');
		expect(await attempt('10.0.0.0', 'u1', true)).to.equal('right');
		clock.now += 60_000;
		expect(await attempt('10.0.0.0', 'u0', true)).to.equal('right');
	});

	it('remembers the beginning of a name that nobody can have', async () => {
		const { attempt } = bench();
		const endless = (end: string) => `t1/${'x'.repeat(10_000)}${end}`;
		for (const end of ['a', 'b', 'c']) expect(await attempt('10.0.0.1', endless(end))).to.equal('wrong');
		expect(await attempt('10.0.0.1', endless('d'))).to.equal('throttled');
	});

	it('does not let through more that come at once than one after another', async () => {
		const { run } = bench();
		let checked = 0;
		const check = async () => {
			checked++;
			await new Promise(setImmediate);
			return false;
		};
		const outcomes = await Promise.all(Array.from({ length: 50 }, () => run('10.0.0.1', 'u', check)));
		expect([checked, outcomes.filter((outcome) => outcome === 'throttled').length]).to.deep.equal([3, 47]);
	});

	it('lets through any number of right ones at once', async () => {
		const { attempt } = bench();
		const outcomes = await Promise.all(Array.from({ length: 50 }, () => attempt('10.0.0.1', 'u', true)));
		expect(new Set(outcomes)).to.deep.equal(new Set(['right']));
	});

	it('delays, and does not refuse, whoever comes from an address that guesses at many users', async () => {
		const { attempt, delays } = bench();
		await guess(attempt, 1, 6, 6);
		const right = attempt('10.0.0.0', 'somebody', true);
		await new Promise(setImmediate);
		expect(delays.map(({ milliseconds }) => milliseconds)).to.deep.equal([2000]);
		delays[0]?.end();
		expect(await right).to.equal('right');
		expect(await attempt('10.0.0.9', 'somebody', true)).to.equal('right');
	});

	it('delays, and does not refuse, a user whom many addresses guess at, wherever it comes from', async () => {
		const { attempt, delays } = bench();
		await guess(attempt, 6, 1, 6);
		const right = attempt('10.9.9.9', 'u0', true);
		await new Promise(setImmediate);
		expect(delays).to.have.length(1);
		delays[0]?.end();
		expect(await right).to.equal('right');
		expect(await attempt('10.0.0.0', 'u1', true)).to.equal('right');
	});

	it('refuses what an address has waiting beyond its bound, and nobody else', async () => {
		const { attempt, delays } = bench();
		await guess(attempt, 6, 1, 6);
		const waiting = ['10.9.9.9', '10.9.9.9'].map((address) => attempt(address, 'u0', true));
		await new Promise(setImmediate);
		expect(await attempt('10.9.9.9', 'u0', true)).to.equal('throttled');
		const other = attempt('10.8.8.8', 'u0', true);
		await new Promise(setImmediate);
		for (const { end } of delays) end();
		expect(await Promise.all([...waiting, other])).to.deep.equal(['right', 'right', 'right']);
	});

	it('takes no failure of a check for a wrong password', async () => {
		const { run, attempt } = bench();
		const fail = () => run('a', 'u', () => Promise.reject(new Error('store'))).catch((error: Error) => error.message);
		for (let i = 0; i < 5; i++) expect(await fail()).to.equal('store');
		expect(await attempt('a', 'u', true)).to.equal('right');
	});

	const networks: [address: string, network: string][] = [
		['10.0.0.1', '10.0.0.1'],
		['::ffff:10.0.0.1', '10.0.0.1'],
		['::FFFF:10.0.0.1', '10.0.0.1'],
		['::ffff:7f00:1', '127.0.0.1'],
		['0:0:0:0:0:ffff:a00:1', '10.0.0.1'],
		['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
		['2001:db8:1:2::6', '2001:db8:1:2::/64'],
		['2001:db8::6', '2001:db8:0:0::/64'],
		['2001:0DB8::6', '2001:db8:0:0::/64'],
		['::1', '0:0:0:0::/64'],
		['fe80::1%eth0', 'fe80:0:0:0::/64'],
		['fe80::1%br-lan.100', 'fe80:0:0:0::/64'],
		['2001:db8::6::7', '2001:db8::6::7'],
		['', ''],
		['nonsense', 'nonsense'],
	];
	for (const [address, network] of networks)
		it(`counts '${address}' as '${network}'`, () => expect(networkOf(address)).to.equal(network));
});
