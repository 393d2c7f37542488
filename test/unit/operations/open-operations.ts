import { expect } from 'chai';
import { expectRefusal, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench, receipt } from './operations-bench.ts';

const fragment = 'c8y_Restart';

describe('operations/operations open ones', () => {
	const bench = useBench(openOperationsBench);
	const statusesOf = async (ids: readonly { readonly id: string }[]) => {
		const all = await bench().operations.list(tenant, {}, { skip: 0, limit: 50, revert: false });
		return ids.map(({ id }) => all.find((operation) => operation.id === id)?.status);
	};

	it('finds the oldest EXECUTING one, else the oldest PENDING one, of the device with the fragment', async () => {
		const { operation, operations, device } = bench();
		const [mine, other] = [await device('mine'), await device('other')];
		await operation(other, 'EXECUTING');
		await operation(mine, 'EXECUTING', 'c8y_Other');
		expect(await operations.findOpen(tenant, mine, fragment)).to.equal(undefined);
		const pending = await operation(mine);
		await operation(mine);
		expect((await operations.findOpen(tenant, mine, fragment))?.id).to.equal(pending.id);
		const executing = await operation(mine, 'EXECUTING');
		await operation(mine, 'EXECUTING');
		expect((await operations.findOpen(tenant, mine, fragment))?.id).to.equal(executing.id);
		expect(await operations.findOpen('t2', mine, fragment)).to.equal(undefined);
	});

	it('changes what it finds by the table of statuses', async () => {
		const { operation, operations, device } = bench();
		const mine = await device();
		const made = await operation(mine);
		const executing = await operations.updateOpen(tenant, mine, fragment, { status: 'EXECUTING' }, receipt());
		expect(executing).to.include({ id: made.id, status: 'EXECUTING' });
		await expectRefusal(operations.updateOpen(tenant, mine, fragment, { status: 'PENDING' }, receipt()), 'operation/transition');
		const change = { status: 'FAILED', failureReason: 'full', description: 'd', fragments: { c8y_Result: { n: 1 } } } as const;
		const failed = await operations.updateOpen(tenant, mine, fragment, change, receipt());
		expect(failed).to.deep.include({ status: 'FAILED', failureReason: 'full', description: 'd' });
		expect(failed?.fragments).to.deep.equal({ c8y_Restart: {}, c8y_Result: { n: 1 } });
		expect(await operations.updateOpen(tenant, mine, fragment, change, receipt())).to.equal(undefined);
	});

	for (const status of ['EXECUTING', 'SUCCESSFUL'] as const) {
		it(`moves one to ${status}, and no further one when the publish is sent again`, async () => {
			const { operation, operations, device } = bench();
			const mine = await device();
			const made = [await operation(mine), await operation(mine)];
			await operations.updateOpen(tenant, mine, fragment, { status }, receipt('7/1'));
			expect(await operations.updateOpen(tenant, mine, fragment, { status }, receipt('7/1', true))).to.equal(undefined);
			expect(await statusesOf(made)).to.deep.equal([status, 'PENDING']);
		});
	}

	it('gives access to no more binaries when a device changes it', async () => {
		const { operation, operations, device } = bench();
		const mine = await device();
		const { id } = await operation(mine);
		const fragments = { c8y_Result: { url: '/inventory/binaries/77' } };
		await operations.updateOpen(tenant, mine, fragment, { fragments }, receipt());
		expect(await operations.isBinaryNamed(tenant, '77', mine)).to.equal(false);
		await operations.update(tenant, id, { fragments });
		expect(await operations.isBinaryNamed(tenant, '77', mine)).to.equal(true);
	});

	it('ends different ones when several report at once', async () => {
		const { operation, operations, device } = bench();
		const mine = await device();
		const made = await Promise.all(Array.from({ length: 5 }, () => operation(mine)));
		await Promise.all(made.map(() => operations.updateOpen(tenant, mine, fragment, { status: 'SUCCESSFUL' }, receipt())));
		expect(await statusesOf(made)).to.deep.equal(made.map(() => 'SUCCESSFUL'));
	});
});
