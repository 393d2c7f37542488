import { expect } from 'chai';
import { type Logger, pino } from 'pino';
import type { Principal } from '../../../../access/index.ts';
import { collectionIdType, createTemplateCollections } from '../../../../service/mqtt/template-collections.ts';
import { openInventoryBench, tenant, useBench } from '../../inventory/inventory-bench.ts';
import { collectionLimits, documentOf } from '../../smartrest/collection-rows.ts';

const fragment = 'com_cumulocity_model_smartrest_csv_CsvSmartRestTemplate';
const maker: Principal = { tenant, userName: 'device_dev1', role: 'device', serial: 'dev1' };
const first = documentOf('11,1,,,a');
const second = documentOf('11,2,,,b', '11,3,,,c');

describe('service/mqtt/template-collections', () => {
	const bench = useBench(openInventoryBench);
	const warnings: string[] = [];
	const log: Logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
	const open = (cacheMilliseconds = 1000) =>
		createTemplateCollections({
			...bench(),
			elapsed: bench().clock,
			log,
			limits: { ...collectionLimits, cacheMaxCollections: 2, cacheMilliseconds },
		});
	type Collections = ReturnType<typeof open>;
	const idsOf = async (collections: Collections, xId: string, of = tenant) =>
		(await collections.find(of, xId))?.templates.responses.map(({ msgId }) => msgId);
	const replace = async (collections: Collections, xId: string, templates: unknown) => {
		const id = await collections.findId(tenant, xId);
		if (id) await bench().inventory.objects.update(tenant, id, { fragments: { [fragment]: templates } });
	};

	it('keeps a collection as a managed object that is known by its X-ID', async () => {
		const collections = open();
		expect(await collections.create(maker, 'coll', first)).to.equal('created');
		const { inventory } = bench();
		const { managedObjectId } = await inventory.externalIds.get(tenant, collectionIdType, 'coll');
		expect(await inventory.objects.get(tenant, managedObjectId)).to.deep.include({
			name: 'coll',
			type: 'c8y_SmartRest2Template',
			owner: 'device_dev1',
			fragments: { [fragment]: first, __externalId: 'coll' },
		});
		expect(await collections.findId(tenant, 'coll')).to.equal(managedObjectId);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['1']);
	});

	it('does not change what exists, and says whether it is the same', async () => {
		const collections = open();
		await collections.create(maker, 'coll', first);
		const writes = await bench().writes();
		expect(await collections.create(maker, 'coll', first)).to.equal('same');
		expect(await collections.create(maker, 'coll', second)).to.equal('exists');
		expect(await bench().writes()).to.equal(writes);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['1']);
	});

	it('gives the same answer to several that create at once', async () => {
		const collections = open();
		const outcomes = await Promise.all([first, first, second].map((each) => collections.create(maker, 'coll', each)));
		expect(outcomes.filter((outcome) => outcome === 'created')).to.have.length(1);
	});

	it('knows nothing of other tenants, nor of objects that hold no templates', async () => {
		const collections = open();
		await collections.create(maker, 'coll', first);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['1']);
		expect(await idsOf(collections, 'coll', 't2')).to.equal(undefined);
		const device = await bench().device('dev1');
		await bench().inventory.externalIds.bind(tenant, collectionIdType, 'device', device);
		expect(await collections.findId(tenant, 'device')).to.equal(undefined);
		expect(await idsOf(collections, 'device')).to.equal(undefined);
		expect(await collections.create(maker, 'device', first)).to.equal('exists');
	});

	it('sees a change and a removal by others when it reads again, and a new collection at once', async () => {
		const collections = open();
		expect(await idsOf(collections, 'coll')).to.equal(undefined);
		// Another process.
		await open().create(maker, 'coll', first);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['1']);
		await replace(collections, 'coll', second);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['1']);
		bench().clock.now += 1000;
		expect(await idsOf(collections, 'coll')).to.deep.equal(['2', '3']);
		const id = await collections.findId(tenant, 'coll');
		if (id) await bench().inventory.objects.remove(tenant, id, []);
		expect(await collections.findId(tenant, 'coll')).to.equal(undefined);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['2', '3']);
		bench().clock.now += 1000;
		expect(await idsOf(collections, 'coll')).to.equal(undefined);
	});

	it('prepares the same revision once, and reads each time where nothing may be remembered', async () => {
		const collections = open(0);
		await collections.create(maker, 'coll', first);
		const before = await collections.find(tenant, 'coll');
		await replace(collections, 'coll', second);
		expect(await idsOf(collections, 'coll')).to.deep.equal(['2', '3']);
		const remembering = open();
		await remembering.find(tenant, 'coll');
		bench().clock.now += 5000;
		expect(await remembering.find(tenant, 'coll'))
			.to.equal(await remembering.find(tenant, 'coll'))
			.and.not.to.equal(before);
	});

	it('remembers so many collections only', async () => {
		const collections = open(60_000);
		for (const xId of ['a', 'b', 'c']) {
			await collections.create(maker, xId, first);
			await collections.find(tenant, xId);
			await replace(collections, xId, second);
		}
		expect(await idsOf(collections, 'c')).to.deep.equal(['1']);
		expect(await idsOf(collections, 'a')).to.deep.equal(['2', '3']);
	});

	it('says in the log which templates cannot be used, once a revision', async () => {
		const collections = open();
		await collections.create(maker, 'coll', first);
		await replace(collections, 'coll', {
			responseTemplates: [
				{ msgId: 'bad', pattern: ['a['] },
				{ msgId: 'good', pattern: ['a'] },
			],
		});
		warnings.length = 0;
		for (let i = 0; i < 3; i++) {
			bench().clock.now += 1000;
			expect(await idsOf(collections, 'coll')).to.deep.equal(['good']);
		}
		expect(warnings).to.have.length(1);
		expect(JSON.parse(warnings[0] ?? '')).to.deep.include({
			faults: 1,
			shown: [{ msgId: 'bad', position: 5, reason: "a bracket is not closed - use $.a.b ['a'] [0] [*] .* or ..a" }],
		});
	});
});
