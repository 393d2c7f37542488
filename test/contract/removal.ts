import { Readable } from 'node:stream';
import { expect } from 'chai';
import { openEvents } from '../../events/index.ts';
import { referenceSpec } from '../../inventory/binary-records.ts';
import { openBinaries, openInventory } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import { openRemoval } from '../../service/http/removal.ts';
import { openFileContents } from '../../store/files/index.ts';
import type { Collection, CollectionSpec, DocumentStore, StoredDocument } from '../../store/index.ts';
import { openSharedStore } from '../support/shared-store.ts';
import { expectRefusal, refusal, smallLimits, startTime, tenant, useBench } from '../unit/inventory/inventory-bench.ts';

interface MortalStore extends DocumentStore {
	/** Writes that are made before the process dies. */
	left: number;
}

/** The same store for a process that dies between two writes. */
function mortal(store: DocumentStore): MortalStore {
	const live = (): void => {
		if (test.left-- <= 0) throw new Error('the process died');
	};
	const test: MortalStore = {
		...store,
		left: 0,
		async batch(steps) {
			live();
			return store.batch(steps);
		},
		async collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> {
			const collection = await store.collection(spec);
			return {
				...collection,
				async findOneAndUpdate(...change) {
					live();
					return collection.findOneAndUpdate(...change);
				},
			};
		},
	};
	return test;
}

describe('contract/removal', () => {
	const bench = useBench(async () => ({ store: await openSharedStore() }));

	let contents: Awaited<ReturnType<typeof openFileContents>>;
	before(async () => {
		contents = await openFileContents({ minFreeBytes: 0, isExclusive: true });
	});
	after(() => contents.close());

	async function open(store: DocumentStore) {
		const clock = () => startTime;
		const inventory = await openInventory({ store, clock, limits: smallLimits });
		const limits = { operationMaxBytes: 2000, maxItems: 20 };
		const operations = await openOperations({ store, inventory, clock, limits, numbersAtATime: 1, fault: () => undefined });
		const ofBinaries = { maxBytes: 1000, tenantMaxBytes: async () => 0, leftoverAfterMilliseconds: 1000 };
		const binaries = openBinaries({ inventory, contents, clock, limits: ofBinaries });
		const ofEvents = { eventMaxBytes: 1000, maxFragments: 10, maxPerDevice: 10, retentionMilliseconds: 0 };
		const events = await openEvents({ store, binaries, clock, numbersAtATime: 1, limits: ofEvents });
		const removal = openRemoval({ inventory, operations, events, onDevicesRemoved: () => undefined });
		return { inventory, operations, events, binaries, removal };
	}

	it('leaves nothing that waits for a device that is gone, wherever the process dies, and can be asked again', async () => {
		const { store } = bench();
		const { inventory, operations, events, binaries, removal } = await open(store);
		const references = await store.collection(referenceSpec);
		const fragments = { c8y_IsDevice: {}, com_cumulocity_model_Agent: {}, c8y_SupportedOperations: ['c8y_Restart'] };
		const make = async (serial: string) => {
			const { id } = await inventory.devices.ensure(tenant, serial, () => ({
				owner: 'o',
				name: serial,
				type: 'test',
				fragments,
			}));
			await operations.create(tenant, { deviceId: id, fragments: { c8y_Restart: {} } });
			const event = await events.create(tenant, { source: id, type: 't', text: 't', time: startTime, fragments: {} });
			const log = await binaries.receive(tenant, Readable.from([Buffer.from('log')]));
			await events.attach(tenant, event.id, { name: 'log', contentType: 'text/plain' }, log);
			return id;
		};
		const openFor = async (deviceId: string) => operations.count(tenant, { deviceId, status: 'PENDING' });
		const dying = mortal(store);
		const process = await open(dying);
		let end: string | undefined = '';
		let deaths = 0;
		for (; end !== undefined; deaths++) {
			const [agent, child] = [await make(`agent${deaths}`), await make(`child${deaths}`)];
			await inventory.hierarchy.link(tenant, agent, 'childDevices', child);
			dying.left = deaths;
			end = await process.removal.remove(tenant, agent, ['childDevices']).then(
				() => undefined,
				({ message }: Error) => message,
			);
			expect(end).to.be.oneOf(['the process died', undefined]);
			for (const id of [agent, child]) {
				if (await inventory.objects.find(tenant, id)) continue;
				expect(await openFor(id), `operations of ${id}, dead before write ${deaths}`).to.equal(0);
				expect(await events.count(tenant, { source: id }), `events of ${id}, dead before write ${deaths}`).to.equal(0);
			}
			if (await inventory.objects.find(tenant, agent)) await removal.remove(tenant, agent, ['childDevices']);
			expect(await operations.count(tenant, { status: 'PENDING' })).to.equal(0);
		}
		expect(deaths).to.be.greaterThan(8);
		expect(await inventory.objects.count(tenant, {})).to.equal(0);
		expect([await events.count(tenant, {}), await references.count({})]).to.deep.equal([0, 0]);
	});

	it('takes no operation for, and no event of, a device that is being removed', async () => {
		const { store } = bench();
		const { inventory, operations, events } = await open(store);
		const fragments = { c8y_IsDevice: {}, c8y_SupportedOperations: ['c8y_Restart'] };
		const { id } = await inventory.devices.ensure(tenant, 's', () => ({ owner: 'o', name: 's', type: 'test', fragments }));
		const create = () => operations.create(tenant, { deviceId: id, fragments: { c8y_Restart: {} } });
		await create();
		const dying = mortal(store);
		const process = await open(dying);
		dying.left = 1;
		expect((await refusal(process.removal.remove(tenant, id, []))).message).to.equal('the process died');
		await expectRefusal(create(), 'inventory/conflict', 'is being removed');
		const event = { source: id, type: 't', text: 't', time: startTime, fragments: {} };
		expect((await refusal(events.create(tenant, event))).message).to.match(/is being removed/);
	});
});
