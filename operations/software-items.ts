import type { ManagedObject, SoftwarePackage } from '../inventory/index.ts';

export type SoftwareAction = 'install' | 'delete';

/** One wanted package of a `c8y_SoftwareUpdate` or `c8y_SoftwareList`, with every field present. */
export interface SoftwareItem {
	readonly name: string;
	readonly version: string;
	readonly softwareType: string;
	readonly url: string;
	readonly action: SoftwareAction;
}

/** Reads an item of an accepted operation, as it was sent. */
export function toSoftwareItem(item: Readonly<Record<string, unknown>>): SoftwareItem {
	const text = (field: string): string => {
		const value = item[field];
		return typeof value === 'string' ? value : '';
	};
	return {
		name: text('name'),
		version: text('version'),
		softwareType: text('softwareType'),
		url: text('url'),
		action: item.action === 'delete' ? 'delete' : 'install',
	};
}

/** An item for a device that knows types: the old-style version `1.0::debian` carries the type. */
export function withTypeOfVersion(item: SoftwareItem): SoftwareItem {
	const at = item.softwareType === '' ? item.version.lastIndexOf('::') : -1;
	return at < 0 ? item : { ...item, version: item.version.slice(0, at), softwareType: item.version.slice(at + 2) };
}

/** What the device announced, as texts; `undefined` where it announced nothing. */
export function announcedTexts(device: ManagedObject, fragment: string): string[] | undefined {
	const value = device.fragments[fragment];
	return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined;
}

/** Whether a `c8y_SoftwareUpdate` goes out with types (529) or without (528). [SR-528] [SR-529] */
export function hasSoftwareTypes(device: ManagedObject): boolean {
	return device.fragments.c8y_SupportedSoftwareTypes !== undefined;
}

/**
 * The complete list that is wanted after `changes`: an install takes the place of other versions of that name,
 * a delete without version takes them all. For devices that only know `c8y_SoftwareList`. [SR-516]
 */
export function completeList(installed: readonly SoftwarePackage[], changes: readonly SoftwareItem[]): SoftwarePackage[] {
	const byName = new Map<string, SoftwarePackage[]>();
	for (const item of installed) byName.set(item.name, [...(byName.get(item.name) ?? []), item]);
	for (const { name, version, softwareType, url, action } of changes) {
		const others = byName.get(name) ?? [];
		if (action === 'install') byName.set(name, [{ name, version, ...(softwareType && { softwareType }), ...(url && { url }) }]);
		else byName.set(name, version === '' ? [] : others.filter((item) => item.version !== version));
	}
	return [...byName.values()].flat();
}
