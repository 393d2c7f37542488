import { expect } from 'chai';
import fc from 'fast-check';
import { openInventory } from '../../inventory/index.ts';
import {
	packageTest,
	parseSoftwareConditions,
	type SoftwareCondition,
} from '../../inventory/software-search/software-condition.ts';
import type { OrderOfType } from '../../inventory/software-search/version-order.ts';
import { sized } from '../support/named-stores.ts';
import { openSharedStore } from '../support/shared-store.ts';
import { smallLimits, startTime, tenant, useBench } from '../unit/inventory/inventory-bench.ts';

const orders: OrderOfType = new Map([['apt', 'debian'], ['npm', 'semver']] as const); // biome-ignore format: one line
const names = ['a', 'a1', 'b', 'ä'];
const versions = ['', '1.0', '1.0~rc1', '1.9.0', '1.10.0', '2.0.0-beta', 'latest'];
const types = [undefined, 'apt', 'npm'];

interface Item {
	readonly name: string;
	readonly version: string;
	readonly softwareType?: string;
}

describe('contract/software-search', function () {
	this.timeout(60_000);
	const bench = useBench(async () => {
		const store = await openSharedStore();
		return { store, inventory: await openInventory({ store, clock: () => startTime, limits: smallLimits }) };
	});

	const device = async (of: string, serial: string, items: readonly Item[]) => {
		const { id } = await bench().inventory.devices.ensure(of, serial, () => ({
			owner: 'o',
			name: `name of ${serial}`,
			type: 'test',
			fragments: { c8y_IsDevice: {} },
		}));
		if (items.length > 0) await bench().inventory.software.set(of, id, items, 'advanced');
		return id;
	};
	const conditionsOf = (...texts: string[]) => parseSoftwareConditions(texts, { maxLength: 100, maxTerms: 10 });
	const find = async (conditions: readonly SoftwareCondition[], range = { skip: 0, limit: 1000 }, of = tenant) =>
		bench().inventory.softwareSearch.listDevices({ tenant: of }, conditions, orders, range);
	const idsFor = async (...texts: string[]) => (await find(conditionsOf(...texts))).map(({ id }) => id);

	it('shows a device with its name, its serial and the packages that meet the conditions', async () => {
		const items = [
			{ name: 'a', version: '1', softwareType: 'apt', url: 'http://a' },
			{ name: 'a', version: '2' },
			{ name: 'a', version: '3', softwareType: 'apt' },
			{ name: 'b', version: '' },
		];
		const id = await device(tenant, 's1', items);
		expect(await find(conditionsOf('a;version<3', 'b', '!c'))).to.deep.equal([
			{
				id,
				name: 'name of s1',
				serial: 's1',
				software: [
					{ name: 'a', version: '1', softwareType: 'apt' },
					{ name: 'a', version: '2', softwareType: undefined },
					{ name: 'b', version: '', softwareType: undefined },
				],
			},
		]);
	});

	it('finds what is installed now: not what was removed, replaced or had another type, nor devices that are gone', async () => {
		const item = { name: 'a', version: '1', softwareType: 'apt' };
		const ids: string[] = [];
		for (const serial of ['s1', 's2', 's3', 's4', 's5']) ids.push(await device(tenant, serial, [item]));
		const [removed, replaced, retyped, gone, kept] = (await find(conditionsOf('a'))).map(({ id }) => id);
		if (!removed || !replaced || !retyped || !gone || !kept) throw new Error('not all are found');
		await bench().inventory.software.change(tenant, removed, [{ action: 'remove', name: 'a', version: '1' }]);
		await bench().inventory.software.set(tenant, replaced, [{ name: 'b', version: '1' }], 'advanced');
		await bench().inventory.software.change(tenant, retyped, [{ action: 'put', item: { ...item, softwareType: 'npm' } }]);
		await bench().inventory.software.change(tenant, kept, [{ action: 'put', item: { ...item, url: 'http://other' } }]);
		await bench().inventory.objects.remove(tenant, gone, []);
		expect(await idsFor('a;type=apt')).to.deep.equal([kept]);
		expect(await idsFor('a')).to.deep.equal([retyped, kept]);
		expect(await idsFor('!a')).to.deep.equal([removed, replaced]);
		const listed = await bench().inventory.softwareSearch.listVersions({ tenant, name: 'a' }, orders);
		expect(listed.map(({ softwareType, devices }) => [softwareType, devices])).to.deep.equal([['apt', 1], ['npm', 1]]); // biome-ignore format: one line
	});

	it('keeps tenants apart, also those whose names begin alike', async () => {
		const item = { name: 'a', version: '1' };
		for (const of of ['t', 't1', 't10', 't2']) await device(of, 's', [item]);
		for (const of of ['t', 't1', 't10', 't2']) {
			expect((await find(conditionsOf('a'), undefined, of)).length, of).to.equal(1);
			expect((await find(conditionsOf('!b'), undefined, of)).length, of).to.equal(1);
			expect(await bench().inventory.softwareSearch.listVersions({ tenant: of, name: 'a' }, orders), of).to.have.length(1);
		}
		expect(await find(conditionsOf('a'), undefined, 't3')).to.deep.equal([]);
	});

	it('looks at one device alone where it is told to', async () => {
		const first = await device(tenant, 's1', [{ name: 'a', version: '1' }]);
		await device(tenant, 's2', [{ name: 'a', version: '2' }]);
		const scope = { tenant, device: first };
		for (const text of ['a', '!b']) {
			const found = await bench().inventory.softwareSearch.listDevices(scope, conditionsOf(text), orders, { skip: 0, limit: 10 });
			expect(found.map(({ id }) => id)).to.deep.equal([first]);
		}
		expect(await bench().inventory.softwareSearch.countDevices(scope, conditionsOf('!a'), orders)).to.equal(0);
		const listed = await bench().inventory.softwareSearch.listVersions({ ...scope, name: 'a' }, orders);
		expect(listed.map(({ version }) => version)).to.deep.equal(['1']);
	});

	it('reads on over many parts of the index', async () => {
		const count = sized(1200, 300);
		const ids = await Promise.all(
			Array.from({ length: count }, (_, n) => device(tenant, `s${n}`, [{ name: 'a', version: `${n % 7}` }, { name: 'b', version: `${n}` }])),
		); // biome-ignore format: one line
		const sorted = ids.map((id, n) => ({ id: String(id), n })).sort((a, b) => (a.id < b.id ? -1 : 1));
		const expected = sorted.filter(({ n }) => n % 7 < 2 && n >= 100).map(({ id }) => id);
		expect(await idsFor('a;version<2', 'b;version>=100')).to.deep.equal(expected);
		expect(await idsFor('b;version>=100', 'a;version<2', '!c')).to.deep.equal(expected);
		const one = await find(conditionsOf(`b;version=${count - 1}`, 'a'));
		expect(one.map(({ software }) => software.length)).to.deep.equal([2]);
		const listed = await bench().inventory.softwareSearch.listVersions({ tenant, name: 'a' }, orders);
		expect(listed.map(({ version }) => version)).to.deep.equal(['6', '5', '4', '3', '2', '1', '0']);
		expect(listed.reduce((sum, { devices }) => sum + devices, 0)).to.equal(count);
	});

	it('finds what the plainest evaluation finds, page by page, and counts it', async () => {
		const item = fc.record({
			name: fc.constantFrom(...names),
			version: fc.constantFrom(...versions),
			type: fc.constantFrom(...types),
		});
		const fleet = fc.array(fc.array(item, { maxLength: 8 }), { minLength: 1, maxLength: 12 });
		const condition: fc.Arbitrary<SoftwareCondition> = fc
			.record({
				isNegated: fc.boolean(),
				name: fc.constantFrom(...names),
				type: fc.constantFrom(...types),
				versions: fc.array(
					fc.record({
						comparison: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
						version: fc.constantFrom(...versions.slice(1)),
					}),
					{ maxLength: 2 },
				),
			})
			.map(({ type, ...rest }) => (type === undefined ? rest : { ...rest, type }));
		let round = 0;
		await fc.assert(
			fc.asyncProperty(
				fleet,
				fc.array(fc.array(condition, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
				fc.integer({ min: 1, max: 5 }),
				async (lists, queries, limit) => {
					const of = `r${round++}`;
					const all = await Promise.all(
						lists.map(async (list, n) => {
							const items = list.map(({ type, ...rest }) => (type === undefined ? rest : { ...rest, softwareType: type }));
							const id = await device(of, `s${n}`, items);
							return { id, items: (await bench().inventory.software.list(of, id, {}, { skip: 0, limit: 100 })) as Item[] };
						}),
					);
					all.sort((a, b) => (a.id < b.id ? -1 : 1));
					for (const conditions of queries) {
						const expected = all
							.filter(({ items }) => conditions.every((each) => items.some(meets(each)) !== each.isNegated))
							.map(({ id }) => id);
						const found: string[] = [];
						for (let after: string | undefined; ; after = found.at(-1)) {
							const range = { skip: 0, limit, ...(after !== undefined && { after }) };
							const page = await find(conditions, range, of);
							found.push(...page.map(({ id }) => id));
							if (page.length < limit) break;
						}
						expect(found).to.deep.equal(expected);
						const skipped = await find(conditions, { skip: limit, limit }, of);
						expect(skipped.map(({ id }) => id)).to.deep.equal(expected.slice(limit, 2 * limit));
						expect(await bench().inventory.softwareSearch.countDevices({ tenant: of }, conditions, orders)).to.equal(
							expected.length,
						);
					}
					for (const name of names) {
						const installed = all.flatMap(({ items }) => items.filter((each) => each.name === name));
						const listed = await bench().inventory.softwareSearch.listVersions({ tenant: of, name }, orders);
						const shown = listed.flatMap(({ devices, version, softwareType }) =>
							Array(devices).fill(`${version} ${softwareType}`),
						);
						expect(shown.sort()).to.deep.equal(installed.map((each) => `${each.version} ${each.softwareType}`).sort());
					}
				},
			),
			{ numRuns: sized(40, 6) },
		);
	});

	function meets(condition: SoftwareCondition): (item: Item) => boolean {
		return ({ name, version, softwareType }) => name === condition.name && packageTest(condition, orders)(version, softwareType);
	}
});
