import { expect } from 'chai';
import { createPatience } from '../../../../service/mqtt/patience.ts';
import type { IncomingPublish } from '../../../../service/mqtt/session.ts';
import { createStoreWaits } from '../../../../service/mqtt/store-waits.ts';
import { DocumentRefusedError, DuplicateKeyError, StoreError } from '../../../../store/index.ts';
import { openGatewayBench } from '../gateway-bench.ts';

describe('service/mqtt/patience', () => {
	it('tries a turn again until the store can write, and marks it as tried before', async () => {
		const { session, publish, run, tries, waits } = await open([new StoreError('full'), new StoreError('full')]);
		await run();
		expect(tries).to.deep.equal([undefined, true, true]);
		expect(waits).to.deep.equal(['full', 'full']);
		expect(publish.retried).to.equal(true);
		expect(session.closed).to.equal(false);
	});

	for (const [what, error] of [
		['a fault of the code', new TypeError('x is undefined')],
		['a taken key', new DuplicateKeyError('taken')],
		['a document that can never be held', new DocumentRefusedError('too large')],
	] as const) {
		it(`does not wait for ${what}`, async () => {
			const { run, tries } = await open([error]);
			expect(await run().catch((thrown: unknown) => thrown)).to.equal(error);
			expect(tries).to.have.length(1);
		});
	}

	it('gives up when its time has passed', async () => {
		const full = new StoreError('full');
		const { run, tries, at } = await open([full, full, full, full], 250, () => {
			at.now += 100;
		});
		expect(await run().catch((thrown: unknown) => thrown)).to.equal(full);
		expect(tries).to.have.length(2);
	});

	it('asks before each attempt whether the turn is still its business', async () => {
		const { session, publish, patience, tries } = await open([new StoreError('full')]);
		const answers = [undefined, new Error('served elsewhere')];
		const check = () => {
			const answer = answers.shift();
			if (answer) throw answer;
		};
		const failed = await patience.handlePatiently(session, [publish], check).catch((thrown: Error) => thrown.message);
		expect(failed).to.equal('served elsewhere');
		expect(tries).to.have.length(1);
	});

	it('tries once more, and then no longer, when the service stops', async () => {
		const full = new StoreError('full');
		const { run, tries, storeWaits, waiting } = await open([full, full, full], 3_600_000);
		const running = run().catch((thrown: unknown) => thrown);
		await waiting;
		storeWaits.end();
		expect(await running).to.equal(full);
		expect(tries).to.have.length(2);
	});

	it('does what was reported once, whether or not the store had done it before it failed', async () => {
		const bench = await openGatewayBench();
		const session = bench.session();
		await bench.publish(session, '114,c8y_Restart');
		const { id } = await bench.object('dev1');
		const first = await bench.operation(id);
		const second = await bench.operation(id);
		// At QoS 0, so that no packet id tells it from another one.
		const report: IncomingPublish = {
			topic: 's/us',
			payload: Buffer.from('501,c8y_Restart'),
			messageId: 0,
			redelivered: false,
			done: () => undefined,
		};
		await bench.gateway.handleTurn(session, [report]);
		report.retried = true;
		await bench.gateway.handleTurn(session, [report]);
		const statusOf = async ({ tenant, id: operation }: typeof first) => (await bench.operations.get(tenant, operation)).status;
		expect([await statusOf(first), await statusOf(second)]).to.deep.equal(['EXECUTING', 'PENDING']);
		expect(bench.lines(session, 's/e')).to.deep.equal([]);
		await bench.gateway.handleTurn(session, [{ ...report, arrival: 'another', retried: true }]);
		expect(await statusOf(second), 'another arrival').to.equal('EXECUTING');
	});
});

/** A turn that fails with these errors, one a try, and then succeeds. */
async function open(errors: Error[], limitMilliseconds = 60_000, onTry: () => void = () => undefined) {
	const tries: (boolean | undefined)[] = [];
	const waits: string[] = [];
	const at = { now: 0 };
	let noteWaiting: () => void = () => undefined;
	const waiting = new Promise<void>((resolve) => {
		noteWaiting = resolve;
	});
	const storeWaits = createStoreWaits({ chance: () => 1, onWait: () => undefined });
	const patience = createPatience({
		waits: storeWaits,
		handle: async (_session, turn) => {
			tries.push(turn[0]?.retried);
			onTry();
			const error = errors.shift();
			if (error) throw error;
		},
		unlessSilent: (work) => work(),
		elapsed: () => at.now,
		limitMilliseconds,
		onWait: (_session, { message }) => {
			waits.push(message);
			noteWaiting();
		},
	});
	const { session: openSession } = await openGatewayBench();
	const session = openSession();
	const publish: IncomingPublish = {
		topic: 's/us',
		payload: Buffer.from('125'),
		messageId: 1,
		redelivered: false,
		done: () => undefined,
	};
	return {
		session,
		publish,
		patience,
		storeWaits,
		tries,
		waits,
		waiting,
		at,
		run: () => patience.handlePatiently(session, [publish]),
	};
}
