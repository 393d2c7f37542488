import type { ManagedObjectId } from '../inventory/index.ts';
import { OperationError } from './operation-error.ts';
import type { OperationStatus } from './operation-status.ts';

/** Decimal digits of a number below 2^32: devices keep it in 32 bits. */
export type OperationId = string & { readonly operationId: unique symbol };

export interface Operation {
	readonly _id: string;
	readonly tenant: string;
	readonly id: OperationId;
	/** The id as a number: the order of creation. */
	readonly seq: number;
	readonly deviceId: ManagedObjectId;
	/** The device that has the connection: the device itself or the nearest one above it. */
	readonly agentId: ManagedObjectId;
	readonly deviceName?: string;
	readonly externalIds: readonly { readonly type: string; readonly externalId: string }[];
	readonly status: OperationStatus;
	readonly failureReason?: string;
	readonly description?: string;
	/** Milliseconds since 1970. */
	readonly creationTime: number;
	/** Grows with the status: the time of the last change. */
	readonly lastUpdated: number;
	/** What the device is asked to do, as it was given. */
	readonly fragments: Readonly<Record<string, unknown>>;
	readonly fragmentNames: readonly string[];
	/** Binaries whose addresses are in what an operator asked for: the device may download them. */
	readonly binaryIds?: readonly string[];
	/** Grows when fragments are changed: the expected value of the next change. */
	readonly revision: number;
	readonly delivery: { readonly status: 'PENDING' | 'DELIVERED'; readonly time: number };
	/** Which publish of the device started and ended it, so that the same publish sent again does nothing. */
	readonly startedBy?: ReportMark;
	readonly endedBy?: ReportMark;
}

/** What is kept of the receipt of a report. */
export interface ReportMark {
	readonly key: string;
	readonly arrival: string;
}

/** What only the service sets in the JSON of an operation; clients send it back with what they fetched. */
export const operationServerFields: ReadonlySet<string> = new Set([
	'id',
	'self',
	'agentId',
	'deviceName',
	'creationTime',
	'lastUpdated',
	'delivery',
	'deviceExternalIDs',
	'externalSource',
]);

const maxId = 2 ** 32 - 1;

export function documentId(tenant: string, id: OperationId): string {
	return `${tenant}/${id}`;
}

/** @throws OperationError `operation/notFound`: what is not an id cannot exist. */
export function parseOperationId(text: string): OperationId {
	if (!isOperationId(text))
		throw new OperationError('operation/notFound', `No operation for id '${text.slice(0, 40)}': an id has decimal digits only`);
	return text;
}

function isOperationId(text: string): text is OperationId {
	return /^[0-9]{1,10}$/.test(text) && Number(text) <= maxId;
}
