import { expect } from 'chai';
import { drainSessions } from '../../../../service/mqtt/drain.ts';
import type { Session } from '../../../../service/mqtt/session.ts';

describe('service/mqtt/drain', () => {
	const elapsed = () => performance.now();

	function sessions(count: number, onClose: (session: Session) => void): Session[] {
		return Array.from({ length: count }, (_, i) => {
			const session: Session = {
				principal: { tenant: 't1', userName: 'u', role: 'admin' },
				serial: `s${i}`,
				host: '',
				subscriptions: new Map(),
				closed: false,
				connection: {
					publish: () => {},
					answer: () => {},
					isFull: () => false,
					room: async () => {},
					close: () => {
						session.closed = true;
						onClose(session);
					},
				},
			};
			return session;
		});
	}

	it('closes connections at the pace that is asked for', async () => {
		const closed: number[] = [];
		const began = elapsed();
		const all = sessions(30, () => closed.push(elapsed() - began));
		await drainSessions({ sessions: all, idleOf: () => undefined, perSecond: 100, withinMilliseconds: 5000, elapsed });
		expect(closed).to.have.length(30);
		for (const [index, time] of closed.entries()) expect(index + 1).to.be.at.most(Math.ceil((time + 51) * 0.1));
	});

	it('closes them faster where they would not be closed in time', async () => {
		const began = elapsed();
		const all = sessions(1000, () => {});
		await drainSessions({ sessions: all, idleOf: () => undefined, perSecond: 1, withinMilliseconds: 200, elapsed });
		expect(all.filter(({ closed }) => !closed)).to.have.length(0);
		expect(elapsed() - began).to.be.below(2000);
	});

	it('closes a connection when its messages are handled, and waits no longer than there is time', async () => {
		let handled = () => {};
		const [busy, stuck, idle] = sessions(3, () => {});
		if (!busy || !stuck || !idle) throw new Error('three were made');
		const waits = new Map([
			[busy, new Promise<void>((resolve) => (handled = resolve))],
			[stuck, new Promise<void>(() => {})],
		]);
		const all = [busy, stuck, idle];
		const draining = drainSessions({
			sessions: all,
			idleOf: (session) => waits.get(session),
			perSecond: 1000,
			withinMilliseconds: 100,
			elapsed,
		});
		await new Promise(setImmediate);
		expect([busy.closed, idle.closed]).to.deep.equal([false, true]);
		handled();
		await draining;
		expect([busy.closed, stuck.closed]).to.deep.equal([true, false]);
	});
});
