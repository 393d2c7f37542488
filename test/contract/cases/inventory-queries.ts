import { expect } from 'chai';
import fc from 'fast-check';
import {
	childKinds,
	type Inventory,
	type ManagedObjectId,
	openInventory,
	parseManagedObjectId,
} from '../../../inventory/index.ts';
import { objectSpec } from '../../../inventory/inventory.ts';
import { compileTerms, sortPath } from '../../../inventory/query/compile-query.ts';
import { planQuery, totalSort } from '../../../inventory/query/plan-query.ts';
import { printQuery } from '../../../inventory/query/print-query.ts';
import type { Condition, ParsedQuery } from '../../../inventory/query/query-tree.ts';
import { smallLimits, startTime } from '../../unit/inventory/inventory-bench.ts';
import { queryArbitrary, sharedNumbers, sharedTexts } from '../../unit/inventory/query/random-queries.ts';
import type { Bench } from '../engine.ts';
import { evaluateNaively, type PlainObject } from './naive-query.ts';

const text = fc.constantFrom(...sharedTexts);
const scalar = fc.oneof(text, fc.constantFrom(...sharedNumbers), fc.boolean(), fc.constant(null));
const some = { requiredKeys: [] };
const fragments = fc.record(
	{
		c8y_IsDevice: fc.constant({}),
		n: scalar,
		deep: fc.oneof(scalar, fc.record({ er: fc.oneof(scalar, fc.record({ est: scalar }, some)) }, some)),
		tags: fc.array(scalar, { maxLength: 3 }),
		c8y_Software: fc.record({ version: fc.oneof(text, fc.constantFrom(...sharedNumbers)) }, some),
		c8y_Hardware: fc.record({ serialNumber: text }, some),
		c8y_RequiredAvailability: fc.record({ responseInterval: fc.constantFrom(1, 10) }),
		c8y_Availability: fc.record({ lastMessage: fc.constantFrom(...[0, 60_000, 60_001].map((before) => new Date(startTime + 10_000 - before).toISOString())) }),
	},
	some,
); // biome-ignore format: one line a fragment
const made = fc.record({ name: text, type: text, owner: text, fragments }, { requiredKeys: ['owner', 'fragments'] });
const linking = fc.record({
	from: fc.nat({ max: 11 }),
	to: fc.nat({ max: 11 }),
	kind: fc.constantFrom(...childKinds),
	isUndone: fc.boolean(),
});

/** The inventory's query language on this engine: random objects and queries, compared with the plainest evaluation in memory. */
export function inventoryQueryCases({ it, store }: Bench): void {
	describe('inventory queries', function () {
		this.timeout(120_000);
		let now = startTime;
		let inventory: Inventory;
		let tenants = 0;
		before(async () => {
			inventory = await openInventory({ store: store(), clock: () => now, limits: smallLimits });
		});

		async function create(tenant: string, wanted: readonly (typeof made extends fc.Arbitrary<infer T> ? T : never)[]) {
			const objects: PlainObject[] = [];
			for (const { name, type, owner, fragments: parts } of wanted) {
				now += 500;
				const patch = { ...(name !== undefined && { name }), ...(type !== undefined && { type }), fragments: parts };
				const object = await inventory.objects.create(tenant, { owner, patch });
				if (!object) throw new Error('nothing was created');
				objects.push({ id: object.id, name, type, owner, creationTime: now, fragments: object.fragments, parents: [] });
			}
			return objects;
		}

		it('answers random queries like the plainest evaluation, by every way that may be planned', async () => {
			const collection = await store().collection(objectSpec);
			await fc.assert(
				fc.asyncProperty(
					fc.array(made, { minLength: 1, maxLength: 12 }),
					fc.array(linking, { maxLength: 10 }),
					fc.array(queryArbitrary, { minLength: 20, maxLength: 30 }),
					async (wanted, linkings, queries) => {
						const tenant = `q${tenants++}`;
						now = startTime;
						const objects = await create(tenant, wanted);
						now = startTime + 10_000;
						const linked = await link(inventory, tenant, objects, linkings);
						for (const one of queries) {
							const query = withIds(one, linked);
							const printed = printQuery(query);
							const expected = evaluateNaively(linked, query, now);
							const found = await inventory.objects.list(tenant, { query: printed }, { skip: 0, limit: 100 });
							expect(
								found.map(({ id }) => id),
								printed,
							).to.deep.equal(expected);
							expect(await inventory.objects.count(tenant, { query: printed }), printed).to.equal(expected.length);
							const page = await inventory.objects.list(tenant, { query: printed }, { skip: 1, limit: 2 });
							expect(
								page.map(({ id }) => id),
								printed,
							).to.deep.equal(expected.slice(1, 3));
							if (isNamed(query.condition)) continue;
							const terms = compileTerms(query.condition, { now, dynamicGroups: new Map(), hierarchies: new Map() });
							const sort = totalSort(query.order.map(([path, direction]) => [sortPath(path), direction]));
							for (const { driver, rest, index } of planQuery({ tenant, terms, sort })) {
								const filter = { tenant, ...driver, ...(rest.length > 0 && { $and: rest.map((term) => term.filter) }) };
								const byPlan = await collection.find({ filter, sort, ...(index && { hint: index }) });
								expect(
									byPlan.map(({ id }) => id),
									`${printed} by ${index}`,
								).to.deep.equal(expected);
							}
						}
					},
				),
				{ numRuns: 100, interruptAfterTimeLimit: 20_000 },
			);
		});
	});
}

/** Links objects below older ones, and takes some of the links away again. */
async function link(
	inventory: Inventory,
	tenant: string,
	objects: readonly PlainObject[],
	linkings: readonly { from: number; to: number; kind: (typeof childKinds)[number]; isUndone: boolean }[],
): Promise<PlainObject[]> {
	const parents = new Map<string, PlainObject['parents']>(objects.map(({ id }) => [id, []]));
	for (const { from, to, kind, isUndone } of linkings) {
		const [parent, child] = [objects[Math.min(from, to)]?.id, objects[Math.max(from, to)]?.id];
		if (parent === undefined || child === undefined || parent === child) continue;
		const others = (parents.get(child) ?? []).filter((each) => each.kind !== kind || each.id !== parent);
		await inventory.hierarchy.link(tenant, idOf(parent), kind, idOf(child));
		if (isUndone) await inventory.hierarchy.unlink(tenant, idOf(parent), kind, idOf(child));
		parents.set(child, isUndone ? others : [...others, { kind, id: parent }]);
	}
	return objects.map((object) => ({ ...object, parents: parents.get(object.id) ?? [] }));
}

function idOf(text: string): ManagedObjectId {
	return parseManagedObjectId(text);
}

/** Random queries name the objects 1000 to 1012: those that were made stand for them. */
function withIds(query: ParsedQuery, objects: readonly PlainObject[]): ParsedQuery {
	const real = (id: string) => objects[Number(id) - 1000]?.id ?? '1';
	const replace = (condition: Condition): Condition => {
		if (condition.kind === 'and' || condition.kind === 'or') return { ...condition, parts: condition.parts.map(replace) };
		if (condition.kind === 'not') return { ...condition, part: replace(condition.part) };
		if (condition.kind === 'group' || condition.kind === 'hierarchy') return { ...condition, id: real(condition.id) };
		if (condition.kind !== 'compare' || !/^_?id$/.test(condition.path)) return condition;
		const { value } = condition;
		const id = real(value.kind === 'number' ? value.text : value.kind === 'text' ? value.parts.join('') : '');
		return {
			...condition,
			value: value.kind === 'number' ? { kind: 'number', value: Number(id), text: id } : { kind: 'text', parts: [id] },
		};
	};
	return { ...query, ...(query.condition && { condition: replace(query.condition) }) };
}

function isNamed(condition: Condition | undefined): boolean {
	if (!condition) return false;
	if (condition.kind === 'and' || condition.kind === 'or') return condition.parts.some(isNamed);
	return condition.kind === 'not' ? isNamed(condition.part) : condition.kind === 'group' || condition.kind === 'hierarchy';
}
