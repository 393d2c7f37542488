import type { Collection, StoredDocument } from '../../store/index.ts';
import { isManagedObjectId, type ManagedObjectId } from '../managed-object.ts';
import type { PackageScope } from '../package-document.ts';
import { openPackageKeys } from './package-keys.ts';
import { packageTest, type SoftwareCondition } from './software-condition.ts';
import type { OrderOfType } from './version-order.ts';

export interface FoundPackage {
	readonly name: string;
	readonly version: string;
	readonly softwareType: string | undefined;
}

/** A device and the packages that meet the conditions. */
export interface FoundDevice {
	readonly device: ManagedObjectId;
	readonly packages: readonly FoundPackage[];
}

/** What one condition, or the fleet, has to say of devices in order. */
interface Devices {
	/** The first match at this device or behind it. */
	seek(device: string): Promise<FoundDevice | undefined>;
}

export type ValueReader = Pick<Collection<StoredDocument>, 'findValues'>;

interface Sources {
	readonly packages: ValueReader;
	readonly objects: ValueReader;
}

/** Devices that meet all conditions, behind one, in the order of their ids as texts: so the index has them. */
export async function* matchingDevices(
	sources: Sources,
	scope: PackageScope & { readonly after?: string | undefined },
	conditions: readonly SoftwareCondition[],
	orderOfType: OrderOfType,
): AsyncGenerator<FoundDevice> {
	const open = (condition: SoftwareCondition) => devicesWith(sources.packages, scope, condition, orderOfType);
	const wanted = conditions.filter(({ isNegated }) => !isNegated).map(open);
	const unwanted = conditions.filter(({ isNegated }) => isNegated).map(open);
	// Conditions that only exclude need something to exclude from.
	if (wanted.length === 0) wanted.push(allDevices(sources.objects, scope));
	const [first, ...others] = scope.within ? [listedDevices(scope.within), ...wanted] : wanted;
	if (!first) return;
	for (let from = scope.after === undefined ? '' : behind(scope.after); ; ) {
		const found = await first.seek(from);
		if (!found) return;
		const agreed = await agree(found, others);
		if (!agreed) return;
		from = agreed.device;
		if (agreed.device !== found.device) continue;
		if (!(await isExcluded(found.device, unwanted))) yield { ...found, packages: agreed.packages };
		from = behind(found.device);
	}
}

/** The device itself where all others have it, with the packages of all; else a device behind it that may be one. */
async function agree(found: FoundDevice, others: readonly Devices[]): Promise<FoundDevice | undefined> {
	const packages = [...found.packages];
	for (const other of others) {
		const match = await other.seek(found.device);
		if (match?.device !== found.device) return match;
		packages.push(...match.packages);
	}
	return { device: found.device, packages };
}

async function isExcluded(device: ManagedObjectId, unwanted: readonly Devices[]): Promise<boolean> {
	for (const each of unwanted) if ((await each.seek(device))?.device === device) return true;
	return false;
}

/** Lower than every device that is behind this one. */
function behind(device: string): string {
	return `${device}\u0000`;
}

function devicesWith(
	packages: ValueReader,
	scope: PackageScope,
	condition: SoftwareCondition,
	orderOfType: OrderOfType,
): Devices {
	const { name, type } = condition;
	const keys = openPackageKeys(packages, { ...scope, name, type });
	const isWanted = packageTest(condition, orderOfType);
	let current: FoundDevice | undefined;

	async function next(from: string): Promise<FoundDevice | undefined> {
		const found: FoundPackage[] = [];
		let of: ManagedObjectId | undefined;
		do {
			for (let key = keys.peek(from); key && (of === undefined || of === key.device); key = keys.peek(from)) {
				const { device, version, softwareType } = key;
				if (isWanted(version, softwareType)) {
					of = device;
					found.push({ name, version, softwareType });
				}
				keys.pass();
			}
			// What is left of this part is of another device.
		} while (keys.peek(from) === undefined && (await keys.read(from)));
		return of === undefined ? undefined : { device: of, packages: found };
	}

	return {
		async seek(from) {
			if (current && current.device >= from) return current;
			current = await next(from);
			return current;
		},
	};
}

/** Those of a list. */
function listedDevices(ids: readonly ManagedObjectId[]): Devices {
	const ordered = [...ids].sort();
	let at = 0;
	return {
		async seek(from) {
			for (; at < ordered.length; at++) {
				const device = ordered[at];
				if (device !== undefined && device >= from) return { device, packages: [] };
			}
			return undefined;
		},
	};
}

const devicesAtOnce = 1000;

/** Every device, without a look at its packages. */
function allDevices(objects: ValueReader, { tenant, device: only }: PackageScope): Devices {
	let devices: ManagedObjectId[] = [];
	let at = 0;
	let isWhole = false;

	async function read(from: string): Promise<void> {
		const start = `${tenant}/`;
		const filter = {
			_id: only === undefined ? { $gte: start + from, $lt: `${tenant}0` } : `${tenant}/${only}`,
			'search.isDevice': true,
		};
		const rows = await objects.findValues(['_id'], { filter, sort: [['_id', 1]], limit: devicesAtOnce });
		isWhole = rows.length < devicesAtOnce;
		devices = rows.map(([id]) => String(id).slice(start.length)).filter(isManagedObjectId);
		at = 0;
	}

	return {
		async seek(from) {
			for (;;) {
				for (; at < devices.length; at++) {
					const device = devices[at];
					if (device !== undefined && device >= from) return { device, packages: [] };
				}
				if (isWhole) return undefined;
				await read(from);
			}
		},
	};
}
