import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	DuplicateKeyError,
	type StoredDocument,
} from './document-store.ts';

export interface ProcessRecord extends StoredDocument {
	/** Milliseconds since 1970, by the process's own clock. */
	readonly startedAt: number;
	readonly host: string;
	readonly version: string;
	readonly beats: number;
}

interface Seen {
	readonly beats: number;
	readonly since: number;
	/** How long, and how often, it was looked at without a change. */
	readonly silentMilliseconds: number;
	readonly silentLooks: number;
}

export type ProcessRecords = Awaited<ReturnType<typeof openProcessRecords>>;

export const processSpec: CollectionSpec<ProcessRecord> = { name: 'processes', indexes: [], ofProcesses: true };
const maxProcesses = 1000;
// After a database that nobody could write to is back, the others have to have a chance to say so.
const minSilentLooks = 3;

/**
 * The processes that work on one store. Each beats, again and again; one that is seen not to for the whole lease time, by the
 * clock of whoever looks, is gone. Nothing here waits: `beat` and `look` are to be called at a third of that time.
 */
export async function openProcessRecords({
	store,
	elapsed,
	leaseMilliseconds,
}: {
	readonly store: DocumentStore;
	readonly elapsed: () => number;
	readonly leaseMilliseconds: number;
}) {
	const processes: Collection<ProcessRecord> = await store.collection(processSpec);
	let known = new Map<string, Seen>();

	/** Says that a process is there. False when nothing was known of it: it is new, or was taken for gone. */
	async function beat(self: Omit<ProcessRecord, 'beats'>): Promise<boolean> {
		for (;;) {
			if (await processes.findOneAndUpdate({ _id: self._id }, { $inc: { beats: 1 } })) return true;
			try {
				await processes.insert({ ...self, beats: 0 });
				return false;
			} catch (error) {
				if (!(error instanceof DuplicateKeyError)) throw error;
			}
		}
	}

	/** Sees who has beaten since the last look. */
	async function look(): Promise<void> {
		const began = elapsed();
		const found = await processes.find({ filter: {}, sort: [['_id', 1]], limit: maxProcesses });
		const now = elapsed();
		const next = new Map<string, Seen>();
		for (const { _id, beats } of found) {
			const before = known.get(_id);
			const isSilent = before?.beats === beats;
			next.set(_id, {
				beats,
				since: isSilent ? before.since : now,
				silentMilliseconds: isSilent ? began - before.since : 0,
				silentLooks: isSilent ? before.silentLooks + 1 : 0,
			});
		}
		known = next;
	}

	/** Whether a process does nothing any more, as far as was seen by now. */
	async function isGone(id: string): Promise<boolean> {
		const seen = known.get(id);
		// One that has begun since the last look is not known yet.
		return seen ? isSilent(seen) : (await processes.get(id)) === undefined;
	}

	function isSilent({ silentMilliseconds, silentLooks }: Seen): boolean {
		return silentMilliseconds >= leaseMilliseconds && silentLooks >= minSilentLooks;
	}

	/** Those that were seen to be gone, whose records are there still. */
	function listGone(): string[] {
		return [...known].filter(([, seen]) => isSilent(seen)).map(([id]) => id);
	}

	/** Removes the record of this process, which ends. */
	async function remove(id: string): Promise<void> {
		await store.batch([{ kind: 'remove', collection: processSpec.name, id }]);
		known.delete(id);
	}

	/** Removes the record of a process that is gone; one that has beaten since the last look keeps it. */
	async function removeGone(id: string): Promise<void> {
		const seen = known.get(id);
		if (!seen) return;
		await store.batch([{ kind: 'removeWhere', collection: processSpec.name, filter: { _id: id, beats: seen.beats } }]);
		known.delete(id);
	}

	/** How many were there, and not silent, at the last look. */
	function count(): number {
		return known.size - listGone().length;
	}

	return { beat, look, isGone, listGone, remove, removeGone, count };
}
