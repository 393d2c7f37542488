import { expect } from 'chai';
import { type Inventory, inventoryMigrations, openInventory } from '../../inventory/index.ts';
import type { DocumentStore, Step } from '../../store/index.ts';
import { openSharedStore } from '../support/shared-store.ts';
import { smallLimits, startTime, tenant } from '../unit/inventory/inventory-bench.ts';

describe('contract/derived-fields', () => {
	let store: DocumentStore;
	let inventory: Inventory;
	beforeEach(async () => {
		store = await openSharedStore();
		inventory = await openInventory({ store, clock: () => startTime, limits: smallLimits });
	});
	afterEach(() => store.close());

	const create = async (fragments: object, parent?: string) => {
		const made = await inventory.objects.create(tenant, { owner: 'o', patch: { name: 'n', fragments: { ...fragments } } });
		if (!made) throw new Error('nothing was created');
		const above = parent === undefined ? undefined : (await inventory.objects.list(tenant, { ids: [parent] }, one))[0];
		if (above) await inventory.hierarchy.link(tenant, above.id, 'childAssets', made.id);
		return made.id;
	};
	const one = { skip: 0, limit: 1 };
	const migration = inventoryMigrations.find(({ collection, to }) => collection === 'managedObjects' && to === 2);
	const migrate = (write: (steps: readonly Step[]) => ReturnType<DocumentStore['batch']>) =>
		migration?.run({ store, signal: new AbortController().signal, write });

	/** As the version before stored them. */
	async function forget(ids: readonly string[]): Promise<void> {
		const steps = ids.map((id): Step => {
			const update = { $unset: ['search', 'parents', 'linkRevision'] };
			return { kind: 'update', collection: 'managedObjects', id: `${tenant}/${id}`, update };
		});
		expect(await store.batch(steps)).to.deep.equal({ ok: true });
	}

	it('finds objects that were stored before, with what others change meanwhile', async () => {
		const group = await create({ c8y_IsDeviceGroup: {} });
		const ids = [group];
		for (let n = 0; n < 5; n++) ids.push(await create({ c8y_Software: { version: `${n % 3}` } }, group));
		const others = Array.from({ length: 445 }, (_, n) => create({ c8y_Software: { version: `${(n + 5) % 3}` } }));
		ids.push(...(await Promise.all(others)));
		await forget(ids);
		expect(await inventory.objects.count(tenant, { query: "c8y_Software.version eq '1'" })).to.equal(0);
		let writes = 0;
		await migrate(async (steps) => {
			const [id] = ids.slice(-1);
			const [last] = ++writes === 2 ? await inventory.objects.list(tenant, { ids: [id ?? ''] }, one) : [];
			if (last) await inventory.objects.update(tenant, last.id, { fragments: { c8y_Software: { version: 'new' } } });
			return store.batch(steps);
		});
		expect(await inventory.objects.count(tenant, { query: "c8y_Software.version eq '1'" })).to.equal(150);
		expect(await inventory.objects.count(tenant, { query: "c8y_Software.version eq 'new'" })).to.equal(1);
		expect(await inventory.objects.count(tenant, { query: `bygroupid(${group})` })).to.equal(5);
		expect(await inventory.objects.count(tenant, { onlyRoots: true })).to.equal(446);
	});
});
