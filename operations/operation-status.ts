export const operationStatuses = ['PENDING', 'EXECUTING', 'SUCCESSFUL', 'FAILED'] as const;

export type OperationStatus = (typeof operationStatuses)[number];

/**
 * THE table of what may follow what, for HTTP and MQTT alike; a status without a follower is final. [SR-501] [SR-504]
 * A device may report the end of what it never reported as started.
 */
export const operationTransitions: Readonly<Record<OperationStatus, readonly OperationStatus[]>> = {
	PENDING: ['EXECUTING', 'SUCCESSFUL', 'FAILED'],
	EXECUTING: ['SUCCESSFUL', 'FAILED'],
	SUCCESSFUL: [],
	FAILED: [],
};

/** Repeating the present status is `unchanged`, so that a redelivered report does no harm. */
export function nextStatus(from: OperationStatus, to: OperationStatus): 'changed' | 'unchanged' | 'refused' {
	if (from === to) return 'unchanged';
	return operationTransitions[from].includes(to) ? 'changed' : 'refused';
}

/** The statuses from which `to` can be reached: the expected values of a conditional update. */
export function statusesBefore(to: OperationStatus): OperationStatus[] {
	return operationStatuses.filter((from) => operationTransitions[from].includes(to));
}

export function isFinal(status: OperationStatus): boolean {
	return operationTransitions[status].length === 0;
}
