import { compare as compareSemanticVersions, parse as parseSemanticVersion } from 'semver';
import { compareDebianVersions } from './debian-version.ts';
import { compareRpmVersions } from './rpm-version.ts';
import { compareTexts } from './segment-order.ts';

/** How versions of one kind of software follow each other: less than 0, 0, more than 0; `undefined` where one is no such version. */
type Compare = (a: string, b: string) => number | undefined;

const collator = new Intl.Collator('en', { numeric: true });

/** THE table of orders. */
const orders = {
	debian: compareDebianVersions,
	rpm: compareRpmVersions,
	semver: compareSemantic,
	numeric: compareNumeric,
} satisfies Readonly<Record<string, Compare>>;

export type VersionOrder = keyof typeof orders;

/** By software type; types that are not named have the numeric order. */
export type OrderOfType = ReadonlyMap<string, VersionOrder>;

export const versionOrderNames = Object.keys(orders).filter(isVersionOrder);

export function isVersionOrder(text: string): text is VersionOrder {
	return Object.hasOwn(orders, text);
}

/** Less than 0, 0, more than 0; `undefined` where one of them is no version in this order, as an empty text is in none. */
export function compareVersions(order: VersionOrder, a: string, b: string): number | undefined {
	return a === '' || b === '' ? undefined : orders[order](a, b);
}

/** The newest first; what is no version in this order is last. Texts that are equal as versions have an order, too. */
export function compareNewestFirst(order: VersionOrder, a: string, b: string): number {
	const isVersion = (text: string) => compareVersions(order, text, text) !== undefined;
	const found = compareVersions(order, b, a);
	return (found ?? Number(isVersion(b)) - Number(isVersion(a))) || compareTexts(b, a);
}

/** semver.org; a leading `v` is allowed. */
function compareSemantic(a: string, b: string): number | undefined {
	const [left, right] = [parseSemanticVersion(a), parseSemanticVersion(b)];
	return left && right ? compareSemanticVersions(left, right) : undefined;
}

/** Runs of digits as numbers, and what is between them as text, of versions that begin with a digit, behind a `v` perhaps. */
function compareNumeric(a: string, b: string): number | undefined {
	const [left, right] = [numberedText(a), numberedText(b)];
	return left === undefined || right === undefined ? undefined : collator.compare(left, right);
}

function numberedText(text: string): string | undefined {
	return /^v?([0-9].*)$/su.exec(text)?.[1];
}
