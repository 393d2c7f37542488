import { expect } from 'chai';
import { pino } from 'pino';
import type { Operation, Operations } from '../../../../operations/index.ts';
import { createMetrics } from '../../../../service/metrics.ts';
import { createOutbound } from '../../../../service/mqtt/outbound.ts';
import { createStoreWaits, type StoreWaits } from '../../../../service/mqtt/store-waits.ts';
import { StoreError } from '../../../../store/index.ts';
import { eventually } from '../../../support/eventually.ts';
import { tenant, useBench } from '../../inventory/inventory-bench.ts';
import { type FakeSession, idle, openGatewayBench, windowSize } from '../gateway-bench.ts';

const topic = 'devicecontrol/notifications';

describe('service/mqtt/outbound', () => {
	const bench = useBench(openGatewayBench);
	const outbound = () => bench().gateway.outbound;
	const ids = ({ sent }: FakeSession, on = topic) =>
		sent.filter((message) => message.topic === on).map(({ payload }) => Number(JSON.parse(payload).id));
	const seqs = (operations: readonly Operation[]) => operations.map(({ seq }) => seq);

	/** What another outbound on the same operations is made of. */
	const parts = () => ({
		...bench(),
		customOperations: { toLines: async () => undefined },
		metrics: createMetrics(),
		log: pino({ level: 'silent' }),
		waits: openWaits(() => undefined),
		window: windowSize,
	});
	const opened: StoreWaits[] = [];
	afterEach(() => {
		for (const waits of opened.splice(0)) waits.end();
	});
	function openWaits(onWait: (error: Error) => void): StoreWaits {
		const waits = createStoreWaits({ chance: () => 0, onWait });
		opened.push(waits);
		return waits;
	}

	async function connect(options: { acknowledges?: boolean } = {}): Promise<FakeSession> {
		const session = bench().session('dev1', { topics: [topic, 's/ds'] });
		session.acknowledges = options.acknowledges ?? true;
		session.device = await bench().device('dev1');
		return session;
	}
	async function create(count: number): Promise<Operation[]> {
		const device = await bench().device('dev1');
		const made: Operation[] = [];
		for (let i = 0; i < count; i++) made.push(await bench().operation(device));
		return made;
	}

	it('sends what is pending when the device subscribes, oldest first, one a message, and notes the delivery', async () => {
		const made = await create(3);
		const session = await connect();
		outbound().subscribed(session, topic, 1);
		await session.received(3);
		await idle(bench());
		expect(ids(session)).to.deep.equal(seqs(made));
		for (const { id } of made) {
			const read = () => bench().operations.get(tenant, id);
			await eventually('the delivery is noted', read, ({ delivery }) => delivery.status === 'DELIVERED');
		}
	});

	it('sends both forms to a device that listens to both, and nothing on other topics', async () => {
		const [made] = await create(1);
		const session = await connect();
		for (const each of [topic, 's/ds', 's/e', 's/dat']) outbound().subscribed(session, each, 0);
		await session.received(2);
		await idle(bench());
		expect(session.sent.map((sent) => [sent.topic, sent.qos]).sort()).to.deep.equal([
			[topic, 0],
			['s/ds', 0],
		]);
		expect(bench().lines(session, 's/ds')).to.deep.equal(['510,dev1']);
		expect(ids(session)).to.deep.equal(seqs(made ? [made] : []));
	});

	it('sends a new operation at once, once, and what is not pending never', async () => {
		const session = await connect();
		await bench().operation(await bench().device('dev1'), 'EXECUTING');
		outbound().subscribed(session, topic, 1);
		await idle(bench());
		const made = await create(2);
		await session.received(2);
		outbound().sweepAll();
		await idle(bench());
		expect(ids(session)).to.deep.equal(seqs(made));
	});

	it('sends nothing before the device is known, and everything then', async () => {
		const made = await create(1);
		const session = await connect();
		const device = session.device;
		delete session.device;
		outbound().subscribed(session, topic, 1);
		outbound().sweepAll();
		await idle(bench());
		expect(session.sent).to.deep.equal([]);
		if (device) session.device = device;
		outbound().knownDevice(session);
		await session.received(1);
		expect(ids(session)).to.deep.equal(seqs(made));
	});

	it('sends everything pending again when the device asks, in order', async () => {
		const made = await create(3);
		const session = await connect();
		outbound().subscribed(session, topic, 1);
		await session.received(3);
		for (const { id } of made.slice(1, 2)) await bench().operations.update(tenant, id, { status: 'EXECUTING' });
		outbound().resend(session);
		await session.received(5);
		await idle(bench());
		expect(ids(session).slice(3)).to.deep.equal([made[0]?.seq, made[2]?.seq]);
	});

	it('never has more under way than the window, on both topics together', async () => {
		await create(6);
		const session = await connect({ acknowledges: false });
		outbound().subscribed(session, topic, 1);
		outbound().subscribed(session, 's/ds', 1);
		for (let acknowledged = 0; acknowledged < 12; acknowledged++) {
			await idle(bench());
			const underWay = session.sent.length - acknowledged;
			expect(underWay).to.equal(Math.min(windowSize, 12 - acknowledged));
			session.sent[acknowledged]?.done(true);
		}
		await idle(bench());
		expect(session.sent).to.have.length(12);
	});

	it('keeps the order of more than a page, with new ones arriving while it looks, and repeats none', async () => {
		const early = await create(120);
		const session = await connect({ acknowledges: false });
		outbound().subscribed(session, topic, 1);
		const late: Operation[] = [];
		let acknowledged = 0;
		while (acknowledged < 125) {
			await session.received(acknowledged + 1);
			if (late.length < 5 && acknowledged % 10 === 3) late.push(...(await create(1)));
			session.sent[acknowledged++]?.done(true);
		}
		outbound().sweepAll();
		await idle(bench());
		expect(ids(session)).to.deep.equal(seqs([...early, ...late]));
	});

	it('does not send what was called off while it waited, whether it waited first or behind others', async () => {
		const made = await create(6);
		const session = await connect({ acknowledges: false });
		outbound().subscribed(session, topic, 1);
		await session.received(windowSize);
		await idle(bench());
		for (const { id } of made.slice(2, 5)) await bench().operations.update(tenant, id, { status: 'FAILED' });
		for (const { done } of [...session.sent]) done(true);
		await session.received(3);
		await idle(bench());
		expect(ids(session)).to.deep.equal(seqs([made[0], made[1], made[5]].filter((each) => each !== undefined)));
	});

	it('lets the other topic go on when what waited for room was called off', async () => {
		const session = await connect({ acknowledges: false });
		const device = await bench().device('dev1');
		const first = await bench().operations.create(tenant, { deviceId: device, fragments: { x_Custom: 1 } });
		const second = await bench().operations.create(tenant, { deviceId: device, fragments: { x_Custom: 2 } });
		outbound().subscribed(session, topic, 1);
		await session.received(windowSize);
		// Both topics now wait for room.
		const third = await bench().operation(device);
		outbound().subscribed(session, 's/ds', 1);
		await idle(bench());
		await bench().operations.update(tenant, third.id, { status: 'FAILED' });
		const fourth = await bench().operation(device);
		for (const { done } of [...session.sent]) done(true);
		await session.received(4);
		await idle(bench());
		expect(ids(session)).to.deep.equal(seqs([first, second, fourth]));
		expect(bench().lines(session, 's/ds')).to.deep.equal(['510,dev1']);
	});

	it('sends again after a subscription is repeated, and nothing after it is ended', async () => {
		const made = await create(1);
		const session = await connect();
		outbound().subscribed(session, topic, 1);
		await session.received(1);
		outbound().subscribed(session, topic, 1);
		await session.received(2);
		outbound().unsubscribed(session, topic);
		await create(1);
		outbound().sweepAll();
		await idle(bench());
		expect(ids(session)).to.deep.equal([...seqs(made), ...seqs(made)]);
	});

	it('forgets a session that is closed, also one that waits for room', async () => {
		await create(4);
		const session = await connect({ acknowledges: false });
		outbound().subscribed(session, topic, 1);
		await session.received(windowSize);
		await idle(bench());
		session.closed = true;
		outbound().closed(session);
		for (const { done } of [...session.sent]) done(false);
		await create(1);
		outbound().sweepAll();
		await idle(bench());
		expect(session.sent).to.have.length(windowSize);
		for (const { delivery } of await bench().operations.list(tenant, {}, { skip: 0, limit: 9, revert: false }))
			expect(delivery.status).to.equal('PENDING');
	});

	it('is asked again however close to the end of a look a 500 comes', async () => {
		for (let turns = 0; turns < 8; turns++) {
			const session = await connect();
			const look = bench().operations.listPending(tenant, await bench().device('dev1'), 0, 5);
			outbound().subscribed(session, topic, 1);
			await look;
			for (let i = 0; i < turns; i++) await Promise.resolve();
			const [made] = await create(1);
			outbound().resend(session);
			await session.received(1);
			await idle(bench());
			expect(ids(session)).to.include(made?.seq);
			outbound().closed(session);
			await bench().operations.removeMatching(tenant, {});
		}
	});

	it('asks the store for a few feeds at a time, and never in two sweeps at once', async () => {
		const sessions: FakeSession[] = [];
		for (let number = 0; number < 30; number++) {
			const session = bench().session(`dev${number}`, { topics: [topic] });
			session.device = await bench().device(`dev${number}`);
			outbound().subscribed(session, topic, 1);
			sessions.push(session);
		}
		await idle(bench());
		const { operations } = bench();
		const listPending = operations.listPending;
		let asked = 0;
		let atOnce = 0;
		let most = 0;
		Object.assign(operations, {
			async listPending(...given: Parameters<typeof listPending>) {
				asked++;
				most = Math.max(most, ++atOnce);
				await new Promise(setImmediate);
				const found = await listPending(...given);
				atOnce--;
				return found;
			},
		});
		await Promise.all([outbound().sweepAll(), outbound().sweepAll()]);
		expect([asked, most]).to.deep.equal([30, 8]);
		await outbound().sweepAll();
		expect(asked).to.equal(60);
		expect(sessions.flatMap(({ cutOff }) => cutOff)).to.deep.equal([]);
	});

	it('finds in a sweep what no wake-up was heard of', async () => {
		const session = await connect();
		outbound().subscribed(session, topic, 1);
		await idle(bench());
		outbound().close();
		const made = await create(2);
		await outbound().sweepAll();
		await session.received(2);
		expect(ids(session)).to.deep.equal(seqs(made));
	});

	it('notes a delivery with the next ones when it could not be stored', async () => {
		const session = await connect();
		const { operations } = bench();
		const setDelivered = operations.setDelivered;
		const failed: string[] = [];
		Object.assign(operations, {
			async setDelivered(...[, id]: Parameters<typeof setDelivered>) {
				failed.push(id);
				throw new Error('the store is busy');
			},
		});
		const [first] = await create(1);
		outbound().subscribed(session, topic, 1);
		await eventually(
			'the first attempt fails',
			() => failed.length,
			(count) => count > 0,
		);
		Object.assign(operations, { setDelivered });
		const [second] = await create(1);
		for (const id of [first?.id, second?.id]) {
			if (!id) throw new Error('no operation');
			const read = () => operations.get(tenant, id);
			await eventually('the delivery is noted', read, ({ delivery }) => delivery.status === 'DELIVERED');
		}
	});

	it('sends no operation while the connection is full, and goes on in order', async () => {
		const made = await create(2);
		const session = await connect();
		session.full = true;
		outbound().subscribed(session, topic, 1);
		await idle(bench());
		expect(session.sent).to.deep.equal([]);
		for (const { id } of made.slice(0, 1)) await bench().operations.update(tenant, id, { status: 'FAILED' });
		const [late] = await create(1);
		session.full = false;
		for (const go of session.onRoom.splice(0)) go();
		await session.received(2);
		await idle(bench());
		expect(ids(session)).to.deep.equal([made[1]?.seq, late?.seq]);
	});

	describe('when the store fails', () => {
		/** A second outbound, whose first looks at the store fail, and which waits as long as the test wants. */
		function failing(errors: Error[]) {
			const faults: string[] = [];
			const operations = {
				...bench().operations,
				listPending: async (...what: Parameters<Operations['listPending']>) => {
					const error = errors.shift();
					if (error) throw error;
					return bench().operations.listPending(...what);
				},
			};
			const waits = openWaits(({ message }) => faults.push(message));
			const own = createOutbound({ ...parts(), operations, waits });
			return { own, faults, waits };
		}

		it('looks again until it answers, and then delivers in order, once', async () => {
			const made = await create(3);
			const session = await connect();
			const { own, faults } = failing([new StoreError('away'), new StoreError('away still')]);
			own.subscribed(session, topic, 1);
			const [late] = await create(1);
			await session.received(4);
			await own.sweepAll();
			await idle(bench());
			expect(ids(session)).to.deep.equal([...made, late].map((each) => each?.seq));
			expect(faults).to.deep.equal(['away', 'away still']);
			expect(session.cutOff).to.deep.equal([]);
			own.close();
		});

		it('cuts the connection off for what does not pass', async () => {
			await create(1);
			const session = await connect();
			const { own } = failing([new TypeError('x is undefined')]);
			own.subscribed(session, topic, 1);
			await idle(bench());
			expect(session.cutOff).to.deep.equal(['operations could not be delivered']);
			own.close();
		});

		it('leaves a session that has ended alone, and waits no longer when the service stops', async () => {
			await create(1);
			const [session, other] = [await connect(), await connect()];
			const { own, faults, waits } = failing(Array.from({ length: 20 }, () => new StoreError('away')));
			own.subscribed(session, topic, 1);
			own.subscribed(other, topic, 1);
			await idle(bench());
			session.closed = true;
			own.closed(session);
			waits.end();
			await idle(bench());
			expect(faults.length).to.be.at.least(2);
			expect(session.cutOff).to.deep.equal([]);
			expect(other.cutOff).to.deep.equal(['operations could not be delivered']);
			own.close();
		});
	});

	it('keeps quiet after it is closed', async () => {
		const session = await connect();
		outbound().subscribed(session, topic, 1);
		await idle(bench());
		outbound().close();
		await create(1);
		await idle(bench());
		expect(session.sent).to.deep.equal([]);
	});

	describe('whatever wake-ups come', () => {
		/** A second outbound on the same operations, whose wake-ups the test brings. */
		function deaf() {
			let onGap = () => {};
			let wake: (operation: Operation) => void = () => {};
			const operations = {
				...bench().operations,
				watchPending(listener: (operation: Operation) => void, gap: () => void = () => {}) {
					wake = listener;
					onGap = gap;
					return () => undefined;
				},
			};
			const own = createOutbound({ ...parts(), operations });
			return { own, wake: (made: readonly Operation[]) => made.forEach(wake), gap: () => onGap() };
		}

		it('sends in order, once, what they bring in another order, twice, and beside a sweep', async () => {
			const { own, wake } = deaf();
			const session = await connect({ acknowledges: false });
			own.subscribed(session, topic, 1);
			await idle(bench());
			const made = await create(6);
			wake(made.slice(0, windowSize));
			await session.received(windowSize);
			wake([...made.slice(windowSize).reverse(), ...made]);
			const sweeping = own.sweepAll();
			wake([...made].reverse());
			await sweeping;
			session.acknowledges = true;
			for (const { done } of [...session.sent]) done(true);
			await session.received(6);
			await idle(bench());
			expect(ids(session)).to.deep.equal(seqs(made));
			own.close();
		});

		it('sends nothing again that was done before the device came, however late it is told', async () => {
			const { own, wake } = deaf();
			const made = await create(3);
			for (const { id } of made.slice(0, 2)) await bench().operations.update(tenant, id, { status: 'SUCCESSFUL' });
			const session = await connect();
			own.subscribed(session, topic, 1);
			await session.received(1);
			await idle(bench());
			wake(made);
			await idle(bench());
			expect(ids(session)).to.deep.equal(seqs(made.slice(2)));
			own.close();
		});

		it('sends what was missed before what is told after a gap', async () => {
			const { own, wake, gap } = deaf();
			const session = await connect();
			own.subscribed(session, topic, 1);
			await idle(bench());
			const made = await create(4);
			gap();
			wake(made.slice(3));
			await session.received(4);
			expect(ids(session)).to.deep.equal(seqs(made));
			own.close();
		});
	});
});
