import type { ManagedObject, SearchFields } from './managed-object.ts';
import type { ChildLink } from './object-links.ts';
import { groupKind, parentToken } from './query/compile-query.ts';
import { indexedPaths } from './query/fields.ts';
import { parseTime } from './time-text.ts';

/** `parents` of an object without any. */
export const rootToken = 'root';
/** Texts that are longer, or behind so many others, are not found by `text=`. */
export const longestSearchedText = 255;
const maxTexts = 64;

export const deviceFragment = 'c8y_IsDevice';

/** The search fields of an object; they change with its fragments, name, type and owner. */
export function searchFieldsOf({
	owner,
	name,
	type,
	fragments,
}: Pick<ManagedObject, 'owner' | 'name' | 'type' | 'fragments'>): SearchFields {
	const texts = new Set<string>();
	for (const value of [name, type, owner]) collectTexts(value, texts);
	collectTexts(fragments, texts);
	const copies = Object.entries(indexedPaths).flatMap(([path, copy]) => {
		const value = valueAt(fragments, path.split('.'));
		return typeof value === 'string' || typeof value === 'number' ? [[copy, value]] : [];
	});
	const until = availableUntilOf(fragments);
	return {
		...(deviceFragment in fragments && { isDevice: true }),
		...Object.fromEntries(copies),
		...(until !== undefined && { availableUntil: until }),
		texts: [...texts],
	};
}

function availableUntilOf(fragments: ManagedObject['fragments']): number | undefined {
	const lastMessage = valueAt(fragments, ['c8y_Availability', 'lastMessage']);
	const minutes = valueAt(fragments, ['c8y_RequiredAvailability', 'responseInterval']);
	if (typeof lastMessage !== 'string' || typeof minutes !== 'number' || minutes <= 0) return undefined;
	if (isGone(fragments)) return 0;
	const heardAt = parseTime(lastMessage);
	return heardAt === undefined ? undefined : heardAt + minutes * 60_000;
}

/** Whether the broker of a device has said that it is gone, and nobody that it is back. */
export function isGone(fragments: ManagedObject['fragments']): boolean {
	return valueAt(fragments, ['c8y_Availability', 'isGone']) === true;
}

function collectTexts(value: unknown, into: Set<string>): void {
	if (into.size >= maxTexts) return;
	if (typeof value === 'string' && value.length <= longestSearchedText) into.add(value);
	if (isObject(value)) for (const inner of Object.values(value)) collectTexts(inner, into);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
	let current = value;
	for (const segment of path) {
		if (!isObject(current) || !Object.hasOwn(current, segment)) return undefined;
		current = current[segment];
	}
	return current;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `parents` of an object holds: by these, children are listed, and found by `bygroupid` and `onlyRoots`. */
export function parentTokens(links: readonly Pick<ChildLink, 'parent' | 'kind'>[]): string[] {
	const tokens = new Set<string>();
	for (const { parent, kind } of links) {
		tokens.add(parentToken(kind, parent));
		if (kind !== 'childDevices') tokens.add(parentToken(groupKind, parent));
	}
	return tokens.size === 0 ? [rootToken] : [...tokens];
}
