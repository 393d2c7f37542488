import { expect } from 'chai';
import { packageFault, parseObjectBody, type SoftwarePackage } from '../../../inventory/index.ts';
import { expectRefusal, openInventoryBench, smallLimits, tenant, useBench } from './inventory-bench.ts';

const limits = { ...smallLimits.packages, maxPackages: 3 };
const put = (name: string, url = '') => ({ action: 'put', item: { name, version: '1', ...(url && { url }) } }) as const;
const remove = (name: string) => ({ action: 'remove', name, version: '1' }) as const;

describe('inventory/software-package', () => {
	const good: [title: string, item: SoftwarePackage][] = [
		['the shortest', { name: 'a', version: '' }],
		['the longest', { name: 'n'.repeat(100), version: 'v'.repeat(50), softwareType: 't'.repeat(20), url: 'u'.repeat(60) }],
		['text of all kinds', { name: 'ä 日本 😀 "q", \\', version: '1:2.0~rc-1+b', softwareType: 'typ A', url: 'http://x/?a=b&c' }],
	];
	for (const [title, item] of good) it(`takes ${title}`, () => expect(packageFault(item, limits)).to.equal(undefined));

	const bad: [item: SoftwarePackage, field: string, reason: string][] = [
		[{ name: '', version: '1' }, 'name', 'empty'],
		[{ name: 'n'.repeat(101), version: '' }, 'name', 'has 101 characters: at most 100'],
		[{ name: 'a', version: 'v'.repeat(51) }, 'version', 'at most 50'],
		[{ name: 'a', version: '', softwareType: 't'.repeat(21) }, 'softwareType', 'at most 20'],
		[{ name: 'a', version: '', url: 'u'.repeat(61) }, 'url', 'at most 60'],
		[{ name: 'a\n', version: '' }, 'name', 'control'],
		[{ name: 'a', version: '\u0001' }, 'version', 'control'],
		[{ name: '\u0000', version: '' }, 'name', 'control'],
		[{ name: 'a\u007f', version: '' }, 'name', 'control'],
		[{ name: '\ud800', version: '' }, 'name', 'half of a character'],
		[{ name: '😀', version: 'a\udc00' }, 'version', 'half of a character'],
	];
	for (const [item, field, reason] of bad) {
		it(`refuses ${JSON.stringify(item).slice(0, 50)}`, () => {
			const fault = packageFault(item, limits);
			expect(fault?.field).to.equal(field);
			expect(fault?.reason).to.include(reason);
		});
	}

	describe('in lists', () => {
		const bench = useBench(() => openInventoryBench({ ...smallLimits, packages: limits }));
		const names = async (device: Awaited<ReturnType<ReturnType<typeof bench>['device']>>) =>
			(await bench().inventory.software.list(tenant, device, {}, { skip: 0, limit: 10 })).map(({ name }) => name);

		// Each row: the fragment, and what the refusal names.
		const badLists: [list: unknown, ...words: string[]][] = [
			[{}, 'array'],
			['text', 'array'],
			[5, 'array'],
			[[null], '[0]', 'object'],
			[[[]], '[0]', 'object'],
			[[{ name: 'a' }, 'b'], '[1]', 'object'],
			[[{ version: '1' }], '[0].name', 'empty'],
			[[{ name: 'a' }, { name: null }], '[1].name', 'empty'],
			[[{ name: 5 }], '[0].name', 'must be text', 'number'],
			[[{ name: 'a', version: 1.2 }], '[0].version', 'must be text'],
			[[{ name: 'a', url: {} }], '[0].url', 'must be text'],
			[[{ name: 'a', softwareType: ['t'] }], '[0].softwareType', 'must be text'],
			[[{ name: 'a', url: 'u'.repeat(61) }], '[0].url', 'at most 60'],
			[[{ name: 'a', version: '\ud800' }], '[0].version', 'half of a character'],
		];
		for (const [list, ...words] of badLists) {
			it(`refuses ${JSON.stringify(list).slice(0, 50)} as c8y_SoftwareList and keeps the old one`, async () => {
				const device = await bench().device();
				const { objects, software } = bench().inventory;
				await software.set(tenant, device, [{ name: 'old', version: '' }], 'legacy');
				const patch = parseObjectBody({ a: 1, c8y_SoftwareList: list }, { maxFragments: 9 });
				await expectRefusal(objects.update(tenant, device, patch), 'inventory/invalid', 'c8y_SoftwareList', ...words);
				expect(await names(device)).to.deep.equal(['old']);
				expect((await objects.get(tenant, device)).fragments).to.not.have.property('a');
			});
		}

		it('refuses more packages than allowed in a list that is set', async () => {
			const device = await bench().device();
			const items = ['a', 'b', 'c', 'd'].map((name) => ({ name, version: '1' }));
			await expectRefusal(
				bench().inventory.software.set(tenant, device, items, 'advanced'),
				'inventory/tooLarge',
				'4',
				'at most 3',
			);
			await bench().inventory.software.set(tenant, device, items.slice(1), 'advanced');
			expect(await names(device)).to.deep.equal(['b', 'c', 'd']);
		});

		// Each row: the appends one after the other, how many of them are taken, and what is there in the end.
		const appends: [title: string, steps: Parameters<typeof apply>[0], taken: boolean[], left: string[]][] = [
			['one too many at once', [[put('a'), put('b'), put('c'), put('d')]], [false], []],
			['one too many later', [[put('a'), put('b'), put('c')], [put('d')]], [true, false], ['a', 'b', 'c']],
			[
				'two full appends to a list that was not there',
				[
					[put('a'), put('b'), put('c')],
					[put('d'), put('e'), put('f')],
				],
				[true, false],
				['a', 'b', 'c'],
			],
			['an update in a full list', [[put('a'), put('b'), put('c')], [put('b', 'new')]], [true, true], ['a', 'b', 'c']],
			[
				'the same again in a full list',
				[
					[put('a'), put('b'), put('c')],
					[put('a'), put('b'), put('c')],
				],
				[true, true],
				['a', 'b', 'c'],
			],
			[
				'one in the place of another',
				[
					[put('a'), put('b'), put('c')],
					[remove('a'), put('d')],
				],
				[true, true],
				['b', 'c', 'd'],
			],
			[
				'one that goes again',
				[
					[put('a'), put('b'), put('c')],
					[put('d'), remove('d')],
				],
				[true, true],
				['a', 'b', 'c'],
			],
			[
				'one twice',
				[
					[put('a'), put('b')],
					[put('c'), put('c')],
				],
				[true, true],
				['a', 'b', 'c'],
			],
			[
				'removals from a full list, then room',
				[[put('a'), put('b'), put('c')], [remove('a')], [put('z')]],
				[true, true, true],
				['b', 'c', 'z'],
			],
		];
		async function apply(steps: (ReturnType<typeof put> | ReturnType<typeof remove>)[][], taken: boolean[], left: string[]) {
			const device = await bench().device();
			for (const [index, changes] of steps.entries()) {
				const done = bench().inventory.software.change(tenant, device, changes);
				if (taken[index]) await done;
				else await expectRefusal(done, 'inventory/tooLarge', 'at most 3');
			}
			expect(await names(device)).to.deep.equal(left);
		}
		for (const [title, steps, taken, left] of appends) {
			it(`keeps the limit for ${title}`, () => apply(steps, taken, left));
		}
	});
});
