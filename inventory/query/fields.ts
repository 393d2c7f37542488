import { parseTime } from '../time-text.ts';
import type { Operator, Value } from './query-tree.ts';

/**
 * What a path of a query stands for. `fragment` holds any JSON; `text` texts only; `time` milliseconds, compared with times;
 * `timeText` a time as text; `id` the number of an object; `availability` is made of two fields and the present time.
 */
export type FieldKind = 'id' | 'text' | 'time' | 'timeText' | 'availability' | 'fragment';

export interface Field {
	readonly kind: FieldKind;
	/** Where it is stored. */
	readonly stored: string;
	/** Where a copy of its texts and numbers is stored and indexed. */
	readonly indexed?: string;
}

/** Paths of fragments of which texts and numbers are indexed, and where the copies are. */
export const indexedPaths = {
	'c8y_Software.version': 'softwareVersion',
	'c8y_Hardware.serialNumber': 'serialNumber',
} as const;

/** Where the index of availability looks: until when a device counts as available, unless it is heard of. */
export const availableUntil = 'search.availableUntil';

const ids: Field = { kind: 'id', stored: 'seq' };
const creationTime: Field = { kind: 'time', stored: 'creationTime' };
const lastUpdated: Field = { kind: 'time', stored: 'lastUpdated' };
const lastMessage: Field = { kind: 'timeText', stored: 'fragments.c8y_Availability.lastMessage' };

/** THE table of paths that are no plain fragments. */
const fields: ReadonlyMap<string, Field> = new Map<string, Field>([
	['id', ids],
	['_id', ids],
	['name', { kind: 'text', stored: 'name' }],
	['type', { kind: 'text', stored: 'type' }],
	['owner', { kind: 'text', stored: 'owner' }],
	['creationTime', creationTime],
	['creationTime.date', creationTime],
	['lastUpdated', lastUpdated],
	['lastUpdated.date', lastUpdated],
	['c8y_Availability.status', { kind: 'availability', stored: availableUntil }],
	['c8y_Availability.lastMessage', lastMessage],
	['c8y_Availability.lastMessage.date', lastMessage],
	...Object.entries(indexedPaths).map(([path, copy]): [string, Field] => [
		path,
		{ kind: 'fragment', stored: `fragments.${path}`, indexed: `search.${copy}` },
	]),
]);

export function fieldOf(path: string): Field {
	return fields.get(path) ?? { kind: 'fragment', stored: `fragments.${path}` };
}

const maxSegments = 20;
const reserved: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a text can be the path of a fragment. */
export function isPath(text: string): boolean {
	const segments = text.split('.');
	return segments.length <= maxSegments && segments.every((segment) => isSegment(segment));
}

function isSegment(segment: string): boolean {
	return segment.length > 0 && segment.length <= 200 && !/^\$|["\\*\p{Cc}\p{Cs}]/u.test(segment) && !reserved.has(segment);
}

/** What a value must be to be compared with that field in that way, in words; `undefined` where it is right. */
export function expectedValue({ kind }: Field, operator: Operator, value: Value): string | undefined {
	const isOrder = operator !== 'eq' && operator !== 'ne';
	if (isOrder && (value.kind === 'boolean' || value.kind === 'null')) return 'a number, a text or a time to compare with';
	if (value.kind === 'null') return undefined;
	if (kind === 'id' && idNumber(value) === undefined) return 'an id: decimal digits';
	if ((kind === 'time' || kind === 'timeText') && timeNumber(value) === undefined)
		return "a time such as '2026-11-20T00:00:00.000Z'";
	if (value.kind === 'text' && value.parts.length > 1 && value.parts.some((part) => part.includes('*')))
		return 'a text with wildcards or with escaped asterisks, not with both';
	return undefined;
}

/** The id that a value stands for, as a number. */
export function idNumber(value: Value): number | undefined {
	const text = plainText(value);
	return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The time that a value stands for, in milliseconds since 1970. */
export function timeNumber(value: Value): number | undefined {
	return value.kind === 'text' && value.parts.length === 1 ? parseTime(value.parts[0] ?? '') : undefined;
}

/** A value as a text without wildcards; a number as it was written. */
export function plainText(value: Value): string | undefined {
	if (value.kind === 'number') return value.text;
	if (value.kind === 'boolean') return String(value.value);
	return value.kind === 'text' && value.parts.length === 1 ? value.parts[0] : undefined;
}
