import { expect } from 'chai';
import { createScanGate } from '../../../../service/http/scan-gate.ts';

describe('service/http/scan-gate', () => {
	const present = new AbortController().signal;
	const goneFrom = (reason: string) => AbortSignal.abort(new Error(reason));

	/** Work that ends when it is told to, and notes that it has begun. */
	function bench(atOnce = 1, waitingPerUser = 2) {
		const gate = createScanGate({ atOnce, waitingPerUser });
		const begun: string[] = [];
		const ends = new Map<string, () => void>();
		const start = (user: string, name: string, signal = present) =>
			gate.run(user, signal, () => {
				begun.push(name);
				return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
			});
		const end = async (name: string): Promise<void> => {
			ends.get(name)?.();
			await new Promise((resolve) => setImmediate(resolve));
		};
		return { start, end, begun };
	}

	it('lets users in turn, whoever asked for how much', async () => {
		const { start, end, begun } = bench();
		const all = [start('a', 'a1'), start('a', 'a2'), start('a', 'a3'), start('b', 'b1')];
		for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
		expect(begun).to.deep.equal(['a1', 'a2', 'b1', 'a3']);
		expect(await Promise.all(all)).to.deep.equal(['a1', 'a2', 'a3', 'b1']);
	});

	it('runs as many at a time as allowed', async () => {
		const { start, end, begun } = bench(2);
		const all = ['1', '2', '3'].map((name) => start('a', name));
		expect(begun).to.deep.equal(['1', '2']);
		await end('2');
		expect(begun).to.deep.equal(['1', '2', '3']);
		await end('1');
		await end('3');
		await Promise.all(all);
	});

	it('refuses what exceeds the line of one user, and not of others', async () => {
		const { start, end } = bench();
		const all = [start('a', 'a1'), start('a', 'a2'), start('a', 'a3'), start('b', 'b1')];
		const refused = await start('a', 'a4').catch((error: Error) => error.message);
		expect(refused).to.match(/2 searches of this user wait already/);
		for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
		await Promise.all(all);
	});

	it('does not begin what nobody waits for any more, and goes on after a failure', async () => {
		const { start, end, begun } = bench();
		const first = start('a', 'a1');
		const gone = start('a', 'a2', goneFrom('given up')).catch((error: Error) => error.message);
		const last = start('b', 'b1');
		await end('a1');
		expect(begun).to.deep.equal(['a1', 'b1']);
		expect(await gone).to.match(/given up/);
		await end('b1');
		await Promise.all([first, last]);
		const gate = createScanGate({ atOnce: 1, waitingPerUser: 1 });
		const failed = await gate.run('a', present, () => Promise.reject(new Error('broken'))).catch((error: Error) => error.message);
		expect(failed).to.equal('broken');
		expect(await gate.run('a', present, async () => 'fine')).to.equal('fine');
	});

	it('does not count among those who wait whoever has given up', async () => {
		const { start, end, begun } = bench();
		const first = start('a', 'a1');
		const clients = [new AbortController(), new AbortController()];
		const gone = clients.map(({ signal }, index) => start('a', `gone ${index}`, signal).catch((error: Error) => error.message));
		for (const client of clients) client.abort(new Error('given up'));
		const last = start('a', 'a2');
		expect(await Promise.all(gone)).to.deep.equal(['given up', 'given up']);
		await end('a1');
		expect(begun).to.deep.equal(['a1', 'a2']);
		await end('a2');
		expect(await Promise.all([first, last])).to.deep.equal(['a1', 'a2']);
	});

	it('lets nobody in between one who ends and the one who follows', async () => {
		const gate = createScanGate({ atOnce: 1, waitingPerUser: 100 });
		let running = 0;
		let most = 0;
		const during = (wait: Promise<unknown>) => async () => {
			most = Math.max(most, ++running);
			await wait;
			running--;
		};
		let end = () => {};
		const first = new Promise<void>((resolve) => {
			end = resolve;
		});
		const work = during(new Promise((resolve) => setImmediate(resolve)));
		const all = [gate.run('a', present, during(first)), gate.run('b', present, work)];
		end();
		// One asks at every step that the first one takes to its end.
		for (let step = 0; step < 20; step++) {
			all.push(gate.run('c', present, work));
			await undefined;
		}
		await Promise.all(all);
		expect(most).to.equal(1);
	});

	it('tells the work when nobody waits for it any more', async () => {
		const gate = createScanGate({ atOnce: 1, waitingPerUser: 1 });
		const client = new AbortController();
		const ended = gate.run('a', client.signal, async (signal) => {
			client.abort(new Error('given up'));
			signal.throwIfAborted();
		});
		expect(await ended.catch((error: Error) => error.message)).to.equal('given up');
		expect(await gate.run('a', present, async () => 'fine')).to.equal('fine');
	});
});
