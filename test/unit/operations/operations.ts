import { expect } from 'chai';
import type { OperationFilter } from '../../../operations/index.ts';
import { parseOperationId } from '../../../operations/index.ts';
import { expectRefusal, startTime, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench } from './operations-bench.ts';

describe('operations/operations', () => {
	const bench = useBench(openOperationsBench);
	const page = { skip: 0, limit: 50, revert: false };

	it('gives ids below 2^32 that grow in the order of creation', async () => {
		const { operation, device } = bench();
		const mine = await device();
		const ids: number[] = [];
		for (let i = 0; i < 205; i++) ids.push(Number((await operation(mine)).id));
		for (const [index, id] of ids.entries()) {
			expect(id).to.be.within(1, 2 ** 32 - 1);
			if (index > 0) expect(id).to.be.above(ids[index - 1] ?? 0);
		}
	});

	it('gives different ids to operations that are created at once', async () => {
		const { operation, device } = bench();
		const mine = await device();
		const made = await Promise.all(Array.from({ length: 120 }, () => operation(mine)));
		expect(new Set(made.map(({ id }) => id)).size).to.equal(120);
	});

	it('knows the name, external ids and agent of the device, children of children included', async () => {
		const { inventory, operations, device } = bench();
		let parent = await device('agent');
		const agent = parent;
		for (const serial of ['child', 'grandchild']) {
			const place = { id: parent, kind: 'childDevices' as const };
			const made = await inventory.devices.ensure(tenant, serial, () => ({
				owner: 'o',
				name: serial,
				type: 't',
				fragments: {},
				parent: place,
			}));
			parent = made.id;
		}
		await inventory.externalIds.bind(tenant, 'T', 'x', parent);
		const operation = await operations.create(tenant, { deviceId: parent, description: 'd', fragments: { c8y_Restart: {} } });
		expect(operation).to.deep.include({
			deviceId: parent,
			agentId: agent,
			deviceName: 'grandchild',
			description: 'd',
			status: 'PENDING',
			creationTime: startTime,
			delivery: { status: 'PENDING', time: startTime },
		});
		expect(operation.externalIds.map(({ type, externalId }) => `${type}/${externalId}`).sort()).to.deep.equal([
			'T/x',
			'c8y_Serial/grandchild',
		]);
		expect(await operations.listPending(tenant, agent, 0, 5)).to.have.length(1);
		expect(await operations.listPending(tenant, parent, 0, 5)).to.have.length(0);
	});

	it('takes a device below no agent for its own', async () => {
		const { inventory, operation } = bench();
		const lone = await inventory.devices.ensure(tenant, 's', () => ({ owner: 'o', name: 'n', type: 't', fragments: {} }));
		expect((await operation(lone.id)).agentId).to.equal(lone.id);
	});

	// Operations 1 to 4, a second apart: Restart PENDING, Restart FAILED, Custom PENDING, all of s1; Restart PENDING of s2.
	const filters: [title: string, filter: (ids: { s1: string; s2: string }) => OperationFilter, found: number[]][] = [
		['nothing', () => ({}), [1, 2, 3, 4]],
		['a device', ({ s1 }) => ({ deviceId: s1 }), [1, 2, 3]],
		['a device that is not there', () => ({ deviceId: '1' }), []],
		['an agent', ({ s2 }) => ({ agentId: s2 }), [4]],
		['a status', () => ({ status: 'PENDING' }), [1, 3, 4]],
		['a fragment', () => ({ fragmentType: 'x_Custom' }), [3]],
		['a fragment that is not there', () => ({ fragmentType: 'x' }), []],
		['device, status and fragment', ({ s1 }) => ({ deviceId: s1, status: 'FAILED', fragmentType: 'c8y_Restart' }), [2]],
		['dateFrom', () => ({ dateFrom: startTime + 2000 }), [3, 4]],
		['dateTo', () => ({ dateTo: startTime + 1000 }), [1, 2]],
		['both dates', ({ s1 }) => ({ deviceId: s1, dateFrom: startTime + 1000, dateTo: startTime + 1000 }), [2]],
		['dates the wrong way round', () => ({ dateFrom: startTime + 1000, dateTo: startTime }), []],
	];
	for (const [title, filter, found] of filters) {
		it(`lists, counts, reverts and removes by ${title}`, async () => {
			const { operation, operations, device, clock } = bench();
			const ids = { s1: await device('s1'), s2: await device('s2') };
			await operation(ids.s1);
			clock.now += 1000;
			await operation(ids.s1, 'FAILED');
			clock.now += 1000;
			await operation(ids.s1, 'PENDING', 'x_Custom');
			clock.now += 1000;
			await operation(ids.s2);
			const of = filter(ids);
			const seqs = async (revert: boolean) => (await operations.list(tenant, of, { ...page, revert })).map(({ seq }) => seq);
			expect(await seqs(false)).to.deep.equal(found);
			expect(await seqs(true)).to.deep.equal([...found].reverse());
			expect(await operations.count(tenant, of)).to.equal(found.length);
			expect(await operations.count('t2', of)).to.equal(0);
			expect((await operations.list(tenant, of, { skip: 1, limit: 1, revert: false })).map(({ seq }) => seq)).to.deep.equal(
				found.slice(1, 2),
			);
			expect(await operations.removeMatching(tenant, of)).to.equal(found.length);
			expect(await operations.count(tenant, {})).to.equal(4 - found.length);
		});
	}

	it('removes more than a page of what matches', async () => {
		const { operation, operations, device } = bench();
		const mine = await device();
		await Promise.all(Array.from({ length: 501 }, () => operation(mine)));
		expect(await operations.removeMatching(tenant, {})).to.equal(501);
		expect(await operations.removeMatching(tenant, {})).to.equal(0);
	});

	it('changes description, reason and fragments, and removes fragments that are null', async () => {
		const { operations, device } = bench();
		const { id } = await operations.create(tenant, { deviceId: await device(), fragments: { a: 1, b: 2 } });
		const changed = await operations.update(tenant, id, { description: 'd', fragments: { a: null, c: [1] } });
		expect(changed).to.deep.include({
			description: 'd',
			fragments: { b: 2, c: [1] },
			fragmentNames: ['b', 'c'],
			status: 'PENDING',
		});
		const failed = await operations.update(tenant, id, { status: 'FAILED', failureReason: 'a\nb' });
		expect(failed).to.include({ status: 'FAILED', failureReason: 'a\nb' });
		expect((await operations.update(tenant, id, { failureReason: 'else' })).failureReason).to.equal('a\nb');
		expect((await operations.update(tenant, id, { status: 'FAILED', failureReason: 'else' })).failureReason).to.equal('a\nb');
	});

	it('lets concurrent changes of one operation all land', async () => {
		const { operation, operations, device } = bench();
		const { id } = await operation(await device());
		await Promise.all([...Array(8).keys()].map((i) => operations.update(tenant, id, { fragments: { [`f${i}`]: i } })));
		expect((await operations.get(tenant, id)).fragmentNames).to.have.length(9);
	});

	for (const [fragments, code] of [
		[{ c8y_Command: 5 }, 'operation/invalid'],
		[{ c8y_Command: ['ls'] }, 'operation/invalid'],
		[{ x: 'y'.repeat(2000) }, 'operation/tooLarge'],
	] as const) {
		it(`refuses to change fragments to ${JSON.stringify(fragments).slice(0, 30)}`, async () => {
			const { operation, operations, device } = bench();
			const { id } = await operation(await device());
			await expectRefusal(operations.update(tenant, id, { fragments }), code);
			expect((await operations.get(tenant, id)).fragments).to.deep.equal({ c8y_Restart: {} });
		});
	}

	it('does not find what is unknown or of another tenant', async () => {
		const { operation, operations, device } = bench();
		const { id } = await operation(await device());
		await expectRefusal(operations.get('t2', id), 'operation/notFound', id);
		await expectRefusal(operations.update(tenant, parseOperationId('99'), {}), 'operation/notFound', '99');
		expect(await operations.find('t2', id)).to.equal(undefined);
	});

	it('fails what waits for a device that is gone, and leaves what ended', async () => {
		const { operation, operations, device } = bench();
		const [mine, other] = [await device('s1'), await device('s2')];
		for (const status of ['PENDING', 'EXECUTING', 'SUCCESSFUL'] as const) await operation(mine, status);
		await operation(other);
		await operations.failFor(tenant, mine, 'gone');
		const all = await operations.list(tenant, {}, page);
		expect(all.map(({ status, failureReason }) => `${status} ${failureReason ?? ''}`)).to.deep.equal([
			'FAILED gone',
			'FAILED gone',
			'SUCCESSFUL ',
			'PENDING ',
		]);
	});

	it('lists what is pending for an agent, oldest first, after a number', async () => {
		const { operation, operations, device } = bench();
		const mine = await device();
		const made = [await operation(mine), await operation(mine, 'EXECUTING'), await operation(mine), await operation(mine)];
		const [first, , third] = made;
		const seqs = async (after: number, limit: number) =>
			(await operations.listPending(tenant, mine, after, limit)).map(({ seq }) => seq);
		expect(await seqs(0, 2)).to.deep.equal([first?.seq, third?.seq]);
		expect(await seqs(third?.seq ?? 0, 9)).to.deep.equal([made[3]?.seq]);
	});

	it('notes the delivery once, whatever the status is by then', async () => {
		const { operation, operations, device, clock } = bench();
		const { id } = await operation(await device(), 'SUCCESSFUL');
		clock.now += 5;
		await operations.setDelivered(tenant, id);
		clock.now += 5;
		await operations.setDelivered(tenant, id);
		const { status, delivery } = await operations.get(tenant, id);
		expect({ status, delivery }).to.deep.equal({ status: 'SUCCESSFUL', delivery: { status: 'DELIVERED', time: startTime + 5 } });
		await operations.setDelivered(tenant, parseOperationId('999'));
	});

	it('tells of new operations only, until it is told to end', async () => {
		const { operation, operations, device } = bench();
		const mine = await device();
		const heard: string[] = [];
		const end = operations.watchPending(({ id }) => heard.push(id));
		const one = await operation(mine, 'EXECUTING');
		const two = await operation(mine);
		end();
		await operation(mine);
		expect(heard).to.deep.equal([one.id, two.id]);
	});

	it('counts by status, and tells when the oldest PENDING one was created, over all tenants', async () => {
		const { clock, inventory, operation, operations, device } = bench();
		expect(await operations.survey()).to.deep.equal({
			counts: new Map([
				['PENDING', 0],
				['EXECUTING', 0],
				['SUCCESSFUL', 0],
				['FAILED', 0],
			]),
		});
		const mine = await device();
		await operation(mine, 'FAILED');
		clock.now += 10;
		const { id } = await inventory.devices.ensure('other', 'theirs', () => ({ owner: 'o', name: 'n', type: 't', fragments: {} }));
		await operations.create('other', { deviceId: id, fragments: { c8y_Restart: {} } });
		const oldest = clock();
		clock.now += 10;
		await operation(mine);
		await operation(mine, 'FAILED');
		const { counts, oldestPending } = await operations.survey();
		expect([...counts]).to.deep.equal([
			['PENDING', 2],
			['EXECUTING', 0],
			['SUCCESSFUL', 0],
			['FAILED', 2],
		]);
		expect(oldestPending).to.equal(oldest);
	});
});
