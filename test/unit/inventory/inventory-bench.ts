import { expect } from 'chai';
import {
	type Inventory,
	type InventoryLimits,
	type ManagedObjectId,
	openInventory,
	parseManagedObjectId,
	type SearchLimits,
} from '../../../inventory/index.ts';
import type { BatchOutcome, DocumentStore, Step } from '../../../store/index.ts';
import { openSqliteStore } from '../../../store/sqlite/index.ts';

export const tenant = 't1';
export const startTime = Date.UTC(2026, 10, 21);

export const searchLimits: SearchLimits = {
	maxLength: 8000,
	maxDepth: 12,
	maxTerms: 100,
	maxWildcards: 8,
	maxWildcardText: 100,
	maxScanned: 100_000,
};

export const smallLimits: InventoryLimits = {
	packages: { maxPackages: 60_000, nameMaxLength: 100, versionMaxLength: 50, typeMaxLength: 20, urlMaxLength: 60 },
	maxFragments: 50,
	objectMaxBytes: 2000,
	maxChildReferences: 100,
	maxAncestors: 20,
	maxExternalIds: 10,
	search: searchLimits,
};

/** A clock that stands still until it is moved. */
export interface TestClock {
	(): number;
	now: number;
}

export function testClock(): TestClock {
	const clock: TestClock = Object.assign(() => clock.now, { now: startTime });
	return clock;
}

/** A store whose batches can be watched, held back or failed; everything else is the embedded engine in memory. */
export interface TestStore extends DocumentStore {
	/** Runs before each batch, and may throw in its place. */
	beforeBatch: (steps: readonly Step[]) => Promise<void> | void;
}

export async function openTestStore(clock: () => number): Promise<TestStore> {
	const store = await openSqliteStore({ directory: ':memory:', now: clock });
	const test: TestStore = {
		...store,
		beforeBatch: () => undefined,
		async batch(steps): Promise<BatchOutcome> {
			await test.beforeBatch(steps);
			return store.batch(steps);
		},
	};
	return test;
}

export interface InventoryBench {
	readonly clock: TestClock;
	readonly store: TestStore;
	readonly inventory: Inventory;
	/** How many batches and single writes were committed. */
	writes(): Promise<number>;
	/** A device with its serial. */
	device(serial?: string, fragments?: Readonly<Record<string, unknown>>): Promise<ManagedObjectId>;
}

export async function openInventoryBench(limits: InventoryLimits = smallLimits): Promise<InventoryBench> {
	const clock = testClock();
	const store = await openTestStore(clock);
	const inventory = await openInventory({ store, clock, limits });
	return {
		clock,
		store,
		inventory,
		writes: async () => (await store.statistics()).committedBatches,
		async device(serial = 'dev1', fragments = {}) {
			const made = await inventory.devices.ensure(tenant, serial, () => ({
				owner: 'owner',
				name: serial,
				type: 'test',
				fragments: { c8y_IsDevice: {}, com_cumulocity_model_Agent: {}, ...fragments },
			}));
			return made.id;
		},
	};
}

/** Opens before each test and closes after it. */
export function useBench<Bench extends { readonly store: DocumentStore }>(open: () => Promise<Bench>): () => Bench {
	let bench: Bench | undefined;
	beforeEach(async () => {
		bench = await open();
	});
	afterEach(async () => {
		await bench?.store.close();
		bench = undefined;
	});
	return () => {
		if (!bench) throw new Error('the bench is open within a test only');
		return bench;
	};
}

export function idOf(text: string): ManagedObjectId {
	return parseManagedObjectId(text);
}

/** The code and the message of what is thrown. */
export async function refusal(
	action: Promise<unknown> | (() => unknown),
): Promise<{ readonly code: string; readonly message: string }> {
	try {
		await (typeof action === 'function' ? action() : action);
	} catch (error) {
		if (!(error instanceof Error)) throw new TypeError('what was thrown is no error');
		return { code: 'code' in error ? String(error.code) : error.name, message: error.message };
	}
	throw new Error('nothing was refused');
}

export async function expectRefusal(
	action: Promise<unknown> | (() => unknown),
	code: string,
	...words: readonly string[]
): Promise<void> {
	const found = await refusal(action);
	expect(found.code, found.message).to.equal(code);
	for (const word of words) expect(found.message).to.include(word);
}
