import { expect } from 'chai';
import type { SentPackage, SoftwareMode, SoftwarePackage } from '../../../inventory/index.ts';
import { legacyItem, parseObjectBody } from '../../../inventory/index.ts';
import { expectRefusal, idOf, openInventoryBench, tenant, useBench } from './inventory-bench.ts';

type Door = 'legacy set' | 'legacy fragment' | 'advanced set' | 'append' | 'remove' | 'null';
type Shown = SoftwareMode | 'none';

const p = (name: string, version = '1', more: Partial<SoftwarePackage> = {}): SoftwarePackage => ({ name, version, ...more });
const short = ({ name, version }: SoftwarePackage) => `${name} ${version}`;

describe('inventory/installed-software', () => {
	const bench = useBench(openInventoryBench);
	const software = () => bench().inventory.software;
	const page = { skip: 0, limit: 100 };
	const listed = async (device: string) => (await software().list(tenant, idOf(device), {}, page)).map(short);
	const patch = (device: string, body: unknown) =>
		bench().inventory.objects.update(tenant, idOf(device), parseObjectBody(body, { maxFragments: 50 }));

	async function shown(device: string): Promise<Shown> {
		const { objects } = bench().inventory;
		const object = await objects.get(tenant, idOf(device));
		const additions = await objects.listChildren(tenant, [idOf(device)], 10, 'childAdditions');
		const list = additions[0] && (await objects.find(tenant, additions[0].child));
		const isLegacy = object.fragmentNames.includes('c8y_SoftwareList');
		expect(object.software?.mode).to.equal(isLegacy ? 'legacy' : list ? 'advanced' : undefined);
		expect(additions.length, 'list objects').to.equal(object.software?.mode === 'advanced' ? 1 : 0);
		expect(object.fragments).to.not.have.property('c8y_SoftwareList');
		return object.software?.mode ?? 'none';
	}

	const doors: Readonly<Record<Door, (device: string) => Promise<unknown>>> = {
		'legacy set': (device) => software().set(tenant, idOf(device), [p('new')], 'legacy'),
		'legacy fragment': (device) => patch(device, { c8y_SoftwareList: [{ name: 'new', version: '1' }] }),
		'advanced set': (device) => software().set(tenant, idOf(device), [p('new')], 'advanced'),
		append: (device) => software().change(tenant, idOf(device), [{ action: 'put', item: p('new') }]),
		remove: (device) => software().change(tenant, idOf(device), [{ action: 'remove', name: 'old', version: '1' }]),
		null: (device) => patch(device, { c8y_SoftwareList: null }),
	};

	// Each row: how the list was, the door, how it is afterwards and what is in it. The list was ['old 1', 'old2 1'].
	const oneListTwoDoors: [before: Shown, door: Door, after: Shown, list: string[]][] = [
		['none', 'legacy set', 'legacy', ['new 1']],
		['none', 'legacy fragment', 'legacy', ['new 1']],
		['none', 'advanced set', 'advanced', ['new 1']],
		['none', 'append', 'advanced', ['new 1']],
		['none', 'remove', 'advanced', []],
		['none', 'null', 'none', []],
		['legacy', 'legacy set', 'legacy', ['new 1']],
		['legacy', 'legacy fragment', 'legacy', ['new 1']],
		['legacy', 'advanced set', 'advanced', ['new 1']],
		['legacy', 'append', 'legacy', ['new 1', 'old 1', 'old2 1']],
		['legacy', 'remove', 'legacy', ['old2 1']],
		['legacy', 'null', 'none', []],
		['advanced', 'legacy set', 'legacy', ['new 1']],
		['advanced', 'legacy fragment', 'legacy', ['new 1']],
		['advanced', 'advanced set', 'advanced', ['new 1']],
		['advanced', 'append', 'advanced', ['new 1', 'old 1', 'old2 1']],
		['advanced', 'remove', 'advanced', ['old2 1']],
		['advanced', 'null', 'advanced', ['old 1', 'old2 1']],
	];
	for (const [before, door, after, list] of oneListTwoDoors) {
		it(`makes a list that was ${before} ${after} through the door '${door}'`, async () => {
			const device = await bench().device();
			if (before !== 'none') await software().set(tenant, device, [p('old'), p('old2')], before);
			expect(await shown(device)).to.equal(before);
			await doors[door](device);
			expect(await shown(device)).to.equal(after);
			expect(await listed(device)).to.deep.equal(list);
		});
	}

	for (const mode of ['legacy', 'advanced'] as const) {
		it(`lets a later entry of one ${mode} list win`, async () => {
			const device = await bench().device();
			const items = [p('a', '1', { softwareType: 'x', url: 'u' }), p('b'), p('a', '1', { softwareType: 'y' }), p('a', '2')];
			await software().set(tenant, device, items, mode);
			const all = await software().list(tenant, device, {}, page);
			expect(all.map(short)).to.deep.equal(['a 1', 'a 2', 'b 1']);
			expect(all[0]).to.include({ softwareType: 'y' }).and.not.have.property('url');
		});

		it(`writes nothing for an unchanged ${mode} list`, async () => {
			const device = await bench().device();
			const items = [p('a', '1', { softwareType: 'x', url: 'u' }), p('b', '')];
			await software().set(tenant, device, items, mode);
			const writes = await bench().writes();
			await software().set(tenant, device, items, mode);
			expect(await bench().writes()).to.equal(writes);
			await software().set(tenant, device, [], mode);
			const emptied = await bench().writes();
			await software().set(tenant, device, [], mode);
			expect(await bench().writes()).to.equal(emptied);
		});

		it(`ends with one of two ${mode} lists whole that are set at once`, async () => {
			const device = await bench().device();
			const lists = ['a', 'b', 'c'].map((name) => Array.from({ length: 30 }, (_, i) => p(`${name}${i}`)));
			await Promise.all(lists.map((list) => software().set(tenant, device, list, mode)));
			const names = await listed(device);
			expect(names).to.have.length(30);
			expect(new Set(names.map((name) => name[0])).size).to.equal(1);
			expect(await shown(device)).to.equal(mode);
		});
	}

	it('applies appends and removals in their order, all or nothing', async () => {
		const device = await bench().device();
		await software().change(tenant, device, [
			{ action: 'put', item: p('a', '1', { url: 'old' }) },
			{ action: 'put', item: p('b') },
			{ action: 'remove', name: 'b', version: '1' },
			{ action: 'remove', name: 'a', version: '1' },
			{ action: 'put', item: p('a', '1', { url: 'new' }) },
			{ action: 'remove', name: 'unknown', version: '' },
		]);
		expect(await software().list(tenant, device, {}, page)).to.have.length(1);
		expect((await software().list(tenant, device, {}, page))[0]).to.include({ name: 'a', url: 'new' });
	});

	it('removes by name and version both, and by nothing else', async () => {
		const device = await bench().device();
		await software().set(tenant, device, [p('a', '1'), p('a', '2'), p('A', '1'), p('a', ''), p('b', '1')], 'advanced');
		await software().change(tenant, device, [{ action: 'remove', name: 'a', version: '1' }]);
		expect(await listed(device)).to.deep.equal(['A 1', 'a ', 'a 2', 'b 1']);
	});

	it('writes nothing for an append that changes nothing', async () => {
		const device = await bench().device();
		await software().set(tenant, device, [p('a', '1', { softwareType: 't', url: 'u' })], 'advanced');
		const { revision } = await bench().inventory.objects.get(tenant, device);
		await software().change(tenant, device, [{ action: 'put', item: p('a', '1', { softwareType: 't', url: 'u' }) }]);
		expect((await bench().inventory.objects.get(tenant, device)).revision).to.equal(revision);
		expect(await listed(device)).to.deep.equal(['a 1']);
	});

	it('shows a legacy list as it was sent: order, fields of its own, nulls and missing versions', async () => {
		const device = await bench().device();
		const sent = [
			{ name: 'z', version: '1', url: '' },
			{ name: 'a', version: '2', url: 'u', softwareType: 'apt', extra: { deep: [1] } },
			{ name: 'm' },
			{ name: 'b', version: null, url: null, id: 5 },
			{ url: '', version: '', name: 'c' },
		];
		await patch(device, { c8y_SoftwareList: sent });
		expect((await software().listAll(tenant, device)).map(legacyItem)).to.deep.equal(sent);
		const writes = await bench().writes();
		await patch(device, { c8y_SoftwareList: sent });
		expect(await bench().writes()).to.equal(writes);
		await patch(device, { c8y_SoftwareList: [...sent].reverse() });
		expect((await software().listAll(tenant, device)).map(legacyItem)).to.deep.equal([...sent].reverse());
	});

	it('keeps a new object and its legacy list together', async () => {
		const made = await bench().inventory.objects.create(tenant, {
			owner: 'o',
			patch: { fragments: { a: 1 }, softwareList: [{ name: 'p' }] },
		});
		expect(made?.software?.mode).to.equal('legacy');
		expect(await listed(made?.id ?? '')).to.deep.equal(['p ']);
	});

	it('does not know the software of a device that is not there', async () => {
		const nobody = idOf('1');
		await expectRefusal(software().set(tenant, nobody, [], 'legacy'), 'inventory/notFound', "'1'");
		await expectRefusal(software().change(tenant, nobody, [{ action: 'put', item: p('a') }]), 'inventory/notFound', "'1'");
		expect(await software().list(tenant, nobody, {}, page)).to.deep.equal([]);
	});

	it('keeps the lists of devices apart whose ids begin alike', async () => {
		const { store } = bench();
		const device = await bench().device();
		await store.batch([
			{ kind: 'put', collection: 'packages', document: Object.assign({ _id: `${tenant}/${device}0\u0001x\u00011` }, p('x')) },
		]);
		await software().set(tenant, device, [p('a')], 'advanced');
		await software().set(tenant, device, [], 'advanced');
		expect(await software().count(tenant, idOf(`${device}0`), {})).to.equal(1);
	});

	it('changes nothing when the store cannot write', async () => {
		const device = await bench().device();
		const old: SentPackage[] = [p('a'), p('b')];
		await software().set(tenant, device, old, 'advanced');
		bench().store.beforeBatch = () => {
			throw new Error('disk full');
		};
		await expectRefusal(software().set(tenant, device, [p('c')], 'legacy'), 'Error', 'disk full');
		await expectRefusal(software().change(tenant, device, [{ action: 'put', item: p('c') }]), 'Error', 'disk full');
		expect(await listed(device)).to.deep.equal(['a 1', 'b 1']);
		expect(await shown(device)).to.equal('advanced');
	});
});
