import { expect } from 'chai';
import type { ChildKind, ManagedObjectId } from '../../../inventory/index.ts';
import { expectRefusal, idOf, openInventoryBench, refusal, tenant, useBench } from './inventory-bench.ts';

describe('inventory/hierarchy', () => {
	const bench = useBench(openInventoryBench);
	const create = async (parent?: ManagedObjectId, kind: ChildKind = 'childDevices') => {
		const made = await bench().inventory.objects.create(tenant, {
			owner: 'o',
			patch: { fragments: {} },
			...(parent && { parent: { id: parent, kind } }),
		});
		if (!made) throw new Error('nothing was created');
		return made.id;
	};
	const link = (parent: ManagedObjectId, child: ManagedObjectId, kind: ChildKind = 'childAssets') =>
		bench().inventory.hierarchy.link(tenant, parent, kind, child);
	const childrenOf = async (id: ManagedObjectId) =>
		(await bench().inventory.objects.listChildren(tenant, [id], 100)).map(({ child, kind }) => `${kind} ${child}`);
	const parentsOf = async (id: ManagedObjectId) => [...(await bench().inventory.objects.get(tenant, id)).parents].sort();

	it('links and unlinks, and tells each object of its parents', async () => {
		const [a, b, c] = [await create(), await create(), await create()];
		expect(await parentsOf(c)).to.deep.equal(['root']);
		await link(a, c, 'childDevices');
		await link(b, c, 'childAssets');
		await link(b, c, 'childAssets');
		expect(await parentsOf(c)).to.deep.equal([`childAssets/${b}`, `childDevices/${a}`, `group/${b}`]);
		expect(await childrenOf(b)).to.deep.equal([`childAssets ${c}`]);
		const { hierarchy } = bench().inventory;
		expect((await hierarchy.getChild(tenant, a, 'childDevices', c)).id).to.equal(c);
		await hierarchy.unlink(tenant, a, 'childDevices', c);
		expect(await parentsOf(c)).to.deep.equal([`childAssets/${b}`, `group/${b}`]);
		for (const call of [hierarchy.unlink, hierarchy.getChild])
			await expectRefusal(call(tenant, a, 'childDevices', c), 'inventory/notFound', c, a, 'childDevices');
	});

	it('refuses what is not there, and the object that shows a list', async () => {
		const a = await create();
		await expectRefusal(link(a, idOf('1')), 'inventory/notFound', "'1'");
		await expectRefusal(link(idOf('1'), a), 'inventory/notFound', "'1'");
		const device = await create();
		await bench().inventory.software.set(tenant, device, [], 'advanced');
		const [own] = await bench().inventory.objects.listChildren(tenant, [device], 1);
		const list = idOf(own?.child ?? '');
		await expectRefusal(link(a, list), 'inventory/invalid', device);
		await expectRefusal(link(list, a), 'inventory/invalid', device);
		const { hierarchy, objects } = bench().inventory;
		await expectRefusal(hierarchy.unlink(tenant, device, 'childAdditions', list), 'inventory/invalid', device);
		const below = { owner: 'o', patch: { fragments: {} }, parent: { id: list, kind: 'childAssets' as const } };
		await expectRefusal(objects.create(tenant, below), 'inventory/notFound', list);
	});

	it('refuses circles, of whatever kinds and lengths', async () => {
		const [a, b, c] = [await create(), await create(), await create()];
		await expectRefusal(link(a, a), 'inventory/cycle', 'below itself');
		await link(a, b, 'childDevices');
		await link(b, c, 'childAdditions');
		await expectRefusal(link(c, a, 'childAssets'), 'inventory/cycle', `'${c}' is below it already`);
		await expectRefusal(link(b, a, 'childDevices'), 'inventory/cycle', a);
		// A second way down is no circle.
		await link(a, c, 'childAssets');
	});

	it('refuses to go on for ever upwards', async () => {
		let parent = await create();
		for (let level = 0; level < 20; level++) parent = await create(parent);
		await expectRefusal(link(parent, await create()), 'inventory/tooLarge', '20 objects');
	});

	it('refuses more parents than an object may have above it, and takes another one in place of one', async () => {
		const child = await create();
		const parents = await Promise.all(Array.from({ length: 20 }, () => create()));
		for (const parent of parents) await link(parent, child);
		const more = await create();
		await expectRefusal(link(more, child), 'inventory/tooLarge', child, 'at most 20');
		const [first = more] = parents;
		await link(first, child);
		await bench().inventory.hierarchy.unlink(tenant, first, 'childAssets', child);
		await link(more, child);
		expect(await parentsOf(child)).to.have.length(40);
	});

	for (let round = 0; round < 5; round++) {
		it(`lets at most all but one of the links of a circle be made at once (${round})`, async () => {
			const ids = await Promise.all(Array.from({ length: 5 }, () => create()));
			const pairs = ids.map((id, n) => [id, ids[(n + 1) % ids.length] ?? id] as const);
			const outcomes = await Promise.allSettled(pairs.map(([parent, child]) => link(parent, child)));
			const refused = outcomes.filter(({ status }) => status === 'rejected');
			expect(refused).to.have.length(1);
			expect((await Promise.all(ids.map(childrenOf))).flat()).to.have.length(4);
		});
	}

	it('keeps the copy of the parents true while many write', async () => {
		const child = await create();
		const parents = await Promise.all(Array.from({ length: 12 }, () => create()));
		const { hierarchy, objects } = bench().inventory;
		await Promise.all([
			...parents.map((parent) => link(parent, child)),
			...parents.map((_, n) => objects.update(tenant, child, { fragments: { [`f${n}`]: n } })),
		]);
		await Promise.all([
			...parents.slice(0, 6).map((parent) => hierarchy.unlink(tenant, parent, 'childAssets', child)),
			...parents.slice(6, 9).map((parent) => objects.remove(tenant, parent, [])),
		]);
		const left = parents.slice(9).flatMap((parent) => [`childAssets/${parent}`, `group/${parent}`]);
		expect(await parentsOf(child)).to.deep.equal(left.sort());
		const object = await objects.get(tenant, child);
		expect(Object.keys(object.fragments)).to.have.length(12);
	});

	/** A group with 250 devices, of which some have an advanced list and one has children. */
	async function fleet() {
		const group = await create();
		const devices = await Promise.all(Array.from({ length: 250 }, () => create(group, 'childAssets')));
		const [first = group, second = group] = devices;
		await create(first);
		await create(first, 'childAdditions');
		await bench().inventory.software.set(tenant, second, [{ name: 'p', version: '1' }], 'advanced');
		return { group, devices, first };
	}

	it('removes a group and leaves its devices as roots', async () => {
		const { group, devices, first } = await fleet();
		expect(await bench().inventory.objects.remove(tenant, group, [])).to.deep.equal([group]);
		expect(await bench().inventory.objects.count(tenant, { onlyRoots: true })).to.equal(devices.length);
		expect(await parentsOf(first)).to.deep.equal(['root']);
	});

	it('removes all that is below, a page at a time, and tells of each', async () => {
		const { group } = await fleet();
		const told: string[] = [];
		const removed = await bench().inventory.objects.remove(tenant, group, ['childAssets', 'childDevices', 'childAdditions'], {
			onRemoved: async ({ id }) => void told.push(id),
		});
		expect(removed).to.have.length(253);
		expect(told).to.have.members(removed);
		expect(removed.at(-1)).to.equal(group);
		expect(await bench().inventory.objects.count(tenant, {})).to.equal(0);
	});

	it('can be removed again after it stopped half-way, and nothing hangs below nothing', async () => {
		const { group } = await fleet();
		const { store, inventory } = bench();
		const below: ChildKind[] = ['childAssets', 'childDevices', 'childAdditions'];
		for (const stopAt of [3, 60, 150]) {
			let batches = 0;
			store.beforeBatch = () => {
				if (++batches > stopAt) throw new Error('the process died');
			};
			expect((await refusal(inventory.objects.remove(tenant, group, below))).message).to.equal('the process died');
			store.beforeBatch = () => undefined;
			// Everything that is left is found from the top.
			const left = await inventory.objects.count(tenant, { query: `isinhierarchyof(${group})` });
			expect(left)
				.to.equal(await inventory.objects.count(tenant, {}))
				.and.be.greaterThan(0);
		}
		await expectRefusal(link(group, await create()), 'inventory/conflict', 'being removed');
		await inventory.objects.remove(tenant, group, below);
		expect(await inventory.objects.count(tenant, {})).to.equal(1);
	});

	it('takes no new child while it is removed', async () => {
		const { inventory, store } = bench();
		const group = await create();
		let raced: Promise<unknown> | undefined;
		store.beforeBatch = (steps) => {
			if (raced || !steps.some(({ kind }) => kind === 'remove')) return;
			raced = refusal(create(group));
		};
		await inventory.objects.remove(tenant, group, []);
		expect(await raced).to.include({ code: 'inventory/notFound' });
		expect(await inventory.objects.count(tenant, {})).to.equal(0);
	});

	it('ends the removal of a circle that came to be otherwise', async () => {
		const [a, b] = [await create(), await create()];
		await link(a, b, 'childDevices');
		const circle = { _id: `${tenant}/${b}/childDevices/${a}`, tenant, parent: b, kind: 'childDevices', child: a, seq: Number(a) };
		await bench().store.batch([{ kind: 'put', collection: 'children', document: circle }]);
		await bench().inventory.objects.remove(tenant, a, ['childDevices']);
		expect(await bench().inventory.objects.count(tenant, {})).to.equal(0);
	});
});
