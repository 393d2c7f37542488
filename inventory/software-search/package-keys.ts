import type { Collection, Scalar } from '../../store/index.ts';
import type { ManagedObjectId } from '../managed-object.ts';
import {
	deviceOfPackage,
	type NamedPackages,
	namedPackageFilter,
	type PackageDocument,
	versionOfPackage,
} from '../package-document.ts';

/** What the index knows of a package with a given name. */
export interface PackageKey {
	readonly device: ManagedObjectId;
	readonly version: string;
	readonly softwareType: string | undefined;
}

const firstRead = 250;
const longestRead = 4000;

/** Reads what the index knows of all packages of a name, in the order of devices, a bounded part at a time. */
export function openPackageKeys(packages: Pick<Collection<PackageDocument>, 'findValues'>, wanted: NamedPackages) {
	let rows: readonly (readonly Scalar[])[] = [];
	let at = 0;
	let lastId = '';
	let isWhole = false;
	let length = firstRead;

	/** The next key at this device or behind it, of what was read; most calls end here, without a pause. */
	function peek(device: string): PackageKey | undefined {
		for (; at < rows.length; at++) {
			const [id, type] = rows[at] ?? [];
			const text = String(id);
			const found = deviceOfPackage(wanted.tenant, text);
			if (found < device) continue;
			return { device: found, version: versionOfPackage(text), softwareType: typeof type === 'string' ? type : undefined };
		}
		return undefined;
	}

	/** Reads on, at this device or behind it; false when there is nothing left. */
	async function read(device: string): Promise<boolean> {
		if (isWhole) return false;
		const filter = namedPackageFilter(wanted, device, lastId);
		const sort = [['_id', 1]] as const;
		rows = await packages.findValues(['_id', 'softwareType'], { filter, sort, limit: length, hint: 'byName' });
		isWhole = rows.length < length;
		length = Math.min(longestRead, length * 2);
		lastId = String(rows.at(-1)?.[0] ?? lastId);
		at = 0;
		return true;
	}

	return {
		peek,
		read,
		/** Goes past the key that `peek` gave. */
		pass: () => void at++,
	};
}
