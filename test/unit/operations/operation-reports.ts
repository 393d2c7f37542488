import { expect } from 'chai';
import { expectRefusal, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench, receipt } from './operations-bench.ts';

const hour = 3600 * 1000;

describe('operations/operation-reports', () => {
	const bench = useBench(openOperationsBench);
	const start = (device: Awaited<ReturnType<ReturnType<typeof bench>['device']>>, as = receipt(), fragment = 'c8y_Restart') =>
		bench().operations.startOldest(tenant, device, fragment, as);
	const end = (device: Parameters<typeof start>[0], as = receipt(), fragment = 'c8y_Restart') =>
		bench().operations.endOldest(tenant, device, fragment, { status: 'SUCCESSFUL' }, as);
	const statuses = async () =>
		(await bench().operations.list(tenant, {}, { skip: 0, limit: 50, revert: false })).map(({ status }) => status);

	it('takes the oldest with the fragment, of that device', async () => {
		const { operation, device } = bench();
		const [mine, other] = [await device('s1'), await device('s2')];
		await operation(other);
		const first = await operation(mine);
		await operation(mine, 'PENDING', 'x_Custom');
		const third = await operation(mine);
		expect((await start(mine))?.id).to.equal(first.id);
		expect((await start(mine))?.id).to.equal(third.id);
		expect(await start(mine)).to.equal(undefined);
		expect((await end(mine))?.id).to.equal(first.id);
		expect((await end(mine))?.id).to.equal(third.id);
		expect(await end(mine)).to.equal(undefined);
		expect(await statuses()).to.deep.equal(['PENDING', 'SUCCESSFUL', 'PENDING', 'SUCCESSFUL']);
	});

	it('lets exactly one of two callers at once start, and end, an operation', async () => {
		const { operation, device } = bench();
		const mine = await device();
		await operation(mine);
		const started = await Promise.all([start(mine), start(mine), start(mine)]);
		expect(started.filter(Boolean)).to.have.length(1);
		const ended = await Promise.all([end(mine), end(mine)]);
		expect(ended.filter(Boolean)).to.have.length(1);
	});

	it('lets one of two ends by id win, and refuses the other', async () => {
		const { operations, operation, device } = bench();
		const mine = await device();
		const { id } = await operation(mine, 'EXECUTING');
		const outcomes = await Promise.allSettled([
			operations.report(tenant, mine, id, { status: 'SUCCESSFUL' }),
			operations.report(tenant, mine, id, { status: 'FAILED', failureReason: 'r' }),
		]);
		expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
	});

	it('does not start the next operation for a report that is sent again', async () => {
		const { operation, device } = bench();
		const mine = await device();
		for (let i = 0; i < 3; i++) await operation(mine);
		await start(mine, receipt('7/1'));
		expect(await start(mine, receipt('7/1', true))).to.equal(undefined);
		await end(mine, receipt('8/1'));
		expect(await end(mine, receipt('8/1', true))).to.equal(undefined);
		expect(await start(mine, receipt('7/1', true)), 'after the end').to.equal(undefined);
		expect(await statuses()).to.deep.equal(['SUCCESSFUL', 'PENDING', 'PENDING']);
	});

	it('does what a report says that is sent again but was not handled before', async () => {
		const { operation, device } = bench();
		const mine = await device();
		await operation(mine);
		expect((await start(mine, receipt('7/1', true)))?.status).to.equal('EXECUTING');
		expect((await end(mine, receipt('8/1', true)))?.status).to.equal('SUCCESSFUL');
	});

	it('keeps the lines of one publish, and devices, apart', async () => {
		const { operation, device } = bench();
		const [mine, other] = [await device('s1'), await device('s2')];
		await operation(mine);
		await operation(mine);
		await operation(other);
		await start(mine, receipt('7/1'));
		expect(await start(mine, receipt('7/2', true))).to.not.equal(undefined);
		expect(await start(other, receipt('7/1', true))).to.not.equal(undefined);
	});

	it('takes an id that comes again after an hour for a new report', async () => {
		const { operation, device, clock } = bench();
		const mine = await device();
		await operation(mine);
		await operation(mine);
		await start(mine, receipt('7/1'));
		clock.now += hour - 1;
		expect(await start(mine, receipt('7/1', true))).to.equal(undefined);
		clock.now += 1;
		expect(await start(mine, receipt('7/1', true))).to.not.equal(undefined);
	});

	it('keeps the reason word for word, and gives one where the device had none', async () => {
		const { operations, operation, device } = bench();
		const mine = await device();
		const reason = 'last line\n\n  all, of "it"\r\n😀';
		for (const [given, kept] of [
			[reason, reason],
			['', 'The device gave no reason'],
			[undefined, 'The device gave no reason'],
		] as const) {
			const { id } = await operation(mine, 'EXECUTING');
			const failureReason = given === undefined ? {} : { failureReason: given };
			await operations.endOldest(tenant, mine, 'c8y_Restart', { status: 'FAILED', ...failureReason }, receipt());
			expect((await operations.get(tenant, id)).failureReason).to.equal(kept);
		}
		const { id } = await operation(mine, 'EXECUTING');
		expect((await operations.report(tenant, mine, id, { status: 'SUCCESSFUL', failureReason: 'x' })).failureReason).to.equal(
			undefined,
		);
	});

	for (const [results, kept] of [
		[['done'], 'done'],
		[['a', 'b, c'], 'a,b, c'],
		[[], undefined],
		[undefined, undefined],
	] as const) {
		it(`adds ${JSON.stringify(results)} to a command as its result`, async () => {
			const { operations, device } = bench();
			const mine = await device();
			const ending = { status: 'SUCCESSFUL' as const, ...(results && { results }) };
			const fragments = { x_First: 1, c8y_Command: { text: 'ls' } };
			const byId = await operations.create(tenant, { deviceId: mine, fragments });
			await operations.create(tenant, { deviceId: mine, fragments });
			const wanted = kept === undefined ? { text: 'ls' } : { text: 'ls', result: kept };
			expect((await operations.report(tenant, mine, byId.id, ending)).fragments.c8y_Command).to.deep.equal(wanted);
			await start(mine, receipt(), 'c8y_Command');
			const ended = await operations.endOldest(tenant, mine, 'c8y_Command', ending, receipt());
			expect(ended?.fragments.c8y_Command).to.deep.equal(wanted);
		});
	}

	it('lets the agent report for its child, and nobody else', async () => {
		const { operations, operation, device, inventory } = bench();
		const [agent, stranger] = [await device('agent'), await device('stranger')];
		const child = await inventory.devices.ensure(tenant, 'child', () => ({
			owner: 'o',
			name: 'c',
			type: 't',
			fragments: {},
			parent: { id: agent, kind: 'childDevices' },
		}));
		const { id } = await operation(child.id);
		await expectRefusal(operations.report(tenant, stranger, id, { status: 'EXECUTING' }), 'operation/notFound', id);
		await expectRefusal(operations.report('t2', agent, id, { status: 'EXECUTING' }), 'operation/notFound');
		expect((await operations.report(tenant, agent, id, { status: 'EXECUTING' })).status).to.equal('EXECUTING');
		expect((await operations.report(tenant, child.id, id, { status: 'SUCCESSFUL' })).status).to.equal('SUCCESSFUL');
	});

	describe('failExecuting', () => {
		const fail = (device: Parameters<typeof start>[0], fragment = '', as = receipt()) =>
			bench().operations.failExecuting(tenant, device, fragment, 'crashed', as);

		it('fails what is executing, all or with the fragment, and nothing else', async () => {
			const { operation, device } = bench();
			const [mine, other] = [await device('s1'), await device('s2')];
			await operation(mine, 'EXECUTING');
			await operation(mine, 'EXECUTING', 'x_Custom');
			await operation(mine, 'PENDING');
			await operation(mine, 'SUCCESSFUL');
			await operation(other, 'EXECUTING');
			expect(await fail(mine, 'x_Custom')).to.equal(1);
			expect(await statuses()).to.deep.equal(['EXECUTING', 'FAILED', 'PENDING', 'SUCCESSFUL', 'EXECUTING']);
			expect(await fail(mine)).to.equal(1);
			expect(await fail(mine)).to.equal(0);
			expect(await statuses()).to.deep.equal(['FAILED', 'FAILED', 'PENDING', 'SUCCESSFUL', 'EXECUTING']);
		});

		it('fails all of them in one write, so that none is left when it is sent again', async () => {
			const { operation, device, store } = bench();
			const mine = await device();
			for (let i = 0; i < 3; i++) await operation(mine, 'EXECUTING');
			let batches = 0;
			store.beforeBatch = () => {
				batches++;
				if (batches === 1) throw new Error('disk full');
			};
			await expectRefusal(fail(mine, '', receipt('9/1')), 'Error');
			expect(await statuses()).to.deep.equal(['EXECUTING', 'EXECUTING', 'EXECUTING']);
			expect(await fail(mine, '', receipt('9/1', true))).to.equal(3);
			await operation(mine, 'EXECUTING');
			expect(await fail(mine, '', receipt('9/1', true)), 'sent again').to.equal(0);
		});

		it('goes on when one of them ends meanwhile', async () => {
			const { operation, operations, device, store } = bench();
			const mine = await device();
			const { id } = await operation(mine, 'EXECUTING');
			await operation(mine, 'EXECUTING');
			let raced = false;
			store.beforeBatch = async () => {
				if (raced) return;
				raced = true;
				await operations.update(tenant, id, { status: 'SUCCESSFUL' });
			};
			expect(await fail(mine)).to.equal(1);
			expect(await statuses()).to.deep.equal(['SUCCESSFUL', 'FAILED']);
		});
	});
});
