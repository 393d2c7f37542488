import { expect } from 'chai';
import { expectRefusal, idOf, openInventoryBench, smallLimits, tenant, useBench } from './inventory-bench.ts';

const goodTexts = [
	'a',
	'main:device:child:service:x',
	'a/b/c',
	'/',
	'%2F',
	'a b',
	'..',
	'日本語',
	'😀',
	'"quoted",and more',
	"it's",
	'a\\b',
	'*',
	'x'.repeat(1024),
];

describe('inventory/external-ids', () => {
	const bench = useBench(openInventoryBench);
	const ids = () => bench().inventory.externalIds;

	for (const text of goodTexts) {
		it(`finds, lists and removes ${JSON.stringify(text.slice(0, 30))} as id and as type`, async () => {
			const device = await bench().device();
			for (const [type, externalId] of [
				['c8y_X', text],
				[text, 'x'],
			] as const) {
				await ids().bind(tenant, type, externalId, device);
				expect(await ids().get(tenant, type, externalId)).to.include({ type, externalId, managedObjectId: device });
				expect((await ids().list(tenant, device)).map((found) => found.externalId)).to.include(externalId);
				await ids().remove(tenant, type, externalId);
				expect(await ids().find(tenant, type, externalId)).to.equal(undefined);
			}
		});
	}

	it('keeps apart ids whose slashes stand in other places', async () => {
		const device = await bench().device();
		await ids().bind(tenant, 'a', 'b/c', device);
		await ids().bind(tenant, 'a/b', 'c', device);
		expect(await ids().find(tenant, 'a%2Fb', 'c')).to.equal(undefined);
		expect(await ids().list(tenant, device)).to.have.length(3);
	});

	it('keeps apart types, tenants and upper case', async () => {
		const device = await bench().device();
		await ids().bind(tenant, 'T', 'x', device);
		expect(await ids().find(tenant, 't', 'x')).to.equal(undefined);
		expect(await ids().find(tenant, 'T', 'X')).to.equal(undefined);
		expect(await ids().find('t2', 'T', 'x')).to.equal(undefined);
	});

	for (const text of ['\ud800', 'a\udc00b']) {
		it(`neither fails nor finds for half a character: ${JSON.stringify(text)}`, async () => {
			expect(await ids().find(tenant, text, text)).to.equal(undefined);
			await expectRefusal(ids().get(tenant, 'T', text), 'identity/notFound');
			await expectRefusal(ids().remove(tenant, 'T', text), 'identity/notFound');
		});
	}

	for (const [type, externalId] of [
		['', 'x'],
		['T', ''],
		['T', 'x'.repeat(1025)],
		['x'.repeat(1025), 'x'],
		['T', 'a\nb'],
		['a\u0000', 'x'],
		['T', '\u0085'],
	] as const) {
		it(`refuses to bind type ${JSON.stringify(type.slice(0, 9))} and id ${JSON.stringify(externalId.slice(0, 9))}`, async () => {
			const device = await bench().device();
			await expectRefusal(() => ids().bind(tenant, type, externalId, device), 'inventory/invalid', 'characte');
		});
	}

	it('finds all serials of an object behind more ids than one page has', async () => {
		const device = await bench().device();
		await ids().bind(tenant, 'c8y_Serial', 'zz', device);
		const names = Array.from({ length: 1001 }, (_, index) => `name-${index}`);
		await bench().store.batch(names.map((name) => ids().bindStep(tenant, 'a', name, device)));
		const serials: string[] = [];
		for await (const serial of ids().serialsOf(tenant, device)) serials.push(serial);
		expect(serials).to.include('zz').and.not.to.include('name-0');
	});

	it('refuses an id that is taken, by whomever', async () => {
		const device = await bench().device();
		const other = await bench().device('dev2');
		await ids().bind(tenant, 'T', 'x', device);
		await expectRefusal(ids().bind(tenant, 'T', 'x', device), 'identity/duplicate', 'T/x');
		await expectRefusal(ids().bind(tenant, 'T', 'x', other), 'identity/duplicate');
		await ids().bind('t1', 'T2', 'x', other);
	});

	it('gives a taken id to one of two that bind it at once', async () => {
		const device = await bench().device();
		const outcomes = await Promise.allSettled([1, 2].map(() => ids().bind(tenant, 'T', 'x', device)));
		expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
	});

	it('refuses to bind to an object that is not there', () =>
		expectRefusal(ids().bind(tenant, 'T', 'x', idOf('1')), 'inventory/notFound', "'1'"));

	it('finds the serials of several objects at once', async () => {
		const [one, two] = [await bench().device('one'), await bench().device('two')];
		await ids().bind(tenant, 'T', 'x', two);
		await ids().bind(tenant, 'c8y_Serial', 'second', two);
		const found = await ids().listSerials(tenant, [one, two]);
		expect(found.map(({ externalId }) => externalId)).to.deep.equal(['one', 'second', 'two']);
		expect(await ids().listSerials(tenant, [])).to.deep.equal([]);
	});

	it('gives an object so many and no more, however many come at once, and another one for one that goes', async () => {
		const device = await bench().device();
		const most = smallLimits.maxExternalIds;
		const attempts = Array.from({ length: 2 * most }, (_, index) => ids().bind(tenant, 'T', `${index}`, device));
		const outcomes = await Promise.allSettled(attempts);
		expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(most - 1);
		expect(await ids().list(tenant, device)).to.have.length(most);
		const another = () => ids().bind(tenant, 'T', 'another', device);
		await expectRefusal(
			another,
			'inventory/tooLarge',
			`'${device}' has ${most} external ids`,
			`at most ${most}`,
			'EXTERNAL_IDS_MAX',
		);
		await ids().remove(tenant, 'c8y_Serial', 'dev1');
		await another();
		expect(await bench().inventory.objects.get(tenant, device)).to.include({ revision: 1 });
	});
});
