import type { Filter, IndexSpec } from '../store/index.ts';
import type { ManagedObjectId } from './managed-object.ts';
import type { SentPackage, SoftwarePackage } from './software-package.ts';

/**
 * `_id` is device, name and version, so that a device's packages lie side by side, sorted by name, then version.
 * But for `_id`, a package without `position` is stored as clients see it: see `shownPackages`.
 */
export interface PackageDocument extends SentPackage {
	readonly _id: string;
	/** Place in a list that was sent whole through the legacy door. */
	readonly position?: number;
}

/**
 * By name, then as `_id` goes on: tenant, device, version. So what is asked of one name lies together for each tenant, in the
 * order of devices, and is known from the index alone.
 */
export const packageIndexes: readonly IndexSpec[] = [{ name: 'byName', keys: ['name', '_id', 'softwareType'] }];

/** Whose packages are looked at. */
export interface PackageScope {
	readonly tenant: string;
	/** Only those of this device. */
	readonly device?: ManagedObjectId | undefined;
	/** Only those of these devices. */
	readonly within?: readonly ManagedObjectId[] | undefined;
}

export interface NamedPackages extends PackageScope {
	readonly name: string;
	readonly type?: string | undefined;
}

/** Texts are exact, or hold `*` for any characters. */
export interface PackageFilter {
	readonly name?: string;
	readonly version?: string;
	readonly type?: string;
}

// Lower than any character that a name or version may have, so that 'a' sorts before 'a1' whatever the version.
const separator = '\u0001';
const afterSeparator = '\u0002';

/** The `_id` of a package. */
export function packageId(tenant: string, device: ManagedObjectId, name: string, version: string): string {
	return `${tenant}/${device}${separator}${name}${separator}${version}`;
}

/** A package as it is stored; only a list that came through the legacy door has positions. */
export function toPackageDocument(_id: string, item: SentPackage, position?: number): PackageDocument {
	const { name, version, softwareType, url } = item;
	// Written out, as `shownPackage` is: this runs for each of a hundred thousand packages a second.
	const shown = { _id, name, version, softwareType: softwareType || undefined, url: url || undefined };
	return position === undefined ? shown : { ...shown, position, sent: item.sent };
}

/** A page of packages as clients see them, from the text of their documents. */
export function shownPackages(documents: string): string {
	// Inside a text a quote is escaped, so this is the name of a member and nothing else.
	if (!documents.includes('"position":')) return documents;
	const items: SentPackage[] = JSON.parse(documents);
	return JSON.stringify(items.map(shownPackage));
}

// In the order of the answers. Empty texts are not stored, and `undefined` is not written.
function shownPackage({ name, version, softwareType, url }: SoftwarePackage): SoftwarePackage {
	return { name, version, softwareType: softwareType || undefined, url: url || undefined };
}

/** Finds packages of one device, as a range of ids that is read in order. */
export function packageFilter(tenant: string, device: ManagedObjectId, { name, version, type }: PackageFilter): Filter {
	// The part of the name before the first `*` narrows the range that is read.
	const prefix = name === undefined ? '' : name.includes('*') ? name.slice(0, name.indexOf('*')) : name + separator;
	const start = `${tenant}/${device}${separator}${prefix}`;
	const range = prefix.endsWith(separator)
		? { $gte: start, $lt: start.slice(0, -1) + afterSeparator }
		: { $gte: start, $lt: prefix ? `${start}\u{10FFFF}` : `${tenant}/${device}${afterSeparator}` };
	return {
		_id: range,
		...(name?.includes('*') && { name: { $wildcard: name } }),
		...(version !== undefined && { version: textCondition(version) }),
		...(type !== undefined && { softwareType: textCondition(type) }),
	};
}

/**
 * Finds all packages of a name, of any device of the tenant or of one, as a range of the index `byName`: from `device` on, a text
 * that device ids are compared with, and behind `lastId`.
 */
export function namedPackageFilter({ tenant, device: only, name, type }: NamedPackages, device: string, lastId: string): Filter {
	const start = `${tenant}/${only ?? ''}${only === undefined ? '' : separator}`;
	const end = only === undefined ? `${tenant}0` : `${tenant}/${only}${afterSeparator}`;
	const from = `${tenant}/${device}`;
	const lower = from > start ? from : start;
	return {
		name,
		_id: lastId >= lower ? { $gt: lastId, $lt: end } : { $gte: lower, $lt: end },
		...(type !== undefined && { softwareType: type }),
	};
}

/** The device in the `_id` of a package. */
export function deviceOfPackage(tenant: string, id: string): ManagedObjectId {
	const start = tenant.length + 1;
	return id.slice(start, id.indexOf(separator, start)) as ManagedObjectId;
}

/** The version in the `_id` of a package. */
export function versionOfPackage(id: string): string {
	return id.slice(id.lastIndexOf(separator) + 1);
}

function textCondition(text: string): Filter[string] {
	return text.includes('*') ? { $wildcard: text } : text;
}

/** Whether a stored package says the same as another with its `_id`. */
export function samePackage(a: PackageDocument, b: PackageDocument): boolean {
	return (
		a.softwareType === b.softwareType &&
		a.url === b.url &&
		a.position === b.position &&
		(a.sent === b.sent || JSON.stringify(a.sent) === JSON.stringify(b.sent))
	);
}
