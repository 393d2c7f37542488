import type { Collection, DocumentStore, StoredDocument } from './document-store.ts';

interface MemberRecord extends StoredDocument {
	readonly group: string;
	readonly beats: number;
}

export type Members = Awaited<ReturnType<typeof openMembers>>;

const collection = 'members';
const maxMembers = 1000;
/** After so many times of silence a record is removed, for its process will not come back. */
const forgottenAfter = 10;

/**
 * The processes of a group that are alive, as each of them sees it by its own clock: those whose record has changed lately.
 * @param holder a name that no other process has
 * @param elapsed milliseconds that never go back
 */
export async function openMembers({
	store,
	group,
	holder,
	elapsed,
	silentMilliseconds,
}: {
	readonly store: DocumentStore;
	readonly group: string;
	readonly holder: string;
	readonly elapsed: () => number;
	readonly silentMilliseconds: number;
}) {
	const members: Collection<MemberRecord> = await store.collection<MemberRecord>({
		name: collection,
		indexes: [{ name: 'byGroup', keys: ['group'] }],
	});
	const own = `${group}/${holder}`;
	const seen = new Map<string, { readonly beats: number; readonly since: number }>();
	let beats = 0;

	/** Shows that this process is alive; returns how many are, with this one. To be called several times in the time of silence. */
	async function beat(): Promise<number> {
		beats++;
		const document: MemberRecord = { _id: own, group, beats };
		await store.batch([{ kind: 'put', collection, document }]);
		const records = await members.find({ filter: { group }, limit: maxMembers });
		const present = new Set(records.map(({ _id }) => _id));
		for (const id of [...seen.keys()]) if (!present.has(id)) seen.delete(id);
		return records.filter(({ _id }) => _id !== own).filter(isAlive).length + 1;
	}

	function isAlive({ _id, beats: count }: MemberRecord): boolean {
		const before = seen.get(_id);
		if (before?.beats !== count) {
			seen.set(_id, { beats: count, since: elapsed() });
			return true;
		}
		const silence = elapsed() - before.since;
		// A process that has only been slow writes its record anew.
		if (silence >= forgottenAfter * silentMilliseconds) void remove(_id).catch(() => seen.delete(_id));
		return silence < silentMilliseconds;
	}

	async function remove(id: string): Promise<void> {
		await store.batch([{ kind: 'remove', collection, id }]);
	}

	/** The process ends: the others need not wait to see it. */
	async function leave(): Promise<void> {
		await remove(own);
	}

	return { beat, leave };
}
