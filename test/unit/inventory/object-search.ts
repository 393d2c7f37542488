import { expect } from 'chai';
import type { ManagedObjectId, ObjectFilter } from '../../../inventory/index.ts';
import {
	expectRefusal,
	idOf,
	openInventoryBench,
	refusal,
	searchLimits,
	smallLimits,
	tenant,
	useBench,
} from './inventory-bench.ts';

const maxScanned = 1200;
const count = 1300;

describe('inventory/object-search', () => {
	describe('with more objects than may be looked at', () => {
		const bench = useBench(() =>
			openInventoryBench({ ...smallLimits, search: { ...searchLimits, maxScanned, maxDepth: 20, maxTerms: 200 } }),
		);
		const ids: ManagedObjectId[] = [];

		/** Every other one is a device and has a name; few are rare. */
		beforeEach(async () => {
			ids.length = 0;
			const made = await Promise.all(
				Array.from({ length: count }, async (_, n) => {
					const name = n % 2 === 0 ? { name: `d${String(n).padStart(4, '0')}` } : {};
					const fragments = { n, ...(n % 2 === 0 && { c8y_IsDevice: {} }), ...(n % 400 === 0 && { c8y_Rare: {} }) };
					return bench().inventory.objects.create(tenant, { owner: 'o', patch: { ...name, type: 't', fragments } });
				}),
			);
			ids.push(...made.flatMap((object) => object?.id ?? []).sort((a, b) => Number(a) - Number(b)));
		});

		const list = async (query: string, skip: number, limit: number) => {
			const found = await bench().inventory.objects.list(tenant, { query }, { skip, limit });
			return found.map(({ fragments }) => fragments.n);
		};
		const total = (query: string) => bench().inventory.objects.count(tenant, { query });

		it('answers what an index answers, and names the term where none does', async () => {
			expect(await list('has(c8y_Rare)', 0, 10)).to.deep.equal([0, 400, 800, 1200]);
			expect(await list('has(c8y_Rare) and n gt 400', 0, 10)).to.deep.equal([800, 1200]);
			expect(await list("name eq 'd0800' and n gt 1", 0, 10)).to.deep.equal([800]);
			expect(await list("type eq 't' and name eq 'd08*' and not(n eq 800)", 0, 2)).to.deep.equal([802, 804]);
			expect(await total("type eq 't'")).to.equal(count);
			expect(await total('has(c8y_IsDevice) and n lt 100')).to.equal(50);

			const { code, message } = await refusal(list("type eq 't' and n eq 1299", 0, 10));
			expect(code).to.equal('inventory/scanLimit');
			expect(message).to.contain('1200').and.contain('n eq 1299').and.not.contain('type eq');
			await expectRefusal(total("type eq 't' and n lt 5"), 'inventory/scanLimit', 'n lt 5');
			await expectRefusal(list('$orderby=n', 0, 10), 'inventory/scanLimit', 'no index gives this order');
			await expectRefusal(total(`isinhierarchyof(${ids[0]}) and n eq 1 or n eq 2`), 'inventory/scanLimit', 'n eq 2');
		});

		it('counts what is below all that a query names together, and takes turns for it', async () => {
			const { objects, hierarchy } = bench().inventory;
			const [top = idOf('1'), group = idOf('2'), ...members] = ids;
			await hierarchy.link(tenant, top, 'childAssets', group);
			await Promise.all(members.slice(0, 500).map((id) => hierarchy.link(tenant, group, 'childAssets', id)));
			const [all, most] = [`isinhierarchyof(${top})`, `isinhierarchyof(${group})`];
			let turns = 0;
			const search = (query: string) =>
				objects.search(tenant, { query }, (work) => {
					turns++;
					return work();
				});
			expect(await (await search(`${all} and ${most}`)).count()).to.equal(501);
			expect(turns).to.equal(2);
			await search("type eq 't'");
			expect(turns).to.equal(2);
			for (const query of [`${all} or ${most} or ${all}`, Array(200).fill(most).join(' or ')])
				await expectRefusal(search(query), 'inventory/scanLimit', 'more than 1200 objects');
		});

		it('fills a page from the first objects in order, however many follow', async () => {
			expect(await list("type eq 't' and n ge 10", 0, 3)).to.deep.equal([10, 11, 12]);
			expect(await list("type eq 't' and n ge 10", 1000, 3)).to.deep.equal([1010, 1011, 1012]);
			await expectRefusal(list("type eq 't' and n ge 10", 1189, 3), 'inventory/scanLimit', 'n ge 10');
			expect(await list(`_id ge '${ids[100]}' and n ge 10 $orderby=_id asc`, 0, 2)).to.deep.equal([100, 101]);
			expect(await list("type eq 't' and n ge 10 $orderby=_id desc", 0, 2)).to.deep.equal([count - 1, count - 2]);
			expect(await list("type eq 't' and n ge 10 $orderby=creationTime desc,_id desc", 0, 2)).to.deep.equal([
				count - 1,
				count - 2,
			]);
		});

		it('walks by name through those without one, forth and back', async () => {
			// 650 objects have no name, and come first.
			const forth = "n ge 0 and type eq 't' $orderby=name";
			expect(await list(forth, 0, 2)).to.deep.equal([1, 3]);
			expect(await list(forth, 649, 3)).to.deep.equal([count - 1, 0, 2]);
			expect(await list(forth, 660, 2)).to.deep.equal([20, 22]);
			expect(await list(`${forth} desc`, 0, 2)).to.deep.equal([count - 2, count - 4]);
			expect(await list(`${forth} desc`, 649, 3)).to.deep.equal([0, count - 1, count - 3]);
			expect(await list('has(c8y_IsDevice) and n ge 4 $orderby=name', 0, 2)).to.deep.equal([4, 6]);
			expect(await list('has(c8y_IsDevice) $orderby=name desc', 0, 2)).to.deep.equal([count - 2, count - 4]);
			expect(await list("n ge 0 and type eq 't' and not(has(name)) $orderby=name", 0, 1)).to.deep.equal([1]);
		});

		it('reads every object once in a walk by id', async () => {
			const seen: unknown[] = [];
			for (let after = '0'; ; ) {
				const query = `$filter=(_id gt '${after}') and (type eq 't') $orderby=_id asc`;
				const page = await bench().inventory.objects.list(tenant, { query }, { skip: 0, limit: 100 });
				seen.push(...page.map(({ id }) => id));
				const last = page.at(-1);
				if (!last) break;
				after = last.id;
			}
			expect(seen).to.deep.equal(ids);
		});

		it('answers the largest query that the settings allow', async () => {
			const wide = Array.from({ length: 200 }, (_, n) => `n eq ${n}`).join(' or ');
			expect(await list(`has(c8y_Rare) and (${wide.slice(0, wide.lastIndexOf(' or'))})`, 0, 5)).to.deep.equal([0]);
			let deep = 'n eq 0';
			for (let level = 0; level < 9; level++) deep = `not(n eq ${level + 1} ${level % 2 === 0 ? 'or' : 'and'} (${deep}))`;
			expect(await list(`has(c8y_Rare) and ${deep}`, 0, 5)).to.be.an('array');
			const conditions = Array.from({ length: 18 }, (_, level) => (level % 2 === 0 ? 'and' : 'or')).reduce(
				(inner, word, level) => `(n ge ${level} ${word} ${inner})`,
				'n eq 0',
			);
			expect(await list(`has(c8y_Rare) and ${conditions}`, 0, 5)).to.be.an('array');
		});
	});

	describe('parameters', () => {
		const bench = useBench(openInventoryBench);
		const create = async (body: object, more: { name?: string; type?: string; owner?: string } = {}) => {
			const { owner = 'o', ...named } = more;
			const made = await bench().inventory.objects.create(tenant, { owner, patch: { ...named, fragments: { ...body } } });
			if (!made) throw new Error('nothing was created');
			return made.id;
		};
		const find = async (filter: ObjectFilter) =>
			(await bench().inventory.objects.list(tenant, filter, { skip: 0, limit: 100 })).map(({ id }) => id);

		it('finds texts as whole values of properties, at any depth', async () => {
			const a = await create({ x: 'a b', list: ['in a list'] }, { name: 'n' });
			const b = await create({ x: { y: { z: 'a b' } } }, { type: 'n' });
			await create({ x: 'a b c' });
			expect(await find({ text: 'a b' })).to.deep.equal([a, b]);
			expect(await find({ text: 'n' })).to.deep.equal([a, b]);
			expect(await find({ text: 'in a list' })).to.deep.equal([]);
			expect(await find({ text: 'a' })).to.deep.equal([]);
			expect(await find({ text: 'x'.repeat(300) })).to.deep.equal([]);
			await bench().inventory.objects.update(tenant, a, { name: 'm', fragments: { x: null } });
			expect(await find({ text: 'a b' })).to.deep.equal([b]);
			expect(await find({ text: 'm' })).to.deep.equal([a]);
		});

		it('finds parents, roots and children, and combines all with and', async () => {
			const { hierarchy } = bench().inventory;
			const [p, q, c] = [await create({}, { type: 'p' }), await create({}), await create({})];
			await hierarchy.link(tenant, p, 'childDevices', c);
			await hierarchy.link(tenant, q, 'childDevices', c);
			await hierarchy.link(tenant, q, 'childAssets', c);
			expect(await find({ childDeviceId: c })).to.deep.equal([p, q]);
			expect(await find({ childAssetId: c })).to.deep.equal([q]);
			expect(await find({ childAdditionId: c })).to.deep.equal([]);
			expect(await find({ childDeviceId: c, type: 'p' })).to.deep.equal([p]);
			expect(await find({ childDeviceId: 'x' })).to.deep.equal([]);
			expect(await find({ onlyRoots: true })).to.deep.equal([p, q]);
			expect(await find({ onlyRoots: true, query: 'has(never)' })).to.deep.equal([]);
			expect(await find({ below: { id: q, kind: 'childAssets' } })).to.deep.equal([c]);
			await hierarchy.unlink(tenant, p, 'childDevices', c);
			await bench().inventory.objects.remove(tenant, q, []);
			expect(await find({ onlyRoots: true })).to.deep.equal([p, c]);
		});

		it('restricts q to devices, and takes the order of either', async () => {
			const a = await create({ c8y_IsDevice: {} }, { name: 'x', type: 't' });
			const b = await create({ c8y_IsDevice: {} }, { name: 'w', type: 't' });
			await create({}, { name: 'v', type: 't' });
			expect(await find({ q: "$filter=(type eq 't') $orderby=name" })).to.deep.equal([b, a]);
			expect(await find({ q: '$filter= $orderby=name' })).to.deep.equal([b, a]);
			expect(await find({ q: '', query: "name eq 'x' or name eq 'v'" })).to.deep.equal([a]);
		});

		it('knows availability by the time that passes', async () => {
			const { clock } = bench();
			const lastMessage = new Date(clock.now).toISOString();
			const a = await create({ c8y_Availability: { lastMessage }, c8y_RequiredAvailability: { responseInterval: 1 } });
			const b = await create({ c8y_Availability: { lastMessage }, c8y_RequiredAvailability: { responseInterval: 2 } });
			await create({ c8y_Availability: { lastMessage } });
			const available = { query: "c8y_Availability.status eq 'AVAILABLE'" };
			expect(await find(available)).to.deep.equal([a, b]);
			clock.now += 60_001;
			expect(await find(available)).to.deep.equal([b]);
			expect(await find({ query: "c8y_Availability.status eq 'UNAVAILABLE'" })).to.deep.equal([a]);
		});

		it('asks the stored query of a dynamic group', async () => {
			const a = await create({ c8y_IsDevice: {} }, { type: 't' });
			const b = await create({ c8y_IsDevice: {} }, { type: 'u' });
			await create({}, { type: 't' });
			const stored = (c8y_DeviceQueryString: string) => create({ c8y_IsDynamicGroup: {}, c8y_DeviceQueryString });
			const group = await stored("$filter=(type eq 't') $orderby=name");
			expect(await find({ query: `bygroupid(${group})` })).to.deep.equal([a]);
			expect(await find({ query: `has(c8y_IsDevice) and not(bygroupid(${group}))` })).to.deep.equal([b]);
			expect(await find({ below: { id: group, kind: 'childAssets' } })).to.deep.equal([a]);
			expect(await find({ below: { id: group, kind: 'childDevices' } })).to.deep.equal([]);

			const outer = await stored(`bygroupid(${group})`);
			await expectRefusal(find({ query: `bygroupid(${outer})` }), 'inventory/badQuery', outer, group);
			const broken = await stored('name eq');
			await expectRefusal(find({ query: `bygroupid(${broken})` }), 'inventory/badQuery', broken, 'position 8');
			const long = await stored(Array.from({ length: 60 }, () => 'has(a)').join(' or '));
			await expectRefusal(find({ query: `bygroupid(${long}) or not(bygroupid(${long}))` }), 'inventory/badQuery', '124 terms');
			// Too many terms are refused before the groups among them are looked up.
			const wide = await stored(Array.from({ length: 60 }, () => `bygroupid(${group})`).join(' or '));
			await expectRefusal(find({ query: `bygroupid(${wide}) or not(bygroupid(${wide}))` }), 'inventory/badQuery', '124 terms');
		});
	});
});
