import { expect } from 'chai';
import type { Query } from '../../store/index.ts';
import { type MongoStore, openMongoStore, type QueryPlan } from '../../store/mongodb/index.ts';
import { openSqliteStore, type SqliteStore } from '../../store/sqlite/index.ts';
import { bestIndexes, type Misfit, misfitOf, narrowingIndexes } from '../support/index-fit.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { operatorsOf, type QueryRecorder, type RecordedQuery, recordQueries, shapeOf } from '../support/query-recorder.ts';
import { drive } from '../support/query-scenario.ts';
import { startService } from '../support/service-fixture.ts';
import { didNotRun } from '../support/skip.ts';
import { freshMongoDatabase } from '../support/test-store.ts';

/** Queries that no index answers alone, and why they may stay so. */
interface Exception extends Partial<Omit<Misfit, 'residual'>> {
	readonly collection: string;
	readonly residual?: readonly string[] | 'any';
	readonly kinds?: readonly RecordedQuery['kind'][];
	/** Tells by the fields of the filter. */
	readonly isFor?: (fields: ReadonlySet<string>) => boolean;
	readonly reason: string;
}

const exceptions: readonly Exception[] = [
	{
		collection: 'operations',
		kinds: ['find', 'count'],
		isFor: (fields) =>
			fields.has('creationTime') ||
			(fields.has('agentId') && (fields.has('deviceId') || fields.has('fragmentNames'))) ||
			(fields.has('status') && fields.has('fragmentNames') && !fields.has('deviceId')),
		residual: ['creationTime', 'agentId', 'deviceId', 'status', 'fragmentNames'],
		reason: 'searches by several filters over HTTP: the best index narrows them, and they pass the gate for scans',
	},
	{
		collection: 'events',
		kinds: ['find', 'count'],
		isFor: (fields) => fields.has('time'),
		residual: ['time'],
		reason: 'a search by the time that devices say: the best index narrows it, and it passes the gate for scans',
	},
	{
		collection: 'operations',
		kinds: ['find'],
		residual: ['startedBy.key', 'endedBy.key', 'lastUpdated'],
		reason: 'only for a report that the device sends again, among the operations of this device, newest first',
	},
	{
		collection: 'managedObjects',
		kinds: ['find', 'count'],
		isFor: (fields) => fields.has('$and'),
		residual: 'any',
		isSorted: true,
		reason: 'the rest of a query: its index was tried and finds few objects, or they are read in its order up to the scan limit',
	},
	{
		collection: 'managedObjects',
		kinds: ['find'],
		isFor: (fields) => !fields.has('$and') && !fields.has('binaryIds'),
		isSorted: true,
		reason: 'the order of a query: its index was tried and finds few objects',
	},
	{
		collection: 'managedObjects',
		kinds: ['find'],
		isFor: (fields) => fields.has('binaryIds'),
		residual: ['$nor'],
		reason: 'few objects of the repository name one binary',
	},
	{
		collection: 'binaries',
		kinds: ['groupCount'],
		isWhole: true,
		reason: 'the sweep looks at all references, where bytes were let go since the last time',
	},
	{
		collection: 'children',
		kinds: ['find'],
		isFor: (fields) => fields.has('child'),
		residual: ['kind'],
		reason: 'an object has a handful of parents',
	},
	{
		collection: 'managedObjects',
		kinds: ['findValues'],
		residual: ['search.isDevice'],
		reason: 'devices that do not have a software are looked for among all; they pass the gate for scans',
	},
	{
		collection: 'packages',
		isFor: (fields) => fields.has('_id'),
		residual: ['name', 'version', 'softwareType'],
		reason: 'searches among the packages of one device; they pass the gate for scans',
	},
	{
		collection: 'children',
		kinds: ['find'],
		isFor: (fields) => fields.has('parent'),
		isSorted: true,
		reason: 'the children of the objects of one page',
	},
	{
		collection: 'externalIds',
		kinds: ['find', 'scan'],
		isFor: (fields) => fields.has('managedObjectId'),
		isSorted: true,
		residual: ['type'],
		reason: 'an object has a handful of external ids, and no more than EXTERNAL_IDS_MAX',
	},
	{
		collection: 'issuedCertificates',
		kinds: ['find', 'count'],
		isFor: (fields) => fields.has('device'),
		residual: ['status', 'notAfter'],
		reason: 'a device has a handful of certificates',
	},
	{
		collection: 'connections',
		kinds: ['scan'],
		isFor: (fields) => fields.has('waits'),
		isSorted: true,
		reason: 'few connections wait for another at a time',
	},
	{
		collection: 'auditRecords',
		kinds: ['find', 'count'],
		isFor: (fields) =>
			!fields.has('seq') &&
			(fields.has('application') || ['type', 'user', 'source'].filter((name) => fields.has(name)).length > 1),
		residual: ['type', 'user', 'source', 'application'],
		reason: 'searches by several filters over HTTP: the best index narrows them, and they pass the gate for scans',
	},
	{
		collection: 'auditRecords',
		kinds: ['find'],
		isFor: (fields) => fields.has('seq'),
		residual: ['type', 'user', 'source', 'application', 'time', 'seq'],
		isSorted: true,
		reason: 'an export with filters reads the whole chain in its order, a page at a time',
	},
	{
		collection: 'users',
		kinds: ['find', 'count'],
		isFor: (fields) => fields.has('_id'),
		residual: ['_id', 'owner', 'role'],
		isSorted: true,
		reason: 'searches among the users of a tenant by several filters; they pass the gate for scans',
	},
	{ collection: 'signingKeys', isWhole: true, reason: 'a handful of keys, read at a start and when an unknown one is named' },
	{
		collection: 'logouts',
		kinds: ['scan'],
		isSorted: true,
		reason: 'what ended in the last minutes, in whatever order',
	},
	{ collection: 'copies', isWhole: true, reason: 'one document a collection at most, looked at when a service starts' },
	{ collection: 'schema', isWhole: true, reason: 'one document a collection' },
];

interface Limit {
	readonly isFor: (query: Query, exception: Exception | undefined, spec: RecordedQuery['spec']) => boolean;
	readonly evidence: string;
}

/**
 * What the server of the tests (SecantusDB 0.7.0b3) reads a collection for, where MongoDB reads an index, by kind; the names are
 * of functions in its `storage.py` and `commands.py`. It also says SORT wherever the first key of the index is not the one of
 * the order (`_make_ixscan_plan`), and counts no keys: `_explain` calls as many examined as are returned. For all of these the
 * declared indexes are held against the rule of `index-fit.ts`, and each has to be there and to lead to the same documents.
 */
const beyondTestServer: readonly Limit[] = [
	{
		isFor: ({ filter }) => Object.hasOwn(filter, '_id'),
		evidence: '_pick_index_for_filter takes _id_ for equality and $in only, and only where the filter has no other field',
	},
	{
		isFor: ({ filter }) => Object.keys(filter).some((key) => key.startsWith('$')),
		evidence: '_pick_index_for_filter takes no index for a filter that has $and, $or or $nor beside its fields',
	},
	{
		isFor: ({ filter }) => Object.values(filter).some((condition) => operatorsOf(condition).includes('…*')),
		evidence: '_pick_index_for_filter and _partition_compound_range_filter know no $regex, whatever range comes with it',
	},
	{
		isFor: ({ filter }) => Object.hasOwn(filter, 'subjectKey'),
		evidence: '_pick_compound_range_index takes a list of values only behind all equalities, and this one comes before',
	},
	{
		isFor: ({ filter }, _, { indexes }) => indexes.some(({ sparse }) => sparse !== undefined && Object.hasOwn(filter, sparse)),
		evidence: '_query_implies_partial takes no comparison for a proof of `$exists`, as it stands with sparse indexes',
	},
	{
		isFor: (_, exception) => exception !== undefined,
		evidence:
			'_pick_compound_eq_index and _pick_compound_range_index take an index only where it serves every field of the filter',
	},
];

describe('contract/query-plans', function () {
	this.timeout(120_000);
	let sqlite: SqliteStore;
	let store: QueryRecorder;
	before(async () => {
		sqlite = await openSqliteStore({ directory: ':memory:', now: Date.now });
		store = recordQueries(sqlite);
		const service = await startService(
			{
				LEASE_SECONDS: '1',
				MQTT_DELIVERY_SWEEP_SECONDS: '1',
				BINARIES_SWEEP_SECONDS: '1',
				// The scenario asks faster than a device does.
				HTTP_REQUESTS_PER_SECOND_PER_DEVICE: '0',
				BINARIES_TENANT_MAX_BYTES: '1000000',
			},
			{ store },
		);
		try {
			await drive(service, store);
		} finally {
			await service.close();
		}
	});
	after(() => sqlite.close());

	function exceptionFor({ spec, kind, query }: RecordedQuery, misfit: Misfit): Exception | undefined {
		const fields = new Set(Object.keys(query.filter));
		return exceptions.find(
			({ collection, kinds, isFor, residual = [], isSorted = false, isWhole = false }) =>
				collection === spec.name &&
				(kinds?.includes(kind) ?? true) &&
				(isFor?.(fields) ?? true) &&
				(residual === 'any' || misfit.residual.every((path) => residual.includes(path))) &&
				(isSorted || !misfit.isSorted) &&
				(isWhole || !misfit.isWhole),
		);
	}

	it('has seen queries of every kind', () => {
		const kinds = new Set([...store.recorded.values()].map(({ kind }) => kind));
		const all = ['find', 'findText', 'findValues', 'scan', 'count', 'findOneAndUpdate', 'removeWhere', 'groupCount'];
		expect([...kinds]).to.have.members(all);
		expect(store.recorded.size).to.be.greaterThan(150);
	});

	it('finds an index for every query of the service, on any engine, or a reason why there is none', () => {
		const used = new Set<Exception>();
		const without: string[] = [];
		for (const one of store.recorded.values()) {
			const misfit = misfitOf(one.spec, one.query);
			const exception = misfit && exceptionFor(one, misfit);
			if (exception) used.add(exception);
			else if (misfit) without.push(`${shapeOf(one)}: ${JSON.stringify(misfit)}`);
		}
		expect(without).to.deep.equal([]);
		expect(
			exceptions.filter((exception) => !used.has(exception)),
			'exceptions that nothing needs',
		).to.deep.equal([]);
	});

	it('would miss every index that a collection declares, if it were not there', () => {
		const shapes = [...store.recorded.values()];
		const notMissed = [...new Map(shapes.map(({ spec }) => [spec.name, spec])).values()].flatMap((spec) =>
			spec.indexes
				.filter((index) => {
					const others = { ...spec, indexes: spec.indexes.filter((other) => other !== index) };
					return shapes.every((one) => {
						if (one.spec.name !== spec.name) return true;
						// What names the index has no other.
						if (one.query.hint === index.name) return false;
						const misfit = misfitOf(others, one.query);
						return !misfit || exceptionFor(one, misfit) !== undefined;
					});
				})
				.map(({ name }) => `${spec.name} ${name}`),
		);
		expect(notMissed).to.deep.equal([]);
	});

	it('is answered by SQLite from that index, without reading a table or sorting', async () => {
		const bad: string[] = [];
		for (const one of store.recorded.values()) {
			const { spec, query } = one;
			if (isEmptyList(query)) continue;
			const plan = await sqlite.explain(spec.name, query);
			const misfit = misfitOf(spec, query);
			const isList = Object.hasOwn(query.filter, '_id');
			const isRead = plan.some((step) => /^SCAN [ms]\b/.test(step)) && Object.keys(query.filter).length > 0;
			const isSorted = plan.some((step) => step.includes('TEMP B-TREE'));
			const narrowed = /\((.*)\)$/.exec(plan[0] ?? '')?.[1]?.split(' AND ') ?? [];
			const fields = new Set(narrowed.map((condition) => condition.replace(/[=<>]+\?$/, '')));
			const isNarrow =
				misfit !== undefined || isList || fields.size >= Object.keys(query.filter).filter((key) => !key.startsWith('$')).length;
			if (isRead || (isSorted && !misfit?.isSorted && !isList) || !isNarrow) bad.push(`${shapeOf(one)}: ${plan.join('; ')}`);
		}
		expect(bad).to.deep.equal([]);
	});

	if (!isOnMongoDb) {
		didNotRun('contract/query-plans on MongoDB', 'STORES does not name mongodb');
		return;
	}
	describe('on MongoDB', () => {
		let mongodb: MongoStore | undefined;
		let drop: (() => Promise<void>) | undefined;
		/** Whether this is the server that `beyondTestServer` tells of. */
		let isLimited = false;
		before(async () => {
			const database = freshMongoDatabase();
			const opened = await openMongoStore({ ...database, now: Date.now });
			[mongodb, drop] = [opened, database.drop];
			for (const spec of new Set([...store.recorded.values()].map((one) => one.spec))) {
				await opened.collection(spec);
				const documents = await (await sqlite.collection(spec)).find({ filter: {} });
				await opened.batch(documents.map((document) => ({ kind: 'put', collection: spec.name, document })));
			}
			const probe = await opened.explain('packages', { filter: { _id: { $gt: 'a' } }, sort: [['_id', 1]], limit: 1 });
			isLimited = probe.stages.includes('COLLSCAN');
		});
		after(async () => {
			await mongodb?.close();
			await drop?.();
		});

		const plans = new Map<RecordedQuery, Promise<QueryPlan>>();

		/** Without a hint, asked once. */
		function explain(one: RecordedQuery, hint?: string): Promise<QueryPlan> {
			if (!mongodb) throw new Error('the store is not open');
			const known = hint === undefined ? plans.get(one) : undefined;
			const plan = known ?? mongodb.explain(one.spec.name, one.query, hint);
			if (hint === undefined) plans.set(one, plan);
			return plan;
		}

		it('is answered from that index, without reading a collection or sorting', async () => {
			const bad: string[] = [];
			const used = new Set<Limit>();
			let planned = 0;
			for (const one of store.recorded.values()) {
				const { spec, query } = one;
				const misfit = misfitOf(spec, query);
				const isList = Object.hasOwn(query.filter, '_id');
				const limit = isLimited
					? beyondTestServer.find((known) => known.isFor(query, misfit && exceptionFor(one, misfit), spec))
					: undefined;
				const plan = await explain(one);
				const isRead = plan.stages.includes('COLLSCAN') && Object.keys(query.filter).length > 0;
				if (limit && isRead) {
					used.add(limit);
					continue;
				}
				if (!isRead) planned++;
				const isSorted = !isLimited && plan.stages.includes('SORT') && !misfit?.isSorted && !isList;
				// A list of values costs a key for each of them, found or not.
				const isWasteful =
					misfit === undefined &&
					!isList &&
					(plan.documentsExamined > plan.documents || plan.keysExamined > 2 * plan.documents + 10);
				const narrowing = narrowingIndexes(spec, query);
				const isOther = misfit === undefined && !isList && !plan.indexes.every((name) => narrowing.includes(name));
				if (isRead || isSorted || isWasteful || isOther) bad.push(`${shapeOf(one)}: ${JSON.stringify(plan)}`);
			}
			expect(bad).to.deep.equal([]);
			expect(planned).to.be.greaterThan(150);
			expect(
				beyondTestServer.filter((limit) => isLimited && !used.has(limit)),
				'limits that this server does not have',
			).to.deep.equal([]);
		});

		it('has that index, and finds in it all that the query is for', async () => {
			const bad: string[] = [];
			for (const one of store.recorded.values()) {
				const { spec, query } = one;
				if (Object.keys(query.filter).length === 0 || misfitOf(spec, query)?.isWhole) continue;
				const { documents, indexes } = await explain(one);
				for (const index of bestIndexes(spec, query)) {
					if (indexes.join() === index) continue;
					const hinted = await explain(one, index);
					if (hinted.indexes.join() !== index || hinted.documents !== documents)
						bad.push(`${shapeOf(one)}: ${documents} documents, over ${index}: ${JSON.stringify(hinted)}`);
				}
			}
			expect(bad).to.deep.equal([]);
		});
	});
});

/** Nothing is read to find none of no ids, whatever the plan says. */
function isEmptyList({ filter: { _id: ids } }: RecordedQuery['query']): boolean {
	return typeof ids === 'object' && ids !== null && '$in' in ids && ids.$in?.length === 0;
}
