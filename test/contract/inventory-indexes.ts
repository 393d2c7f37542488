import { expect } from 'chai';
import { objectSpec } from '../../inventory/inventory.ts';
import { compileTerms, sortPath } from '../../inventory/query/compile-query.ts';
import { parseQuery } from '../../inventory/query/parse-query.ts';
import { planQuery, totalSort } from '../../inventory/query/plan-query.ts';
import { openSqliteStore, type SqliteStore } from '../../store/sqlite/index.ts';
import { searchLimits } from '../unit/inventory/inventory-bench.ts';

describe('contract/inventory-indexes', () => {
	let store: SqliteStore;
	before(async () => {
		store = await openSqliteStore({ directory: ':memory:', now: Date.now });
		await store.collection(objectSpec);
	});
	after(() => store.close());

	// Each row: what clients send, the index that drives it, and whether it answers all of it in order.
	const rows: readonly (readonly [query: string, index: string | undefined, isWhole: boolean])[] = [
		["type eq 'c8y_Linux'", 'byType', true],
		["name eq 'x'", 'byName', true],
		["name eq 'x' or name eq 'y'", 'byName', false],
		["name eq 'x*' $orderby=name", 'byName', true],
		["name eq '*x'", 'all', false],
		['owner eq me', 'byOwner', true],
		['has(c8y_IsDevice)', 'byFragment', true],
		['has(c8y_IsDevice) $orderby=name desc', 'byDeviceName', true],
		["has(c8y_IsDevice) and name eq 'd1'", 'byName', false],
		["(type eq 'c8y_Software') and name eq 'X'", 'byName', false],
		["c8y_Software.version eq '1.0'", 'bySoftwareVersion', true],
		['c8y_Hardware.serialNumber eq 12', 'bySerialNumber', false],
		['bygroupid(5)', 'byParent', true],
		['bygroupid(5) and not(has(c8y_Patch)) $orderby=creationTime.date desc', 'byParent', false],
		["_id gt '7' $orderby=_id asc", 'all', true],
		["(_id gt '7') and (type eq 'a') $orderby=_id asc", 'byType', true],
		["(_id gt '7') and has(c8y_IsDevice) and (_id le '9') $orderby=_id desc", 'byFragment', true],
		["_id eq '7'", 'all', true],
		['isinhierarchyof(7)', undefined, false],
		["creationTime.date gt '2026-01-01' and creationTime.date lt '2026-02-01' $orderby=creationTime", 'byCreation', true],
		["c8y_Availability.status eq 'UNAVAILABLE'", 'byAvailability', false],
		['$orderby=name', 'byName', true],
		['$orderby=creationTime desc', 'byCreation', true],
		['', 'all', true],
		['$orderby=n', 'all', false],
	]; // biome-ignore format: one line a row
	for (const [text, index, isWhole] of rows) {
		it(`reads ${text || 'everything'} by ${index ?? 'ids'}${isWhole ? ' alone' : ''}`, async () => {
			const { condition, order } = parseQuery(text, searchLimits);
			const hierarchies = new Map([['7', ['t/7']]]);
			const terms = compileTerms(condition, { now: 0, dynamicGroups: new Map(), hierarchies });
			const sort = totalSort(order.map(([path, direction]) => [sortPath(path), direction]));
			const plans = planQuery({ tenant: 't', terms, sort });
			const plan = plans.find((each) => each.rest.length === 0 && each.isSorted) ?? plans[0];
			expect(plan?.index).to.equal(index);
			expect(plan?.rest.length === 0 && plan.isSorted).to.equal(isWhole);
			const { driver = {}, rest = [] } = plan ?? {};
			const query = { filter: { ...driver, $and: rest.map(({ filter }) => filter) }, sort, ...(index && { hint: index }) };
			const steps = (await store.explain('managedObjects', query)).join('\n');
			expect(steps).not.to.match(/SCAN [ms]\b/);
			if (isWhole) expect(steps).not.to.match(/TEMP B-TREE/);
			const used =
				{ byFragment: 'SEARCH s', byParent: 'SEARCH s', byText: 'SEARCH s' }[index ?? ''] ?? `i:managedObjects:${index}`;
			expect(steps).to.contain(index === undefined ? 'PRIMARY KEY (id=' : used);
		});
	}
});
