import { type Filter, StoreError, type Update } from '../document-store.ts';
import { applyUpdate } from '../document-update.ts';
import { matches } from '../filter-match.ts';
import { type Connection, explainError, isFailureOfDatabase } from './connection.ts';
import { parseStored, wholeText } from './document-text.ts';
import { type GroupAnswer, stepCode } from './protocol.ts';
import { readMeta, writeMeta } from './schema.ts';
import { DuplicateStep, type Table } from './table.ts';
import { type Cell, toBinding } from './values.ts';

/** A group on its way through the writer. */
interface Run {
	readonly connection: Connection;
	readonly tables: ReadonlyMap<number, Table>;
	readonly cells: readonly Cell[];
	/** Where the next cell is. */
	position: number;
	batch: number;
	readonly failures: number[];
	readonly errors: string[];
	readonly documents: (number | string | null)[];
	readonly changes: Cell[];
}

/** A step found no document that meets its condition. */
class UnmetStep extends Error {}

/**
 * Writes one group of batches in one transaction; a batch that fails takes nothing with it but itself.
 * @throws what the driver throws when the database itself cannot write
 */
export function applyGroup(
	connection: Connection,
	tables: ReadonlyMap<number, Table>,
	cells: readonly Cell[],
	changes: Cell[],
): GroupAnswer {
	const apply = (applyNext: (run: Run) => void): GroupAnswer => {
		changes.length = 0;
		return runGroup(
			{ connection, tables, cells, changes, position: 0, batch: 0, failures: [], errors: [], documents: [] },
			applyNext,
		);
	};
	try {
		return apply(applyBatch);
	} catch (error) {
		if (isFailureOfDatabase(error)) throw error;
		// Nobody knows yet whose fault it was: once more, each batch behind a savepoint of its own.
		return apply(applyGuarded);
	}
}

function runGroup(run: Run, applyNext: (run: Run) => void): GroupAnswer {
	const { connection, cells, changes } = run;
	try {
		connection.transaction(() => {
			for (; run.position < cells.length; run.batch++) applyNext(run);
			flushAll(run);
		});
	} catch (error) {
		discardAll(run);
		throw error;
	}
	return { kind: 'group', error: undefined, failures: run.failures, errors: run.errors, documents: run.documents, changes };
}

function applyBatch(run: Run): void {
	const needsSavepoint = run.cells[run.position] === 1;
	const end = Number(run.cells[run.position + 1]);
	run.position += 2;
	if (needsSavepoint) applyInSavepoint(run, end);
	else applySteps(run, end);
	run.position = end;
}

/** A batch of which nothing is known: an error that no step expects fails this batch alone. */
function applyGuarded(run: Run): void {
	const end = Number(run.cells[run.position + 1]);
	run.position += 2;
	const failuresBefore = run.failures.length;
	const errorsBefore = run.errors.length;
	try {
		applyInSavepoint(run, end);
	} catch (error) {
		if (isFailureOfDatabase(error) || !run.connection.inTransaction()) throw error;
		run.failures.length = failuresBefore;
		run.errors.length = errorsBefore;
		run.failures.push(run.batch, 0, 2);
		run.errors.push(explainError(error, run.connection.file));
	}
	run.position = end;
}

function applyInSavepoint(run: Run, end: number): void {
	flushAll(run);
	const changesBefore = run.changes.length;
	const documentsBefore = run.documents.length;
	const undo = () => {
		discardAll(run);
		run.changes.length = changesBefore;
		run.documents.length = documentsBefore;
		run.connection.prepare('ROLLBACK TO batch').run([]);
		run.connection.prepare('RELEASE batch').run([]);
	};
	run.connection.prepare('SAVEPOINT batch').run([]);
	let isApplied = false;
	try {
		isApplied = applySteps(run, end);
		if (isApplied) flushAll(run);
	} catch (error) {
		if (run.connection.inTransaction()) undo();
		throw error;
	}
	if (isApplied) run.connection.prepare('RELEASE batch').run([]);
	else undo();
}

function applySteps(run: Run, end: number): boolean {
	for (let step = 0; run.position < end; step++) {
		try {
			applyStep(run);
		} catch (error) {
			run.failures.push(run.batch, step, kindOfFailure(error, run));
			return false;
		}
	}
	return true;
}

function kindOfFailure(error: unknown, run: Run): 0 | 1 | 2 {
	if (error instanceof UnmetStep) return 0;
	if (error instanceof DuplicateStep) return 1;
	if (!(error instanceof StoreError)) throw error;
	run.errors.push(error.message);
	return 2;
}

function applyStep(run: Run): void {
	const code = next(run);
	if (code === stepCode.ping) {
		ping(run);
		return;
	}
	const table = run.tables.get(Number(next(run)));
	if (table === undefined) throw new Error('a step names a collection that is not open');
	if (code === stepCode.put && !table.isCareful()) {
		table.putLater(run.cells, run.position);
		run.position += table.width;
		return;
	}
	// What waits to be written must be there for whatever reads.
	table.flush();
	const apply = stepFunctions[Number(code)];
	if (apply === undefined) throw new Error(`unknown step ${String(code)}`);
	apply(run, table);
}

const stepFunctions: Readonly<Record<number, (run: Run, table: Table) => void>> = {
	[stepCode.put]: (run, table) => {
		table.put(run.cells, run.position);
		run.position += table.width;
	},
	[stepCode.insert]: (run, table) => {
		table.insert(run.cells, run.position);
		run.position += table.width;
	},
	[stepCode.update]: update,
	[stepCode.require]: require,
	[stepCode.remove]: (run, table) => table.remove(nextText(run)),
	[stepCode.removeWhere]: removeWhere,
	[stepCode.findOneAndUpdate]: findOneAndUpdate,
};

/** With a bound, it answers with how many it removed. */
function removeWhere(run: Run, table: Table): void {
	const condition = nextText(run);
	const most = Number(next(run));
	const params = nextParams(run);
	if (most < 0) table.removeWhere(condition, params, Number.POSITIVE_INFINITY);
	else run.documents.push(run.batch, String(table.removeWhere(condition, params, most)));
}

function require(run: Run, table: Table): void {
	const id = nextText(run);
	const where = next(run);
	if (typeof where !== 'string') {
		if (!table.has(id)) throw new UnmetStep();
		return;
	}
	const doc = table.get(id);
	if (doc === undefined || !matches(parseStored(id, doc), filterOf(where))) throw new UnmetStep();
}

function update(run: Run, table: Table): void {
	const id = nextText(run);
	const where = next(run);
	const change = updateOf(nextText(run));
	const doc = table.get(id);
	if (doc === undefined) throw new UnmetStep();
	const document = parseStored(id, doc);
	if (typeof where === 'string' && !matches(document, filterOf(where))) throw new UnmetStep();
	const columns = table.columnsOf(document);
	applyUpdate(document, change);
	table.replace(id, { doc, columns }, document);
}

function findOneAndUpdate(run: Run, table: Table): void {
	const select = nextText(run);
	const params = nextParams(run);
	const change = updateOf(nextText(run));
	const found = run.connection.prepare(select).get(params);
	if (found === undefined) {
		run.documents.push(run.batch, null);
		return;
	}
	const doc = String(found[0]);
	const id = String(found[1]);
	const document = parseStored(id, doc);
	const columns = table.columnsOf(document);
	applyUpdate(document, change);
	run.documents.push(run.batch, wholeText(id, table.replace(id, { doc, columns }, document)));
}

/** A write that changes a page each time, and a read of it. */
function ping(run: Run): void {
	writeMeta(run.connection, 'pings', String(Number(readMeta(run.connection, 'pings') ?? 0) + 1));
}

function flushAll(run: Run): void {
	for (const table of run.tables.values()) table.flush();
}

function discardAll(run: Run): void {
	for (const table of run.tables.values()) table.discard();
}

function next(run: Run): Cell {
	return run.cells[run.position++];
}

function nextText(run: Run): string {
	return String(next(run));
}

function nextParams(run: Run) {
	const count = Number(next(run));
	const params = run.cells.slice(run.position, run.position + count).map(toBinding);
	run.position += count;
	return params;
}

const maxKnownFilters = 100;
const knownFilters = new Map<string, Filter>();

// The same few conditions come again and again.
function filterOf(text: string): Filter {
	const known = knownFilters.get(text);
	if (known) return known;
	const filter: Filter = JSON.parse(text);
	if (knownFilters.size >= maxKnownFilters) knownFilters.clear();
	knownFilters.set(text, filter);
	return filter;
}

function updateOf(text: string): Update {
	return JSON.parse(text);
}
