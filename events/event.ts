import { type BinaryFacts, dereferenceStep, type ManagedObjectId } from '../inventory/index.ts';
import type { CollectionSpec, Step } from '../store/index.ts';
import { EventError } from './event-error.ts';

/** Decimal digits, unique in the service. */
export type EventId = string & { readonly eventId: unique symbol };

/** The file of an event, as it is stored. */
export type Attachment = BinaryFacts & { readonly name: string };

/** What a device tells about itself at a moment, with a file or without. */
export interface DeviceEvent {
	readonly _id: string;
	readonly tenant: string;
	readonly id: EventId;
	/** The id as a number: the order in which events came. */
	readonly seq: number;
	/** The managed object that it is about. */
	readonly source: ManagedObjectId;
	readonly type: string;
	readonly text: string;
	/** When it happened, as the device says, in milliseconds since 1970. */
	readonly time: number;
	readonly creationTime: number;
	readonly lastUpdated: number;
	readonly fragments: Readonly<Record<string, unknown>>;
	readonly attachment?: Attachment;
}

export const eventSpec: CollectionSpec<DeviceEvent> = {
	name: 'events',
	indexes: [
		{ name: 'all', keys: ['tenant', 'seq'] },
		{ name: 'bySource', keys: ['tenant', 'source', 'seq'] },
		{ name: 'byType', keys: ['tenant', 'type', 'seq'] },
		{ name: 'bySourceType', keys: ['tenant', 'source', 'type', 'seq'] },
		{ name: 'byCreation', keys: ['creationTime'] },
	],
};

/** What only the service sets in the JSON of an event; clients send it back with what they fetched. */
export const eventServerFields: ReadonlySet<string> = new Set(['id', 'self', 'creationTime', 'lastUpdated', 'c8y_IsBinary']);

export function documentId(tenant: string, id: EventId): string {
	return `${tenant}/${id}`;
}

/** The id of the reference by which the file of an event is kept; those of managed objects have digits only behind the tenant. */
export function referenceId(tenant: string, id: EventId): string {
	return `${tenant}/event/${id}`;
}

export function fileRemovalStep({ tenant, id }: DeviceEvent): Step {
	return dereferenceStep(referenceId(tenant, id));
}

/** An event goes with its file, also with one that comes at the same time. */
export function removalSteps(event: DeviceEvent): Step[] {
	return [{ kind: 'remove', collection: eventSpec.name, id: event._id }, fileRemovalStep(event)];
}

/** @throws EventError `event/notFound`: what is not an id cannot exist. */
export function parseEventId(text: string): EventId {
	if (!isEventId(text))
		throw new EventError('event/notFound', `No event for id '${text.slice(0, 40)}': an id has decimal digits only`);
	return text;
}

function isEventId(text: string): text is EventId {
	return /^[0-9]{1,15}$/.test(text);
}
