import type { Collection } from '../../store/index.ts';
import type { ManagedObjectId } from '../managed-object.ts';
import { namedPackageFilter, type PackageDocument, packageKeyOf } from '../package-document.ts';

/** What the index knows of a package with a given name. */
export interface PackageKey {
	readonly device: ManagedObjectId;
	readonly version: string;
	readonly softwareType: string | undefined;
}

/** Whose packages are looked at. */
export interface PackageScope {
	readonly tenant: string;
	/** Only those of this device. */
	readonly device?: ManagedObjectId | undefined;
}

export interface NamedPackages extends PackageScope {
	readonly name: string;
	readonly type?: string | undefined;
}

const firstRead = 250;
const longestRead = 4000;

/** Reads what the index knows of all packages of a name, in the order of devices, a bounded part at a time. */
export function openPackageKeys(packages: Collection<PackageDocument>, wanted: NamedPackages) {
	let keys: PackageKey[] = [];
	let at = 0;
	let lastId = '';
	let isWhole = false;
	let length = firstRead;

	/** The next key at this device or behind it. */
	async function seek(device: string): Promise<PackageKey | undefined> {
		for (;;) {
			for (; at < keys.length; at++) {
				const key = keys[at];
				if (key && key.device >= device) return key;
			}
			if (isWhole) return undefined;
			await read(device);
		}
	}

	async function read(device: string): Promise<void> {
		const filter = namedPackageFilter(wanted, device, lastId);
		const sort = [['_id', 1]] as const;
		const rows = await packages.findValues(['_id', 'softwareType'], { filter, sort, limit: length, hint: 'byName' });
		isWhole = rows.length < length;
		length = Math.min(longestRead, length * 2);
		lastId = String(rows.at(-1)?.[0] ?? lastId);
		keys = rows.map(([id, type]) => ({
			...packageKeyOf(wanted.tenant, String(id)),
			softwareType: typeof type === 'string' ? type : undefined,
		}));
		at = 0;
	}

	return {
		seek,
		/** Goes past the key that `seek` gave. */
		pass: () => void at++,
	};
}
