import { expect } from 'chai';
import type { PackageFilter, SoftwarePackage } from '../../../inventory/index.ts';
import { openInventoryBench, tenant, useBench } from './inventory-bench.ts';

const all: readonly SoftwarePackage[] = [
	{ name: 'a', version: '1' },
	{ name: 'a', version: '1.0', softwareType: 'apt' },
	{ name: 'a', version: '10', softwareType: 'apt' },
	{ name: 'a', version: '2', softwareType: 'apt-x' },
	{ name: 'a1', version: '0' },
	{ name: 'a[b]', version: '1' },
	{ name: 'a?c', version: '1' },
	{ name: 'abc', version: '' },
	{ name: 'axc', version: '1_0', softwareType: 'docker' },
	{ name: 'a%', version: '1%0' },
	{ name: 'a_', version: '1' },
	{ name: 'a\\', version: '\\*' },
	{ name: 'A', version: '1' },
	{ name: "q'uote", version: '"1"' },
	{ name: 'ä', version: '1', softwareType: 'Ä' },
	{ name: 'lib/x-dev', version: '1:2~3', softwareType: 'apt' },
	{ name: '😀', version: '1' },
];
const key = ({ name, version }: SoftwarePackage) => `${name} ${version}`;
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const sorted = (items: readonly SoftwarePackage[]) =>
	[...items].sort((a, b) => byBytes(a.name, b.name) || byBytes(a.version, b.version)).map(key);

/** What a filter means, written another way. */
function fits(pattern: string | undefined, text: string): boolean {
	if (pattern === undefined) return true;
	const source = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
	return new RegExp(`^${source.join('[^]*')}$`, 'u').test(text);
}

const patterns = [
	'a',
	'a*',
	'*c',
	'*b*',
	'a*c',
	'*',
	'**',
	'a[b]',
	'a[b]*',
	'a?c',
	'a?*',
	'a%',
	'a%*',
	'a_',
	'a_*',
	'*\\',
	'a\\*',
	'A*',
	"*'*",
	'ä*',
	'*-dev',
	'😀*',
	'zzz',
	'zzz*',
	'',
	'a.*',
	'[ab]*',
];
const filters: PackageFilter[] = [
	...patterns.map((name) => ({ name })),
	...['1', '1*', '*0', '1_0', '1%*', '\\*', '', '*', '"1"', '1:*'].map((version) => ({ version })),
	...['apt', 'apt*', '*t', 'Ä', 'APT', '*', 'docker'].map((type) => ({ type })),
	{ name: 'a', version: '1*' },
	{ name: 'a', version: '1' },
	{ name: 'a*', version: '*0', type: 'apt' },
	{ name: 'a*', type: 'none' },
];

describe('inventory/installed-software queries', () => {
	const bench = useBench(openInventoryBench);

	async function filled(): Promise<Parameters<ReturnType<typeof bench>['inventory']['software']['list']>[1]> {
		const device = await bench().device();
		const other = await bench().device('other');
		await bench().inventory.software.set(tenant, device, all, 'advanced');
		await bench().inventory.software.set(tenant, other, [{ name: 'a', version: '1' }], 'advanced');
		return device;
	}

	it('finds by exact texts and wildcards in name, version and type what they mean', async () => {
		const device = await filled();
		const { software } = bench().inventory;
		for (const filter of filters) {
			const wanted = sorted(
				all.filter((item) => {
					const typeFits = filter.type === undefined || (item.softwareType !== undefined && fits(filter.type, item.softwareType));
					return fits(filter.name, item.name) && fits(filter.version, item.version) && typeFits;
				}),
			);
			const found = await software.list(tenant, device, filter, { skip: 0, limit: 100 });
			expect(found.map(key), JSON.stringify(filter)).to.deep.equal(wanted);
			expect(await software.count(tenant, device, filter), JSON.stringify(filter)).to.equal(wanted.length);
		}
	});

	it('sorts by name, then version, and pages without gaps or repetitions', async () => {
		const device = await filled();
		for (const limit of [1, 2, 5, 17, 100]) {
			const pages: string[] = [];
			for (let skip = 0; skip < all.length; skip += limit) {
				pages.push(...(await bench().inventory.software.list(tenant, device, {}, { skip, limit })).map(key));
			}
			expect(pages, `pages of ${limit}`).to.deep.equal(sorted(all));
		}
		expect(await bench().inventory.software.list(tenant, device, {}, { skip: 100, limit: 5 })).to.deep.equal([]);
	});

	it('takes 50,000 packages, appends to them and reads a page and one of them', async () => {
		const device = await bench().device();
		const { software } = bench().inventory;
		const many = Array.from({ length: 50_000 }, (_, i) => ({ name: `pkg${String(i).padStart(6, '0')}`, version: '1' }));
		await software.set(tenant, device, many, 'advanced');
		await software.change(tenant, device, [{ action: 'put', item: { name: 'a', version: '1' } }]);
		const first = await software.list(tenant, device, {}, { skip: 0, limit: 2 });
		expect(first.map(({ name }) => name)).to.deep.equal(['a', 'pkg000000']);
		expect(await software.count(tenant, device, {})).to.equal(50_001);
		expect(await software.list(tenant, device, { name: 'pkg0499*' }, { skip: 99, limit: 10 })).to.have.length(1);
		const writes = await bench().writes();
		await software.set(tenant, device, [{ name: 'a', version: '1' }, ...many], 'advanced');
		expect(await bench().writes()).to.equal(writes);
	});

	it('shows a reader the old list or the new one, whole, while it is replaced', async () => {
		const device = await bench().device();
		const { software } = bench().inventory;
		// More than one page of the store's scan.
		const listOf = (version: string) => Array.from({ length: 2500 }, (_, i) => ({ name: `p${i}`, version }));
		await software.set(tenant, device, listOf('0'), 'advanced');
		let writing = true;
		const writer = (async () => {
			for (let round = 1; round <= 6; round++)
				await software.set(tenant, device, listOf(String(round)), round % 2 ? 'legacy' : 'advanced');
			writing = false;
		})();
		let reads = 0;
		while (writing) {
			const seen = await software.listAll(tenant, device);
			expect(seen).to.have.length(2500);
			expect(new Set(seen.map(({ version }) => version)).size).to.equal(1);
			reads++;
		}
		await writer;
		expect(reads).to.be.above(0);
	});
});
