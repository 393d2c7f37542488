import { expect } from 'chai';
import { type Inventory, type ManagedObjectId, openInventory, type SoftwareChange } from '../../inventory/index.ts';
import type { Step } from '../../store/index.ts';
import { type MongoStore, openMongoStore } from '../../store/mongodb/index.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

const limits = {
	packages: { maxPackages: 10_000, nameMaxLength: 100, versionMaxLength: 50, typeMaxLength: 20, urlMaxLength: 60 },
	maxFragments: 50,
	objectMaxBytes: 20_000,
	maxChildReferences: 100,
	maxAncestors: 20,
	maxExternalIds: 100,
	search: { maxLength: 8000, maxDepth: 12, maxTerms: 100, maxWildcards: 8, maxWildcardText: 100, maxScanned: 100_000 },
};
const tenant = 't1';
const all = { skip: 0, limit: 2000 };

if (isOnMongoDb) describe('store/mongodb commands', commandCounts);

/** What a round trip costs differs; how many there are does not. Each may take fewer, and none more. */
function commandCounts(): void {
	let database: MongoDatabase;
	let store: MongoStore;
	let inventory: Inventory;
	let made = 0;
	const sent: string[] = [];

	before(async () => {
		database = freshMongoDatabase();
		const onCommand = (name: string, collection?: string) => {
			// Looked at by the clock, whatever is going on.
			if (collection !== '_transactions') sent.push(collection === undefined ? name : `${name} ${collection}`);
		};
		store = await openMongoStore({ ...database, now: Date.now, onCommand });
		await store.collection({ name: 'things', indexes: [] });
		inventory = await openInventory({ store, clock: Date.now, limits });
	});
	after(async () => {
		await store.close();
		await database.drop();
	});

	const packages = (count: number, version: string) => Array.from({ length: count }, (_, n) => ({ name: `p${n}`, version }));
	const puts = (count: number, version: string): SoftwareChange[] =>
		packages(count, version).map((item) => ({ action: 'put', item: { ...item, softwareType: 'apt', url: undefined } }));
	/** Each package goes, and its next version comes. */
	const updates = (count: number): SoftwareChange[] =>
		puts(count, '2').flatMap((put, n) => [{ action: 'remove', name: `p${n}`, version: '1' }, put]);
	const things = (count: number): Step[] =>
		packages(count, '1').map(({ name }) => ({ kind: 'put', collection: 'things', document: { _id: name } }));

	/** A device that has reported so many packages. */
	async function deviceWith(count: number): Promise<ManagedObjectId> {
		const name = `device-${made++}`;
		const { id } = await inventory.devices.ensure(tenant, name, () => ({ owner: 'o', name, type: 't', fragments: {} }));
		if (count > 0) await inventory.software.change(tenant, id, puts(count, '1'));
		// From here on it is known how many there are.
		if (count > 0) await inventory.software.change(tenant, id, puts(count, '1'));
		return id;
	}
	const change = (id: ManagedObjectId, changes: readonly SoftwareChange[]) => inventory.software.change(tenant, id, changes);
	const set = (id: ManagedObjectId, count: number, version: string) =>
		inventory.software.set(tenant, id, packages(count, version), 'advanced');

	const ofOneDevice: [what: string, commands: number, packages: number, work: (id: ManagedObjectId) => Promise<unknown>][] = [
		['a 141 of one package', 3, 1, (id) => change(id, puts(1, '2'))],
		['a 141 of 100 packages', 3, 1, (id) => change(id, puts(100, '2'))],
		['the first 141', 9, 0, (id) => change(id, puts(100, '1'))],
		['141 and 142 of 20 packages by turns', 4, 20, (id) => change(id, updates(20))],
		['the first 140 of 1,000 packages', 7, 0, (id) => set(id, 1000, '1')],
		['a 140 that replaces 1,000 packages', 7, 1000, (id) => set(id, 1000, '2')],
		['a fragment', 2, 0, (id) => inventory.objects.update(tenant, id, { fragments: { c8y_Hardware: { model: 'm' } } })],
		['a fragment as it is', 1, 0, (id) => inventory.objects.update(tenant, id, { fragments: {} })],
		['a page of 2,000 packages', 1, 2000, (id) => inventory.software.list(tenant, id, {}, all)],
		['a page of 2,000 packages as text', 1, 2000, (id) => inventory.software.listText(tenant, id, {}, all)],
		['the number of packages', 1, 1, (id) => inventory.software.count(tenant, id, {})],
	];
	for (const [what, commands, count, work] of ofOneDevice) {
		it(`takes ${commands} at most for ${what}`, async () => {
			const id = await deviceWith(count);
			sent.length = 0;
			await work(id);
			expect(sent.length, sent.join(', ')).to.be.within(1, commands);
		});
	}

	it('takes 3 at most for an unchanged 140 of 1,000 packages, and writes nothing', async () => {
		const id = await deviceWith(0);
		await set(id, 1000, '1');
		sent.length = 0;
		await set(id, 1000, '1');
		expect(sent.length, sent.join(', ')).to.be.within(1, 3);
		expect(sent.filter((command) => !command.startsWith('find '))).to.deep.equal([]);
	});

	const together: [what: string, commands: number, changes: readonly SoftwareChange[]][] = [
		['141', 3, puts(10, '2')],
		['141 and 142', 4, updates(10)],
	];
	for (const [what, commands, changes] of together) {
		it(`takes ${commands} at most for the ${what} of 20 devices that come together`, async () => {
			const ids = await Promise.all(Array.from({ length: 20 }, () => deviceWith(10)));
			sent.length = 0;
			await Promise.all(ids.map((id) => change(id, changes)));
			expect(sent.length, sent.join(', ')).to.be.within(1, commands);
		});
	}

	it('takes 2 at most for a batch of 1,000 puts', async () => {
		sent.length = 0;
		expect(await store.batch(things(1000))).to.deep.equal({ ok: true });
		expect(sent.length, sent.join(', ')).to.be.within(1, 2);
	});

	it('takes 1 for 1,000 puts of different callers that come together', async () => {
		sent.length = 0;
		await Promise.all(things(1000).map((step) => store.batch([step])));
		expect(sent).to.deep.equal(['update things']);
	});
}
