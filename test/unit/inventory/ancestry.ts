import { expect } from 'chai';
import { type Inventory, type ManagedObjectId, openInventory } from '../../../inventory/index.ts';
import type { DocumentStore } from '../../../store/index.ts';
import { openTestStore, smallLimits, startTime, tenant } from './inventory-bench.ts';

/** `child → parents` of a few levels, in which several ways lead to one place. */
const places: Readonly<Record<string, readonly string[]>> = {
	top: [],
	other: [],
	group: ['top'],
	inner: ['group', 'other'],
	device: ['inner'],
	child: ['device', 'other'],
	leaf: ['child'],
	alone: ['other'],
};

describe('inventory/ancestry', () => {
	let store: DocumentStore;
	let inventory: Inventory;
	let finds = 0;
	const ids = new Map<string, ManagedObjectId>();
	const id = (name: string) => ids.get(name) ?? ('0' as ManagedObjectId);
	const namesOf = (found: Iterable<ManagedObjectId>) => {
		const wanted = new Set(found);
		return [...ids].filter(([, each]) => wanted.has(each)).map(([name]) => name);
	};
	before(async () => {
		const opened = await openTestStore(() => startTime);
		store = {
			...opened,
			collection: async (spec) => {
				const collection = await opened.collection(spec);
				return {
					...collection,
					find: (query) => {
						finds++;
						return collection.find(query);
					},
				};
			},
		};
		inventory = await openInventory({ store, clock: () => startTime, limits: smallLimits });
		for (const [name, parents] of Object.entries(places)) {
			const fragments = name === 'device' ? { com_cumulocity_model_Agent: {} } : {};
			const made = await inventory.objects.create(tenant, { owner: 'o', patch: { name, fragments } });
			if (!made) throw new Error('nothing was created');
			ids.set(name, made.id);
			for (const parent of parents) {
				const kind = parent === 'device' || parent === 'child' ? 'childDevices' : 'childAssets';
				await inventory.hierarchy.link(tenant, id(parent), kind, made.id);
			}
		}
	});
	after(() => store.close());

	const below = (name: string, tops: readonly string[]): boolean =>
		tops.includes(name) || (places[name] ?? []).some((parent) => below(parent, tops));

	for (const tops of [['top'], ['other'], ['group'], ['inner', 'alone'], ['leaf'], ['device', 'other'], []]) {
		it(`finds what is at or below ${tops.join(' and ') || 'nothing'}, of many as of one`, async () => {
			const expected = Object.keys(places).filter((name) => below(name, tops));
			const found = await inventory.objects.filterAtOrBelow(tenant, [...ids.values()], tops.map(id));
			expect(namesOf(found)).to.deep.equal(expected);
			for (const [name, each] of ids)
				expect(await inventory.objects.isAtOrBelow(tenant, each, ...tops.map(id)), name).to.equal(expected.includes(name));
		});
	}

	it('finds nothing for ancestors that are no ids, of another tenant, and for no objects', async () => {
		const all = [...ids.values()];
		expect(await inventory.objects.filterAtOrBelow(tenant, all, ['x', '', '99999999'])).to.have.property('size', 0);
		expect(await inventory.objects.filterAtOrBelow('t2', [id('leaf')], [id('top')])).to.have.property('size', 0);
		expect(await inventory.objects.filterAtOrBelow(tenant, [], [id('top')])).to.have.property('size', 0);
	});

	it('finds the agents of many as of one', async () => {
		const objects = await inventory.objects.listByIds(tenant, [...ids.values()]);
		const agents = await inventory.objects.findAgents(tenant, objects);
		expect(namesOf(agents.keys())).to.deep.equal(['device', 'child', 'leaf']);
		for (const object of objects)
			expect((await inventory.objects.findAgent(tenant, object))?.id).to.equal(agents.get(object.id)?.id);
	});

	it('looks once at the links of a level, however many objects there are', async () => {
		const parent = id('leaf');
		const many: ManagedObjectId[] = [];
		for (let n = 0; n < 50; n++) {
			const placed = { id: parent, kind: 'childDevices' } as const;
			const made = await inventory.objects.create(tenant, { owner: 'o', patch: { fragments: {} }, parent: placed });
			if (made) many.push(made.id);
		}
		const objects = await inventory.objects.listByIds(tenant, many);
		finds = 0;
		expect((await inventory.objects.filterAtOrBelow(tenant, many, [id('top')])).size).to.equal(50);
		expect(finds).to.equal(6);
		finds = 0;
		expect((await inventory.objects.findAgents(tenant, objects)).size).to.equal(50);
		expect(finds).to.equal(6);
	});
});
