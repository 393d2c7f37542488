import type { Condition, Operator, ParsedQuery, Value } from '../../../inventory/query/query-tree.ts';
import { valueAt } from './naive.ts';

/** A managed object as a client would describe it, with what it is a child of. */
export interface PlainObject {
	readonly id: string;
	readonly name?: string | undefined;
	readonly type?: string | undefined;
	readonly owner: string;
	readonly creationTime: number;
	readonly fragments: Readonly<Record<string, unknown>>;
	readonly parents: readonly { readonly kind: string; readonly id: string }[];
}

/** The query language in the plainest words: every object is looked at, and nothing is known of filters and indexes. */
export function evaluateNaively(all: readonly PlainObject[], { condition, order }: ParsedQuery, now: number): string[] {
	const found = condition ? all.filter((object) => holds(object, condition, all, now)) : [...all];
	const byId = (left: PlainObject, right: PlainObject) => Number(left.id) - Number(right.id);
	// What is equal in the order is in the order of creation, in the direction of the last key that was not there before.
	const keys = order.filter(([path], position) => order.findIndex(([other]) => other === path) === position);
	const last = keys.at(-1)?.[1] ?? 1;
	found.sort((left, right) => {
		for (const [path, direction] of keys) {
			const difference = compareAny(fieldOf(left, path), fieldOf(right, path));
			if (difference !== 0) return difference * direction;
		}
		return byId(left, right) * last;
	});
	return found.map(({ id }) => id);
}

function holds(object: PlainObject, condition: Condition, all: readonly PlainObject[], now: number): boolean {
	switch (condition.kind) {
		case 'and':
			return condition.parts.every((part) => holds(object, part, all, now));
		case 'or':
			return condition.parts.some((part) => holds(object, part, all, now));
		case 'not':
			return !holds(object, condition.part, all, now);
		case 'has':
			return condition.path === 'c8y_Availability.status'
				? statusOf(object, now) !== undefined
				: fieldOf(object, condition.path) !== undefined;
		case 'group':
			return object.parents.some(({ kind, id }) => id === condition.id && kind !== 'childDevices');
		case 'hierarchy':
			return isAtOrBelow(object, condition.id, all);
		case 'compare': {
			const { path, operator, value } = condition;
			if (operator === 'ne') return !holds(object, { ...condition, operator: 'eq' }, all, now);
			const actual = path === 'c8y_Availability.status' ? statusOf(object, now) : fieldOf(object, path);
			const elements = Array.isArray(actual) ? actual : [actual];
			return elements.some((element) => meets(element, operator, wanted(path, value)));
		}
	}
}

function statusOf({ fragments }: PlainObject, now: number): string | undefined {
	const { lastMessage } = (fragments.c8y_Availability ?? {}) as { lastMessage?: string };
	const { responseInterval } = (fragments.c8y_RequiredAvailability ?? {}) as { responseInterval?: number };
	if (lastMessage === undefined || responseInterval === undefined) return undefined;
	return now - Date.parse(lastMessage) <= responseInterval * 60_000 ? 'AVAILABLE' : 'UNAVAILABLE';
}

function isAtOrBelow(object: PlainObject, id: string, all: readonly PlainObject[]): boolean {
	if (object.id === id) return true;
	return object.parents.some((parent) => {
		const above = all.find((each) => each.id === parent.id);
		return above !== undefined && isAtOrBelow(above, id, all);
	});
}

function fieldOf(object: PlainObject, path: string): unknown {
	if (path === 'id' || path === '_id') return Number(object.id);
	if (path === 'name' || path === 'type' || path === 'owner') return object[path];
	if (/^(creationTime|lastUpdated)(\.date)?$/.test(path)) return object.creationTime;
	return valueAt(object.fragments, path);
}

type Wanted = { readonly anyOf: readonly unknown[]; readonly bound?: string | number; readonly pattern?: RegExp };

/** What a value means for a field: times and ids are numbers, and fields that hold texts only are compared with texts. */
function wanted(path: string, value: Value): Wanted {
	if (value.kind === 'null') return { anyOf: [undefined, null] };
	const written = value.kind === 'text' ? value.parts.join('*') : value.kind === 'number' ? value.text : String(value.value);
	if (/^(creationTime|lastUpdated)/.test(path)) return { anyOf: [Date.parse(written)], bound: Date.parse(written) };
	if (path === 'id' || path === '_id') return { anyOf: [Number(written)], bound: Number(written) };
	if (value.kind === 'text' && value.parts.length > 1) {
		const pieces = value.parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
		return { anyOf: [], bound: written, pattern: new RegExp(`^${pieces.join('.*')}$`, 'su') };
	}
	if (path === 'name' || path === 'type' || path === 'owner' || value.kind === 'text')
		return { anyOf: [written], bound: written };
	return value.kind === 'number' ? { anyOf: [value.value, written], bound: value.value } : { anyOf: [value.value] };
}

function meets(element: unknown, operator: Operator, { anyOf, bound, pattern }: Wanted): boolean {
	if (operator === 'eq') return pattern ? typeof element === 'string' && pattern.test(element) : anyOf.includes(element);
	if (typeof element !== typeof bound) return false;
	const difference = compareAny(element, bound);
	return { lt: difference < 0, le: difference <= 0, gt: difference > 0, ge: difference >= 0, ne: false }[operator];
}

/** Nothing, then numbers, texts by their bytes, false, true. */
function compareAny(left: unknown, right: unknown): number {
	if (typeof left === 'number' && typeof right === 'number') return left - right;
	if (typeof left === 'string' && typeof right === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right));
	return rankOf(left) - rankOf(right);
}

function rankOf(value: unknown): number {
	if (value === undefined || value === null) return 0;
	return typeof value === 'number' ? 1 : typeof value === 'string' ? 2 : value ? 4 : 3;
}
