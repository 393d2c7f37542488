import { expect } from 'chai';
import fc from 'fast-check';
import type { SoftwareChange, SoftwareMode, SoftwarePackage } from '../../../inventory/index.ts';
import { compactPackage, legacyItem } from '../../../inventory/index.ts';
import { openInventoryBench, tenant, useBench } from './inventory-bench.ts';

type Command =
	| { readonly kind: 'set'; readonly mode: SoftwareMode; readonly items: SoftwarePackage[] }
	| { readonly kind: 'change'; readonly changes: SoftwareChange[] };

const name = fc.constantFrom('a', 'a1', 'A', 'b', 'b*', 'ü', '😀', 'z/z');
const version = fc.constantFrom('', '1', '1.0', '2');
const item = fc.record(
	{ name, version, softwareType: fc.constantFrom('apt', 'x'), url: fc.constantFrom('u', 'v') },
	{ requiredKeys: ['name', 'version'] },
);
const change: fc.Arbitrary<SoftwareChange> = fc.oneof(
	fc.record({ action: fc.constant('put' as const), item }),
	fc.record({ action: fc.constant('remove' as const), name, version }),
);
const command: fc.Arbitrary<Command> = fc.oneof(
	fc.record({
		kind: fc.constant('set' as const),
		mode: fc.constantFrom('legacy' as const, 'advanced' as const),
		items: fc.array(item, { maxLength: 8 }),
	}),
	fc.record({ kind: fc.constant('change' as const), changes: fc.array(change, { minLength: 1, maxLength: 6 }) }),
);

/** The same on a map: the insertion order is the order of a legacy list. */
class NaiveList {
	mode: SoftwareMode | undefined;
	private readonly list = new Map<string, SoftwarePackage>();

	apply(done: Command): void {
		if (done.kind === 'set') {
			this.list.clear();
			this.mode = done.mode;
			for (const each of done.items) this.list.set(JSON.stringify([each.name, each.version]), each);
			return;
		}
		this.mode ??= 'advanced';
		for (const each of done.changes) {
			const target = each.action === 'put' ? each.item : each;
			const key = JSON.stringify([target.name, target.version]);
			if (each.action === 'put') this.list.set(key, each.item);
			else this.list.delete(key);
		}
	}

	items(): SoftwarePackage[] {
		return [...this.list.values()];
	}
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const plain = ({ name: n, version: v, softwareType, url }: SoftwarePackage) => ({ n, v, softwareType, url });

describe('inventory/installed-software model', () => {
	const bench = useBench(openInventoryBench);

	it('does what a map does, for any sequence through both doors', async () => {
		let run = 0;
		await fc.assert(
			fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 8 }), async (commands) => {
				const { inventory } = bench();
				const device = await bench().device(`dev${run++}`);
				const naive = new NaiveList();
				for (const each of commands) {
					naive.apply(each);
					if (each.kind === 'set') await inventory.software.set(tenant, device, each.items, each.mode);
					else await inventory.software.change(tenant, device, each.changes);
				}
				const sorted = naive.items().sort((a, b) => byBytes(a.name, b.name) || byBytes(a.version, b.version));
				const found = await inventory.software.list(tenant, device, {}, { skip: 0, limit: 100 });
				expect(found.map(plain)).to.deep.equal(sorted.map(plain));
				const { text, hasMore } = await inventory.software.listText(tenant, device, {}, { skip: 1, limit: 2 });
				const texts = JSON.parse(text).map((one: object) => JSON.stringify(one));
				expect(texts).to.deep.equal(
					sorted.slice(1, 3).map((one) => JSON.stringify(compactPackage(one.name, one.version, one.softwareType, one.url))),
				);
				expect(hasMore).to.equal(sorted.length > 3);
				expect((await inventory.objects.get(tenant, device)).software?.mode).to.equal(naive.mode);
				const last = commands.at(-1);
				if (last?.kind === 'set' && last.mode === 'legacy') {
					const shown = (await inventory.software.listAll(tenant, device)).map(legacyItem);
					expect(shown).to.deep.equal(naive.items().map(legacyItem));
				}
			}),
			{ numRuns: 60 },
		);
	});
});
