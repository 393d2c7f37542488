import {
	type Collection,
	type CollectionSpec,
	type DocumentStore,
	DuplicateKeyError,
	type Step,
	type StoredDocument,
} from './document-store.ts';

interface LeaseRecord extends StoredDocument {
	/** Empty when nobody has it. */
	readonly holder: string;
	readonly term: number;
	readonly renewals: number;
}

/** The right to do something alone, for a while. */
export interface Lease {
	readonly name: string;
	/** Grows with each change of holder: the fencing token. */
	readonly term: number;
	/** In milliseconds of the holder's `elapsed`: from then on the holder must take it for lost. */
	readonly validUntil: number;
}

export type Leases = Awaited<ReturnType<typeof openLeases>>;

const collection = 'leases';
export const leaseSpec: CollectionSpec<LeaseRecord> = { name: collection, indexes: [], ofProcesses: true };
const nobody = '';

/**
 * Leases that processes over one store take from each other only when the holder has been silent for the whole time.
 * The clocks of machines are not compared: each watches the record on its own, and nothing here waits.
 * @param holder a name that no other process has, and that this one had at no earlier start
 * @param elapsed milliseconds that never go back
 */
export async function openLeases({
	store,
	holder,
	elapsed,
	leaseMilliseconds,
}: {
	readonly store: DocumentStore;
	readonly holder: string;
	readonly elapsed: () => number;
	readonly leaseMilliseconds: number;
}) {
	const leases: Collection<LeaseRecord> = await store.collection(leaseSpec);
	const seen = new Map<string, { readonly record: LeaseRecord; readonly since: number }>();

	/**
	 * Takes a lease that nobody has, or whose holder was seen to do nothing for the whole time: so it has to be asked for again and
	 * again. What this process had before under this name is over.
	 */
	async function acquire(name: string): Promise<Lease | undefined> {
		const began = elapsed();
		const record = await leases.get(name);
		if (!record) return insert(name, began);
		if (!isFree(record, began)) return undefined;
		const expected = { _id: name, holder: record.holder, term: record.term, renewals: record.renewals };
		const taken = await leases.findOneAndUpdate(expected, { $set: { holder, renewals: 0 }, $inc: { term: 1 } });
		return taken && stillValid({ name, term: taken.term, validUntil: began + leaseMilliseconds });
	}

	async function insert(name: string, began: number): Promise<Lease | undefined> {
		try {
			await leases.insert({ _id: name, holder, term: 1, renewals: 0 });
		} catch (error) {
			if (error instanceof DuplicateKeyError) return undefined;
			throw error;
		}
		return stillValid({ name, term: 1, validUntil: began + leaseMilliseconds });
	}

	function isFree(record: LeaseRecord, readFrom: number): boolean {
		if (record.holder === nobody || record.holder === holder) return true;
		const before = seen.get(record._id);
		const isUnchanged =
			before?.record.holder === record.holder && before.record.term === record.term && before.record.renewals === record.renewals;
		if (isUnchanged) return readFrom - before.since >= leaseMilliseconds;
		// From after the first look to before the last one: the time between is not shorter than the holder's.
		seen.set(record._id, { record, since: elapsed() });
		return false;
	}

	/** Makes it last longer. `undefined` when it is lost: somebody else has it, or its time had passed. */
	async function renew(lease: Lease): Promise<Lease | undefined> {
		const began = elapsed();
		if (!stillValid(lease)) return undefined;
		const renewed = await leases.findOneAndUpdate(ownRecord(lease), { $inc: { renewals: 1 } });
		return renewed && stillValid({ ...lease, validUntil: began + leaseMilliseconds });
	}

	function stillValid(lease: Lease): Lease | undefined {
		return elapsed() < lease.validUntil ? lease : undefined;
	}

	/** Gives it back, so that the next one need not wait; nothing when it is lost already. */
	async function release(lease: Lease): Promise<void> {
		await leases.findOneAndUpdate(ownRecord(lease), { $set: { holder: nobody } });
	}

	function ownRecord({ name, term }: Lease) {
		return { _id: name, holder, term };
	}

	/** A step that makes its batch fail once somebody else has, or had, the lease: whoever stalled writes nothing late. */
	function guard({ name, term }: Lease): Step {
		return { kind: 'require', collection, id: name, where: { holder, term } };
	}

	return { acquire, renew, release, guard };
}
