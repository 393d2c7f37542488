import { type Binaries, type ManagedObjectId, type ReceivedBytes, requireKeptObjectStep } from '../inventory/index.ts';
import { type CollectionSpec, type DocumentStore, type Filter, openSequence, type StoredDocument } from '../store/index.ts';
import {
	type DeviceEvent,
	documentId,
	type EventId,
	eventSpec,
	fileRemovalStep,
	parseEventId,
	referenceId,
	removalSteps,
} from './event.ts';
import { EventError } from './event-error.ts';

/** Everything that events store. */
export const eventCollections: readonly CollectionSpec<StoredDocument>[] = [eventSpec];

export interface EventLimits {
	/** Bytes of an event's type, text and fragments as JSON. */
	readonly eventMaxBytes: number;
	readonly maxFragments: number;
	/** Events of one managed object: beyond, those that came first go. */
	readonly maxPerDevice: number;
	/** How long events are kept, in milliseconds after they came; 0 keeps them for ever. */
	readonly retentionMilliseconds: number;
}

export type NewEvent = Pick<DeviceEvent, 'source' | 'type' | 'text' | 'time' | 'fragments'>;

export interface EventFilter {
	readonly source?: string | undefined;
	/** One of these. */
	readonly sources?: readonly string[] | undefined;
	readonly type?: string | undefined;
	/** Of the time that the device says, in milliseconds since 1970, inclusive. */
	readonly dateFrom?: number | undefined;
	readonly dateTo?: number | undefined;
}

/** An event that has a file. */
export type EventWithFile = DeviceEvent & Required<Pick<DeviceEvent, 'attachment'>>;

export type Events = Awaited<ReturnType<typeof openEvents>>;

/** What devices tell about themselves, newest first. An event goes with the object that it is about, and its file goes with it. */
export async function openEvents(options: {
	readonly store: DocumentStore;
	readonly binaries: Pick<Binaries, 'attach'>;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	readonly limits: EventLimits;
	/** Numbers that this process reserves at a time: 1 where other processes write events too, or theirs come too late. */
	readonly numbersAtATime: number;
}) {
	const { store, binaries, clock, limits } = options;
	const events = await store.collection(eventSpec);
	const sequence = await openSequence(store, eventSpec.name, { first: 1, block: options.numbersAtATime });

	/**
	 * Stores an event. When the object has more than it may have, those that came first go: the log of the latest failure is what
	 * is needed, and a device that is refused would be without it.
	 * @throws EventError `event/invalid` where there is no such object, `event/tooLarge`
	 */
	async function create(tenant: string, asked: NewEvent): Promise<DeviceEvent> {
		checkSize(asked, limits);
		const seq = await sequence.next();
		const id = parseEventId(String(seq));
		const now = clock();
		const event: DeviceEvent = {
			_id: documentId(tenant, id),
			tenant,
			id,
			seq,
			...asked,
			creationTime: now,
			lastUpdated: now,
		};
		const outcome = await store.batch([
			requireKeptObjectStep(tenant, asked.source),
			{ kind: 'insert', collection: eventSpec.name, document: event },
		]);
		if (!outcome.ok) throw noSuchSource(asked.source);
		await removeBeyond(tenant, asked.source);
		return event;
	}

	async function removeBeyond(tenant: string, source: ManagedObjectId): Promise<void> {
		const filter = { tenant, source };
		await removePages(() => events.find({ filter, sort: [['seq', -1]], skip: limits.maxPerDevice, limit: pageSize }));
	}

	/** @throws EventError `event/notFound` */
	async function get(tenant: string, id: EventId): Promise<DeviceEvent> {
		const event = await events.get(documentId(tenant, id));
		if (!event) throw new EventError('event/notFound', `No event for id '${id}'`);
		return event;
	}

	/** Newest first, or oldest first with `revert`, in the order in which they came. */
	async function list(
		tenant: string,
		filter: EventFilter,
		{ revert, ...page }: { readonly skip: number; readonly limit: number; readonly revert: boolean },
	): Promise<DeviceEvent[]> {
		return events.find({ filter: storedFilter(tenant, filter), sort: [['seq', revert ? 1 : -1]], ...page });
	}

	async function count(tenant: string, filter: EventFilter): Promise<number> {
		return events.count(storedFilter(tenant, filter));
	}

	/**
	 * Gives received bytes to an event that has none.
	 * @throws EventError `event/notFound`, `event/conflict`; InventoryError `binary/quotaExceeded`, `inventory/conflict`
	 */
	async function attach(
		tenant: string,
		id: EventId,
		{ name, contentType }: { readonly name: string; readonly contentType: string },
		received: ReceivedBytes,
	): Promise<EventWithFile> {
		const document = { id: referenceId(tenant, id), tenant };
		return binaries.attach(document, contentType, received, async (facts, steps) => {
			const event = await get(tenant, id);
			checkHasNoFile(event);
			const change = { attachment: { ...facts, name }, lastUpdated: clock() };
			const where = { attachment: { $exists: false } };
			const outcome = await store.batch([
				{ kind: 'update', collection: eventSpec.name, id: event._id, where, update: { $set: change } },
				...steps,
			]);
			return outcome.ok ? { ...event, ...change } : undefined;
		});
	}

	/** Takes its file from an event. @throws EventError `event/notFound` where it has none any more */
	async function detach(event: EventWithFile): Promise<void> {
		const where = { attachment: { $exists: true } };
		const update = { $unset: ['attachment'], $set: { lastUpdated: clock() } };
		const outcome = await store.batch([
			{ kind: 'update', collection: eventSpec.name, id: event._id, where, update },
			fileRemovalStep(event),
		]);
		if (!outcome.ok) throw noFile(event.id);
	}

	async function remove(event: DeviceEvent): Promise<void> {
		await store.batch(removalSteps(event));
	}

	/** Removes what matches. Returns how many. */
	async function removeMatching(tenant: string, filter: EventFilter): Promise<number> {
		return removePages(() => list(tenant, filter, { skip: 0, limit: pageSize, revert: true }));
	}

	/** Removes what came longer ago than events are kept; the time that a device says keeps none. Returns how many. */
	async function removeOld(): Promise<number> {
		if (limits.retentionMilliseconds === 0) return 0;
		const before = { creationTime: { $lt: clock() - limits.retentionMilliseconds } };
		return removePages(() => events.find({ filter: before, sort: [['creationTime', 1]], limit: pageSize }));
	}

	async function removePages(next: () => Promise<readonly DeviceEvent[]>): Promise<number> {
		for (let removed = 0; ; ) {
			const page = await next();
			if (page.length > 0) await store.batch(page.flatMap(removalSteps));
			removed += page.length;
			if (page.length < pageSize) return removed;
		}
	}

	return { create, get, list, count, looksAtMany, attach, detach, remove, removeMatching, removeOld };
}

const pageSize = 200;

/** @throws EventError `event/notFound` where the event has no file */
export function requireFile(event: DeviceEvent): EventWithFile {
	const { attachment } = event;
	if (!attachment) throw noFile(event.id);
	return { ...event, attachment };
}

/** @throws EventError `event/conflict` */
export function checkHasNoFile({ id, attachment }: DeviceEvent): void {
	if (attachment)
		throw new EventError('event/conflict', `Event '${id}' has a file already: remove it first, or create another event`);
}

export function noSuchSource(id: string): EventError {
	return new EventError('event/invalid', `source.id '${id.slice(0, 40)}' names no managed object, or one that is being removed`);
}

function noFile(id: EventId): EventError {
	return new EventError('event/notFound', `Event '${id}' has no file`);
}

function checkSize({ type, text, fragments }: NewEvent, { eventMaxBytes, maxFragments }: EventLimits): void {
	const count = Object.keys(fragments).length;
	if (count > maxFragments)
		throw new EventError('event/tooLarge', `The event has ${count} fragments: at most ${maxFragments} are allowed`);
	const bytes = Buffer.byteLength(JSON.stringify({ type, text, fragments }));
	if (bytes > eventMaxBytes)
		throw new EventError('event/tooLarge', `The event has ${bytes} bytes: at most ${eventMaxBytes} are allowed`);
}

/** Whether no index answers such a filter in order, so that all that match a part of it may be looked at. */
function looksAtMany({ sources, dateFrom, dateTo }: EventFilter): boolean {
	return sources !== undefined || dateFrom !== undefined || dateTo !== undefined;
}

function storedFilter(tenant: string, { source, sources, type, dateFrom, dateTo }: EventFilter): Filter {
	const time = { ...(dateFrom !== undefined && { $gte: dateFrom }), ...(dateTo !== undefined && { $lte: dateTo }) };
	return {
		tenant,
		...(sources && { source: { $in: sources } }),
		...(source !== undefined && { source }),
		...(type !== undefined && { type }),
		...(Object.keys(time).length > 0 && { time }),
	};
}
