import type { Collection, Filter, StoredDocument } from '../store/index.ts';
import { InventoryError } from './inventory-error.ts';

/** How many devices, and packages of all devices together, a tenant may have; 0 is without limit. */
export interface TenantRoomLimits {
	readonly devices: number;
	readonly packages: number;
}

export const deviceFragment = 'c8y_IsDevice';

interface Count {
	/** As counted, and what was let in here since. */
	present: number;
	readonly countedAt: number;
	/** How long counting took, in milliseconds. */
	readonly took: number;
}

/** So long a count is good where there is room left: others may let in more meanwhile. */
const freshMilliseconds = 10_000;
/** Counting takes at most this part of the time. */
const countingShare = 100;
/** Before something is refused it is counted anew, unless that was just done. */
const justMilliseconds = 50;

export type TenantRoom = ReturnType<typeof openTenantRoom>;

/**
 * Whether a tenant may have more. Nothing is maintained: what there is, is counted by an index, not at each change but now and
 * then, and what was let in here since is added. So nothing within the limit is refused for long, and several processes exceed it
 * by no more than what they let in between two counts.
 */
export function openTenantRoom(options: {
	readonly objects: Collection<StoredDocument>;
	readonly packages: Collection<StoredDocument>;
	/** Milliseconds. */
	readonly clock: () => number;
	/** Absent where no tenant has a limit. */
	readonly limitsOf?: ((tenant: string) => Promise<TenantRoomLimits>) | undefined;
}) {
	const { objects, packages, clock, limitsOf } = options;
	const counts = new Map<string, Count>();

	const counting: Readonly<Record<keyof TenantRoomLimits, (tenant: string) => Promise<number>>> = {
		devices: (tenant) => objects.count({ tenant, fragmentNames: deviceFragment }, 'byFragment'),
		packages: (tenant) => packages.count(idsOf(tenant)),
	};

	/** @throws InventoryError `inventory/quotaExceeded` when so many more would be too many */
	async function admit(tenant: string, what: keyof TenantRoomLimits, more: number): Promise<void> {
		if (await tryAdmit(tenant, what, more)) return;
		throw new InventoryError(
			'inventory/quotaExceeded',
			`The tenant has as many ${what} as it may have, or would have more with ${more} more: remove some, or ask for a higher limit`,
		);
	}

	/** Lets in so many more, or none; tells which. */
	async function tryAdmit(tenant: string, what: keyof TenantRoomLimits, more: number): Promise<boolean> {
		if (!limitsOf || more <= 0) return true;
		const most = (await limitsOf(tenant))[what];
		if (most === 0) return true;
		const known = counts.get(`${what} ${tenant}`);
		const isGood = known && age(known) < Math.max(freshMilliseconds, known.took * countingShare);
		let count = isGood ? known : await recount(tenant, what);
		if (count.present + more > most && age(count) >= Math.max(justMilliseconds, count.took)) count = await recount(tenant, what);
		if (count.present + more > most) return false;
		count.present += more;
		return true;
	}

	async function recount(tenant: string, what: keyof TenantRoomLimits): Promise<Count> {
		const countedAt = clock();
		const present = await counting[what](tenant);
		const count: Count = { present, countedAt, took: clock() - countedAt };
		const key = `${what} ${tenant}`;
		counts.delete(key);
		counts.set(key, count);
		if (counts.size > maxCounts) counts.delete(counts.keys().next().value ?? '');
		return count;
	}

	// A clock that was set back makes a count old.
	function age({ countedAt }: Count): number {
		const milliseconds = clock() - countedAt;
		return milliseconds < 0 ? Number.POSITIVE_INFINITY : milliseconds;
	}

	return { admit, tryAdmit };
}

const maxCounts = 10_000;

function idsOf(tenant: string): Filter {
	return { _id: { $gt: `${tenant}/`, $lt: `${tenant}0` } };
}
