import { expect } from 'chai';
import { type Operations, openOperations } from '../../../operations/index.ts';
import type { Step } from '../../../store/index.ts';
import { expectRefusal, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench } from './operations-bench.ts';

describe('operations/operation-heads', () => {
	const bench = useBench(openOperationsBench);

	/** The operations of another process on the same store. */
	async function otherProcess(numbersAtATime = 1): Promise<Operations> {
		const { store, inventory, clock } = bench();
		const limits = { operationMaxBytes: 2000, maxItems: 20 };
		return openOperations({ store, inventory, clock, limits, numbersAtATime, fault: () => undefined });
	}

	const isCreation = (steps: readonly Step[]) => steps.some((step) => step.collection === 'operations' && step.kind === 'insert');
	const restart = { c8y_Restart: {} };

	it('lets no operation appear behind a newer one of its agent: it gets another number', async () => {
		const { store, device } = bench();
		const mine = await device('dev1', { c8y_SupportedOperations: ['c8y_Restart'] });
		const [one, two] = [await otherProcess(), await otherProcess()];
		await one.create(tenant, { deviceId: mine, fragments: restart });
		let goOn = () => {};
		const isHeld = new Promise<void>((resolve) => {
			store.beforeBatch = (steps) => {
				if (!isCreation(steps)) return;
				store.beforeBatch = () => undefined;
				resolve();
				return new Promise((go) => (goOn = go));
			};
		});
		const heard: number[] = [];
		const end = one.watchPending(({ seq }) => heard.push(seq));
		const slow = one.create(tenant, { deviceId: mine, fragments: restart });
		await isHeld;
		const fast = await two.create(tenant, { deviceId: mine, fragments: restart });
		goOn();
		const late = await slow;
		expect(late.seq).to.be.above(fast.seq);
		expect(heard).to.deep.equal([fast.seq, late.seq]);
		expect(await two.newestNumber(tenant, mine)).to.equal(late.seq);
		end();
	});

	it('keeps the order for a process that has reserved older numbers', async () => {
		const { device } = bench();
		const mine = await device('dev1', { c8y_SupportedOperations: ['c8y_Restart'] });
		const [one, two] = [await otherProcess(5), await otherProcess(5)];
		const numbers: number[] = [];
		for (let i = 0; i < 12; i++) {
			numbers.push((await (i % 3 === 0 ? one : two).create(tenant, { deviceId: mine, fragments: restart })).seq);
		}
		expect(numbers).to.deep.equal([...new Set(numbers)].sort((a, b) => a - b));
	});

	it('leaves agents to themselves', async () => {
		const { operation, operations, device } = bench();
		const [mine, other] = [await device('s1'), await device('s2')];
		const { seq } = await operation(mine);
		expect([await operations.newestNumber(tenant, mine), await operations.newestNumber(tenant, other)]).to.deep.equal([seq, 0]);
	});

	it('costs one batch of three steps, also the first operation of an agent', async () => {
		const { store, operations, device } = bench();
		const mine = await device('dev1', { c8y_SupportedOperations: ['c8y_Restart'] });
		const sizes: number[] = [];
		store.beforeBatch = (steps) => void sizes.push(steps.length);
		for (let i = 0; i < 5; i++) await operations.create(tenant, { deviceId: mine, fragments: restart });
		expect(sizes).to.deep.equal([3, 3, 3, 3, 3]);
	});

	it('knows nothing of a device that is gone, nor creates for it', async () => {
		const { store, operation, operations, inventory, device } = bench();
		const mine = await device('dev1', { c8y_SupportedOperations: ['c8y_Restart'] });
		await operation(mine);
		await operations.forgetDevice(tenant, mine);
		expect(await operations.newestNumber(tenant, mine)).to.equal(0);
		store.beforeBatch = async (steps) => {
			if (!isCreation(steps)) return;
			store.beforeBatch = () => undefined;
			await inventory.objects.remove(tenant, mine, []);
		};
		await expectRefusal(operations.create(tenant, { deviceId: mine, fragments: restart }), 'inventory/notFound', mine);
	});
});
