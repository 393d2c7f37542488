import { expect } from 'chai';
import { parseObjectBody } from '../../../inventory/index.ts';
import { expectRefusal, idOf, openInventoryBench, smallLimits, tenant, useBench } from './inventory-bench.ts';

describe('inventory/managed-objects', () => {
	const bench = useBench(openInventoryBench);
	const patchOf = (body: unknown) => parseObjectBody(body, { maxFragments: 50 });
	const create = async (body: unknown, parent?: Parameters<typeof childOf>[0]) => {
		const made = await bench().inventory.objects.create(tenant, {
			owner: 'o',
			patch: patchOf(body),
			...(parent && childOf(parent)),
		});
		if (!made) throw new Error('nothing was created');
		return made;
	};
	const childOf = (parent: { id: string; kind: 'childDevices' | 'childAssets' | 'childAdditions' }) => ({
		parent: { id: idOf(parent.id), kind: parent.kind },
	});
	const update = (id: string, body: unknown) => bench().inventory.objects.update(tenant, idOf(id), patchOf(body));

	it('refuses what would leave more fragments than allowed, in however many patches they come', async () => {
		const { objects } = bench().inventory;
		const fragmentsFrom = (first: number, count: number) =>
			Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${first + i}`, i]));
		const made = await objects.create(tenant, { owner: 'admin', patch: { fragments: fragmentsFrom(0, 30) } });
		if (!made) throw new Error('it was not created');
		const refusal = await objects
			.update(tenant, made.id, { fragments: fragmentsFrom(30, 21) })
			.catch((error: Error) => error.message);
		expect(refusal).to.match(/would have 51 fragments: at most 50/);
		expect(Object.keys((await objects.update(tenant, made.id, { fragments: fragmentsFrom(30, 20) })).fragments)).to.have.length(
			50,
		);
	});

	it('gives ids of digits that grow in the order of creation', async () => {
		const ids = (await Promise.all(Array.from({ length: 120 }, () => create({})))).map(({ id }) => id);
		expect(new Set(ids).size).to.equal(120);
		for (const id of ids) expect(id).to.match(/^\d+$/);
		const listed = await bench().inventory.objects.list(tenant, {}, { skip: 0, limit: 200 });
		expect(listed.map(({ seq }) => seq)).to.deep.equal([...ids].map(Number).sort((a, b) => a - b));
	});

	// Each row: what is there, the patch, what is there afterwards.
	const merges: [title: string, before: object, patch: object, after: object][] = [
		['replaces a named fragment whole', { a: { x: 1, y: 2 } }, { a: { z: 3 } }, { a: { z: 3 } }],
		['keeps what is not named', { a: 1, b: 2 }, { b: 3 }, { a: 1, b: 3 }],
		['removes what is null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
		['does not care for null where nothing is', { a: 1 }, { b: null }, { a: 1 }],
		['keeps null inside a fragment', { a: 1 }, { a: { b: null } }, { a: { b: null } }],
		['replaces a list whole', { a: [1, 2, 3] }, { a: [4] }, { a: [4] }],
		['keeps falsy values', {}, { a: 0, b: '', c: false, d: [] }, { a: 0, b: '', c: false, d: [] }],
	];
	for (const [title, before, patch, after] of merges) {
		it(`${title} in an update`, async () => {
			const { id } = await create(before);
			expect((await update(id, patch)).fragments).to.deep.equal(after);
		});
	}

	it('leaves out null in a new object', async () => {
		expect((await create({ name: null, a: null, b: 1 })).fragments).to.deep.equal({ b: 1 });
	});

	it('sets and removes name and type', async () => {
		const { id } = await create({ name: 'a', type: 't' });
		expect(await update(id, { name: 'b' })).to.include({ name: 'b', type: 't' });
		const bare = await update(id, { name: null, type: null });
		expect(bare).to.not.have.any.keys('name', 'type');
	});

	it('removes the name in the same update that brings a software list', async () => {
		const { id } = await create({ name: 'a', type: 't' });
		const after = await update(id, { name: null, c8y_SoftwareList: [{ name: 'p', version: '1' }] });
		expect(after).to.not.have.property('name');
		expect(after).to.have.property('type', 't');
	});

	for (const patch of [{}, { a: { x: [1, { y: 2 }] } }, { name: 'n', type: 't' }, { gone: null }, { id: '77', owner: 'else' }]) {
		it(`writes nothing for ${JSON.stringify(patch)}, which changes nothing`, async () => {
			const { id, revision } = await create({ name: 'n', type: 't', a: { x: [1, { y: 2 }] } });
			const writes = await bench().writes();
			expect((await update(id, patch)).revision).to.equal(revision);
			expect(await bench().writes()).to.equal(writes);
		});
	}

	it('lets concurrent patches of one object all land', async () => {
		const { id } = await create({});
		await Promise.all(Array.from({ length: 12 }, (_, i) => update(id, { [`f${i}`]: i })));
		const { fragments } = await bench().inventory.objects.get(tenant, id);
		expect(Object.keys(fragments)).to.have.length(12);
	});

	it('refuses an object that would become too large, and leaves it as it was', async () => {
		const { id } = await create({ a: 'x'.repeat(1500) });
		await expectRefusal(update(id, { b: 'ü'.repeat(300) }), 'inventory/tooLarge', `at most ${smallLimits.objectMaxBytes}`);
		await expectRefusal(create({ a: 'x'.repeat(2000) }), 'inventory/tooLarge');
		expect((await bench().inventory.objects.get(tenant, id)).fragments).to.have.all.keys('a');
	});

	it('does not find what is unknown or of another tenant', async () => {
		const { id } = await create({});
		const { objects } = bench().inventory;
		await expectRefusal(objects.get(tenant, idOf('1')), 'inventory/notFound', "'1'");
		await expectRefusal(objects.get('t2', id), 'inventory/notFound');
		await expectRefusal(objects.update('t2', id, { fragments: {} }), 'inventory/notFound');
		await expectRefusal(create({}, { id: '1', kind: 'childDevices' }), 'inventory/notFound');
	});

	// Each row: the filter and the names it finds, of the three objects below.
	const filters: [filter: object, names: string[]][] = [
		[{}, ['a', 'b', 'c']],
		[{ type: 't' }, ['a', 'b']],
		[{ type: 'T' }, []],
		[{ fragmentType: 'x' }, ['b', 'c']],
		[{ fragmentType: 'y' }, []],
		[{ type: 't', fragmentType: 'x' }, ['b']],
		[{ owner: 'o' }, ['a', 'b', 'c']],
		[{ owner: 'other' }, []],
		[{ ids: [] }, []],
		[{ ids: ['nonsense', '', '1'] }, []],
		[{ fragmentType: 'c8y_SoftwareList' }, ['c']],
	];
	for (const [filter, names] of filters) {
		it(`lists ${names.join(' and ') || 'nothing'} for ${JSON.stringify(filter)}`, async () => {
			await create({ name: 'a', type: 't' });
			await create({ name: 'b', type: 't', x: {} });
			await create({ name: 'c', x: 0, c8y_SoftwareList: [] });
			const { objects } = bench().inventory;
			const found = await objects.list(tenant, filter, { skip: 0, limit: 10 });
			expect(found.map(({ name }) => name)).to.deep.equal(names);
			expect(await objects.count(tenant, filter)).to.equal(names.length);
		});
	}

	it('finds by ids beside nonsense', async () => {
		const [a, , c] = [await create({}), await create({}), await create({})];
		const found = await bench().inventory.objects.list(tenant, { ids: [c.id, 'x', a.id] }, { skip: 0, limit: 10 });
		expect(found.map(({ id }) => id)).to.deep.equal([a.id, c.id]);
	});

	it('removes an object with its external ids, links, packages and list object', async () => {
		const { inventory } = bench();
		const parent = await create({});
		const device = await create({}, { id: parent.id, kind: 'childDevices' });
		await inventory.externalIds.bind(tenant, 'c8y_Serial', 's', device.id);
		await inventory.software.set(tenant, device.id, [{ name: 'p', version: '1' }], 'advanced');
		expect(await inventory.objects.remove(tenant, device.id, [])).to.deep.equal([device.id]);
		expect(await inventory.externalIds.find(tenant, 'c8y_Serial', 's')).to.equal(undefined);
		expect(await inventory.objects.listChildren(tenant, [parent.id], 10)).to.deep.equal([]);
		expect(await inventory.software.count(tenant, device.id, {})).to.equal(0);
		const left = await inventory.objects.list(tenant, {}, { skip: 0, limit: 10 });
		expect(left.map(({ id }) => id)).to.deep.equal([parent.id]);
	});

	it('leaves no list object behind when the list becomes advanced during the removal', async () => {
		const { inventory, store } = bench();
		const device = await create({});
		let raced = false;
		store.beforeBatch = async (steps) => {
			if (raced || !steps.some(({ kind }) => kind === 'remove')) return;
			raced = true;
			await inventory.software.set(tenant, device.id, [{ name: 'p', version: '1' }], 'advanced');
		};
		await inventory.objects.remove(tenant, device.id, []);
		expect(await inventory.objects.count(tenant, {})).to.equal(0);
		expect(await inventory.software.count(tenant, device.id, {})).to.equal(0);
	});

	for (const [kinds, left] of [
		[[], 3],
		[['childDevices'], 1],
		[['childDevices', 'childAdditions', 'childAssets'], 0],
	] as const) {
		it(`removes below through ${kinds.join(', ') || 'nothing'}, leaving ${left}`, async () => {
			const root = await create({});
			const child = await create({}, { id: root.id, kind: 'childDevices' });
			await create({}, { id: child.id, kind: 'childDevices' });
			await create({}, { id: root.id, kind: 'childAdditions' });
			await bench().inventory.objects.remove(tenant, root.id, [...kinds]);
			expect(await bench().inventory.objects.count(tenant, {})).to.equal(left);
		});
	}

	it('refuses to remove what is not there', () =>
		expectRefusal(bench().inventory.objects.remove(tenant, idOf('1'), []), 'inventory/notFound'));

	it('refuses to remove or rewrite the object that shows a list', async () => {
		const { inventory } = bench();
		const device = await create({});
		await inventory.software.set(tenant, device.id, [], 'advanced');
		const [link] = await inventory.objects.listChildren(tenant, [device.id], 10);
		const list = idOf(link?.child ?? '');
		expect(await inventory.objects.get(tenant, list)).to.include({ type: 'c8y_InstalledSoftwareList', softwareOf: device.id });
		await expectRefusal(inventory.objects.remove(tenant, list, []), 'inventory/invalid', device.id);
		await expectRefusal(update(list, { c8y_SoftwareList: [] }), 'inventory/invalid', device.id);
		await expectRefusal(inventory.software.set(tenant, list, [], 'advanced'), 'inventory/invalid', device.id);
		const put = { action: 'put', item: { name: 'p', version: '1' } } as const;
		await expectRefusal(inventory.software.change(tenant, list, [put]), 'inventory/invalid', device.id);
	});

	it('finds the agent above nested children, and none above an orphan', async () => {
		const { objects } = bench().inventory;
		const agent = await create({ com_cumulocity_model_Agent: {} });
		let below = await create({}, { id: agent.id, kind: 'childDevices' });
		for (let depth = 0; depth < 4; depth++) below = await create({}, { id: below.id, kind: 'childDevices' });
		expect((await objects.findAgent(tenant, below))?.id).to.equal(agent.id);
		expect((await objects.findAgent(tenant, agent))?.id).to.equal(agent.id);
		expect(await objects.findAgent(tenant, await create({}))).to.equal(undefined);
		expect(await objects.isAtOrBelow(tenant, below.id, agent.id)).to.equal(true);
		expect(await objects.isAtOrBelow(tenant, agent.id, below.id)).to.equal(false);
		expect(await objects.isAtOrBelow(tenant, agent.id, agent.id)).to.equal(true);
	});

	it('passes on what the store says when it cannot write, and has changed nothing', async () => {
		const { id } = await create({ a: 1 });
		bench().store.beforeBatch = () => {
			throw new Error('disk full');
		};
		await expectRefusal(update(id, { a: 2 }), 'Error', 'disk full');
		expect((await bench().inventory.objects.get(tenant, id)).fragments).to.deep.equal({ a: 1 });
	});
});
