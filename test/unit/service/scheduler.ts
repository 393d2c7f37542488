import { expect } from 'chai';
import { pino } from 'pino';
import { type Job, startScheduler } from '../../../service/scheduler.ts';

describe('service/scheduler', () => {
	// The clock is the test's own: what was asked for runs when the test says that its time has come.
	const real = { setInterval: globalThis.setInterval, clearInterval: globalThis.clearInterval };
	const timers = new Map<object, { readonly every: number; readonly run: () => void; passed: number }>();
	beforeEach(() => {
		timers.clear();
		const setFake = (run: () => void, every: number) => {
			const timer = { unref: () => timer };
			timers.set(timer, { every, run, passed: 0 });
			return timer;
		};
		Object.assign(globalThis, { setInterval: setFake, clearInterval: (timer: object) => timers.delete(timer) });
	});
	afterEach(() => Object.assign(globalThis, real));

	const logged: string[] = [];
	const log = pino({ base: undefined }, { write: (line: string) => logged.push(line) });
	const settled = () => new Promise(setImmediate);
	async function tick(milliseconds: number): Promise<void> {
		for (const timer of timers.values()) {
			timer.passed += milliseconds;
			for (; timer.passed >= timer.every; timer.passed -= timer.every) timer.run();
		}
		await settled();
	}
	function start(...jobs: Job[]) {
		logged.length = 0;
		return startScheduler(jobs, log);
	}

	it('runs each job in its own time, not at once', async () => {
		const ran: string[] = [];
		const { stop } = start(
			{ name: 'a', everyMilliseconds: 10, run: () => void ran.push('a') },
			{ name: 'b', everyMilliseconds: 20, run: () => void ran.push('b') },
		);
		await settled();
		expect(ran).to.deep.equal([]);
		await tick(10);
		await tick(10);
		expect(ran.sort()).to.deep.equal(['a', 'a', 'b']);
		stop();
	});

	it('runs what only one of all processes may do while this one is the leader', async () => {
		const ran: string[] = [];
		let isLeader = false;
		const jobs = [
			{ name: 'one', everyMilliseconds: 10, once: true, run: () => void ran.push('one') },
			{ name: 'all', everyMilliseconds: 10, run: () => void ran.push('all') },
		];
		const { stop } = startScheduler(jobs, log, () => isLeader);
		await tick(10);
		expect(ran).to.deep.equal(['all']);
		isLeader = true;
		await tick(10);
		expect(ran.slice(1).sort()).to.deep.equal(['all', 'one']);
		stop();
	});

	it('runs no job twice at a time', async () => {
		let running = 0;
		let end = () => {};
		const run = () =>
			new Promise<void>((resolve) => {
				running++;
				end = resolve;
			});
		const { stop } = start({ name: 'slow', everyMilliseconds: 10, run });
		await tick(10);
		await tick(10);
		expect(running).to.equal(1);
		end();
		await settled();
		await tick(10);
		expect(running).to.equal(2);
		stop();
	});

	for (const [title, fail] of [
		[
			'throws',
			() => {
				throw new Error('broken');
			},
		],
		['rejects', () => Promise.reject(new Error('broken'))],
	] as const) {
		it(`says that a job failed that ${title}, and tries again`, async () => {
			let runs = 0;
			const { stop } = start({
				name: 'bad',
				everyMilliseconds: 10,
				run: () => {
					runs++;
					return fail();
				},
			});
			await tick(10);
			await tick(10);
			expect(runs).to.equal(2);
			expect(logged).to.have.length(2);
			expect(logged[0]).to.include('"job":"bad"').and.include('broken');
			stop();
		});
	}

	it('runs nothing after it is stopped', async () => {
		let runs = 0;
		const { stop } = start({ name: 'a', everyMilliseconds: 10, run: () => void runs++ });
		stop();
		await tick(100);
		expect(runs).to.equal(0);
	});
});
