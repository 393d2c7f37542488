import { InventoryError } from './inventory-error.ts';

/** One installed package. Name and version identify it; type and URL describe it. */
export interface SoftwarePackage {
	readonly name: string;
	/** May be empty: some devices do not know it. */
	readonly version: string;
	readonly softwareType?: string;
	readonly url?: string;
}

/** Lengths in UTF-16 code units. */
export interface PackageLimits {
	readonly maxPackages: number;
	readonly nameMaxLength: number;
	readonly versionMaxLength: number;
	readonly typeMaxLength: number;
	readonly urlMaxLength: number;
}

/** What is wrong with a value of a package, or `undefined`. */
export function packageFault(
	candidate: {
		readonly name: string;
		readonly version: string;
		readonly softwareType?: string | null;
		readonly url?: string | null;
	},
	limits: PackageLimits,
): { readonly field: 'name' | 'version' | 'softwareType' | 'url'; readonly reason: string } | undefined {
	const { name, version, softwareType, url } = candidate;
	if (name.length === 0) return { field: 'name', reason: 'is empty: a package needs a name' };
	if (name.length > limits.nameMaxLength) return { field: 'name', reason: tooLong(name, limits.nameMaxLength) };
	if (version.length > limits.versionMaxLength) return { field: 'version', reason: tooLong(version, limits.versionMaxLength) };
	if (softwareType && softwareType.length > limits.typeMaxLength)
		return { field: 'softwareType', reason: tooLong(softwareType, limits.typeMaxLength) };
	if (url && url.length > limits.urlMaxLength) return { field: 'url', reason: tooLong(url, limits.urlMaxLength) };
	if (!isPrintable(name)) return { field: 'name', reason: 'has a control character or half of a character: use printable text' };
	if (!isPrintable(version))
		return { field: 'version', reason: 'has a control character or half of a character: use printable text' };
	return undefined;
}

function tooLong(value: string, limit: number): string {
	return `has ${value.length} characters: at most ${limit} are allowed`;
}

// A loop instead of a pattern: this runs for each of a hundred thousand packages a second.
function isPrintable(text: string): boolean {
	let hasSurrogates = false;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 0x20 || code === 0x7f) return false;
		if (code >= 0xd800 && code <= 0xdfff) hasSurrogates = true;
	}
	// Half of a surrogate pair cannot be part of an id.
	return !hasSurrogates || !/\p{Cs}/u.test(text);
}

/** A package as the legacy door sent it: `sent` keeps what the list of the inventory must show again. */
export interface SentPackage extends SoftwarePackage {
	readonly sent?: Readonly<Record<string, unknown>>;
}

/**
 * Reads `c8y_SoftwareList` as an inventory body holds it: version, URL and type may be missing, other fields are kept.
 * @throws InventoryError `inventory/invalid` with the position and the field
 */
export function parseLegacyList(value: unknown, limits: PackageLimits): SentPackage[] {
	if (!Array.isArray(value))
		throw new InventoryError('inventory/invalid', 'c8y_SoftwareList must be an array of {name, version, url}');
	checkPackageCount(value.length, limits);
	return value.map((item: unknown, index) => parseLegacyItem(item, index, limits));
}

function parseLegacyItem(item: unknown, index: number, limits: PackageLimits): SentPackage {
	const at = (field: string) => `c8y_SoftwareList[${index}]${field}`;
	if (typeof item !== 'object' || item === null || Array.isArray(item)) {
		throw new InventoryError('inventory/invalid', `${at('')} must be an object {name, version, url}`);
	}
	const fields: Record<string, unknown> = { ...item };
	const text = (field: string): string => {
		const value = fields[field] ?? '';
		if (typeof value !== 'string')
			throw new InventoryError('inventory/invalid', `${at(`.${field}`)} must be text, found ${typeof value}`);
		return value;
	};
	const candidate = compactPackage(text('name'), text('version'), text('softwareType'), text('url'));
	const fault = packageFault(candidate, limits);
	if (fault) throw new InventoryError('inventory/invalid', `${at(`.${fault.field}`)} ${fault.reason}`);
	return JSON.stringify(fields) === JSON.stringify(legacyItem(candidate)) ? candidate : { ...candidate, sent: fields };
}

/** @throws InventoryError `inventory/tooLarge` */
export function checkPackageCount(count: number, limits: PackageLimits): void {
	if (count > limits.maxPackages) {
		throw new InventoryError(
			'inventory/tooLarge',
			`A list of ${count} packages is too long: at most ${limits.maxPackages} are allowed`,
		);
	}
}

/** A package without its empty optional fields. */
export function compactPackage(
	name: string,
	version: string,
	softwareType: string | null | undefined,
	url: string | null | undefined,
): SoftwarePackage {
	return { name, version, ...(softwareType && { softwareType }), ...(url && { url }) };
}

/** The item that `c8y_SoftwareList` shows for a package. */
export function legacyItem(item: SentPackage): Readonly<Record<string, unknown>> {
	return (
		item.sent ?? {
			name: item.name,
			version: item.version,
			...(item.softwareType && { softwareType: item.softwareType }),
			url: item.url ?? '',
		}
	);
}
