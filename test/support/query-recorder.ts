import type { Collection, CollectionSpec, DocumentStore, Filter, Query, StoredDocument } from '../../store/index.ts';

/** A query that reached the store. */
export interface RecordedQuery {
	readonly spec: CollectionSpec<StoredDocument>;
	readonly kind: 'find' | 'findText' | 'findValues' | 'scan' | 'count' | 'groupCount' | 'findOneAndUpdate' | 'removeWhere';
	readonly query: Query;
}

export interface QueryRecorder extends DocumentStore {
	/** One query of each shape: collection, kind, fields with their operators, order. */
	readonly recorded: ReadonlyMap<string, RecordedQuery>;
}

/** The same store; the shapes of all queries that go through it are kept. Look-ups of one `_id` by `get` or a step need no index. */
export function recordQueries(store: DocumentStore): QueryRecorder {
	const recorded = new Map<string, RecordedQuery>();
	const specs = new Map<string, CollectionSpec<StoredDocument>>();
	const note = (spec: CollectionSpec<StoredDocument>, kind: RecordedQuery['kind'], query: Query): void => {
		const one = { spec, kind, query };
		recorded.set(shapeOf(one), one);
	};
	return {
		...store,
		recorded,
		async batch(steps) {
			for (const step of steps) {
				const spec = specs.get(step.collection);
				if (step.kind === 'removeWhere' && spec) note(spec, step.kind, { filter: step.filter });
			}
			return store.batch(steps);
		},
		async collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> {
			const collection = await store.collection(spec);
			const { document: _, ...plain } = spec;
			specs.set(spec.name, plain);
			const heard =
				(kind: RecordedQuery['kind']) =>
				(query: Query): Query => {
					note(plain, kind, query);
					return query;
				};
			return {
				...collection,
				find: (query) => collection.find(heard('find')(query)),
				findText: (query) => collection.findText(heard('findText')(query)),
				findValues: (paths, query) => collection.findValues(paths, heard('findValues')(query)),
				scan: (filter) => {
					note(plain, 'scan', { filter, sort: [['_id', 1]], limit: 1000 });
					return collection.scan(filter);
				},
				count: (filter) => collection.count(heard('count')({ filter }).filter),
				groupCount: (keys, filter) => collection.groupCount(keys, heard('groupCount')({ filter }).filter),
				findOneAndUpdate: (filter, update, options) => {
					note(plain, 'findOneAndUpdate', { filter, sort: options?.sort, limit: 1 });
					return collection.findOneAndUpdate(filter, update, options);
				},
			};
		},
	};
}

/** In words: what stands in the list of exceptions. */
export function shapeOf({ spec, kind, query: { filter, sort = [] } }: RecordedQuery): string {
	const order = sort.map(([path, direction]) => (direction === 1 ? path : `-${path}`)).join(', ');
	return `${spec.name} ${kind} { ${filterShape(filter)} }${order && ` by ${order}`}`;
}

function filterShape(filter: Filter): string {
	return Object.entries(filter)
		.map(([key, condition]) => {
			if (isList(condition)) return `${key} [${[...new Set(condition.map(filterShape))].join(' | ')}]`;
			return `${generalName(key)} ${operatorsOf(condition).join(' ')}`;
		})
		.sort()
		.join(', ');
}

// Names of sessions are field names.
function generalName(path: string): string {
	return path.replace(/^(waitsFor)\..*$/, '$1.*');
}

/** `=` for an equality; a wildcard says whether its beginning is fixed. */
export function operatorsOf(condition: Filter[string]): string[] {
	if (typeof condition !== 'object' || condition === null || isList(condition)) return ['='];
	return Object.entries(condition).flatMap(([operator, operand]) => {
		if (operand === undefined) return [];
		if (operator === '$wildcard') return [String(operand).startsWith('*') ? '*…' : '…*'];
		return [operator === '$eq' ? '=' : operator];
	});
}

function isList(value: Filter[string]): value is readonly Filter[] {
	return Array.isArray(value);
}
