import { setTimeout as delay } from 'node:timers/promises';
import { type AggregationCursor, type Db, type Document, MongoServerError } from 'mongodb';
import type { Change, StoredDocument } from '../document-store.ts';
import { decodeDocument, touchField } from './bson-document.ts';
import { messageOf } from './explain-error.ts';

/** The changes of some collections, for as long as it is open. */
export interface ChangeStream {
	close(): Promise<void>;
}

export interface ChangeStreamOptions {
	readonly db: Db;
	readonly collections: readonly string[];
	/** Where to go on. */
	readonly token: unknown;
	readonly onChange: (collection: string, change: Change<StoredDocument>, token: unknown) => void;
	/** It has begun, or begun again, and something may have been missed before. */
	readonly onGap: () => void;
	readonly onFault: (error: Error) => void;
}

/** The history that the token names is gone, or the token is none of this database, or the change behind it is too large to be told. */
const lostTokens: ReadonlySet<unknown> = new Set([10_334, 50_811, 136, 222, 234, 260, 280, 286]);
const firstPause = 100;
const longestPause = 5000;

/**
 * Follows one change stream of the database. It is the plain aggregation, not the driver's own change stream: that one goes on
 * after a lost connection without a word, and whoever listens has to hear that changes may have been missed.
 */
export function openChangeStream(options: ChangeStreamOptions): ChangeStream {
	const { db, collections, onChange, onGap, onFault } = options;
	const ending = new AbortController();
	let token = options.token;
	let cursor: AggregationCursor | undefined;
	let pause = firstPause;
	let isFirst = true;

	const follow = async (): Promise<void> => {
		const stage = { fullDocument: 'updateLookup', ...(token !== undefined && { resumeAfter: token }) };
		const pipeline = [{ $changeStream: stage }, { $match: { 'ns.coll': { $in: collections } } }];
		cursor = db.aggregate(pipeline, { readConcern: { level: 'majority' }, readPreference: 'primary' });
		// The first answer comes at once, and may be empty.
		let event = await cursor.tryNext();
		// Going on where the last one stopped on purpose misses nothing.
		if (!isFirst || token === undefined) onGap();
		isFirst = false;
		pause = firstPause;
		for (;;) {
			if (event !== null) hear(event);
			if (ending.signal.aborted) return;
			event = await cursor.next();
			if (event === null) throw new Error('the change stream has ended');
		}
	};

	const hear = (event: Document): void => {
		token = event._id;
		const change = toChange(event);
		if (change !== undefined) onChange(String(event.ns?.coll), change, token);
	};

	const run = async (): Promise<void> => {
		while (!ending.signal.aborted) {
			try {
				await follow();
			} catch (error) {
				if (ending.signal.aborted) return;
				isFirst = false;
				if (error instanceof MongoServerError && lostTokens.has(error.code)) token = undefined;
				// Once for each time that it is away.
				if (pause === firstPause) onFault(new Error(`the stream of changes broke off, and begins again: ${messageOf(error)}`));
				await delay(pause, undefined, { signal: ending.signal }).catch(() => undefined);
				pause = Math.min(pause * 2, longestPause);
			} finally {
				await cursor?.close().catch(() => undefined);
			}
		}
	};

	const running = run();
	return {
		close: async () => {
			ending.abort();
			await cursor?.close().catch(() => undefined);
			await running;
		},
	};
}

/** What the port tells of an event; undefined for what it does not. */
function toChange(event: Document): Change<StoredDocument> | undefined {
	const id = event.documentKey?._id;
	if (typeof id !== 'string') return undefined;
	switch (event.operationType) {
		case 'delete':
			return { kind: 'removed', id };
		case 'insert':
			return { kind: 'inserted', id, document: decodeDocument(event.fullDocument) };
		case 'replace':
		case 'update':
			// Removed meanwhile: its removal is told next.
			if (event.fullDocument == null || isTouch(event.updateDescription)) return undefined;
			return { kind: 'updated', id, document: decodeDocument(event.fullDocument) };
		default:
			return undefined;
	}
}

/** A requirement was held, nothing more. */
function isTouch(description: Document | undefined): boolean {
	if (description === undefined) return false;
	const { updatedFields = {}, removedFields = [], truncatedArrays = [] } = description;
	return Object.keys(updatedFields).every((name) => name === touchField) && removedFields.length + truncatedArrays.length === 0;
}
