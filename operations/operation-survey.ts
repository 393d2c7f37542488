import type { Collection } from '../store/index.ts';
import type { Operation } from './operation.ts';
import { type OperationStatus, operationStatuses } from './operation-status.ts';

/** Figures over all tenants. */
export interface OperationSurvey {
	readonly counts: ReadonlyMap<OperationStatus, number>;
	/** Milliseconds since 1970; absent when nothing is PENDING. */
	readonly oldestPending?: number;
}

/** What is read from an index alone; the time for the counts still grows with all operations that there are. */
export function openSurvey(operations: Collection<Operation>) {
	/** How many operations there are in each status, and when the oldest PENDING one was created. */
	async function survey(): Promise<OperationSurvey> {
		const counts = new Map<OperationStatus, number>(operationStatuses.map((status) => [status, 0]));
		let oldestPending: number | undefined;
		for (let tenant = await nextTenant(''); tenant !== undefined; tenant = await nextTenant(tenant)) {
			for (const status of operationStatuses) {
				counts.set(status, (counts.get(status) ?? 0) + (await operations.count({ tenant, status })));
			}
			const [oldest] = await operations.find({ filter: { tenant, status: 'PENDING' }, sort: [['seq', 1]], limit: 1 });
			if (oldest) oldestPending = Math.min(oldestPending ?? oldest.creationTime, oldest.creationTime);
		}
		return { counts, ...(oldestPending !== undefined && { oldestPending }) };
	}

	/** The first tenant after that one which has operations: one look into an index, however many these are. */
	async function nextTenant(after: string): Promise<string | undefined> {
		const [first] = await operations.find({ filter: { tenant: { $gt: after } }, sort: [['tenant', 1]], limit: 1 });
		return first?.tenant;
	}

	return { survey };
}
