import type { Collection, StoredDocument } from '../../store/index.ts';
import type { ExternalIds } from '../external-ids.ts';
import type { ManagedObject, ManagedObjectId } from '../managed-object.ts';
import type { ManagedObjects } from '../managed-objects.ts';
import {
	deviceOfPackage,
	type NamedPackages,
	namedPackageFilter,
	type PackageDocument,
	type PackageScope,
	versionOfPackage,
} from '../package-document.ts';
import { type FoundDevice, type FoundPackage, matchingDevices, type ValueReader } from './matching-devices.ts';
import { compareTexts } from './segment-order.ts';
import { orderOf, type SoftwareCondition } from './software-condition.ts';
import { compareNewestFirst, type OrderOfType } from './version-order.ts';

/** A device as a search for software shows it. */
export interface DeviceWithSoftware {
	readonly id: ManagedObjectId;
	readonly name: string | undefined;
	/** Its external id of type `c8y_Serial`. */
	readonly serial: string | undefined;
	/** What meets the conditions; nothing where they only exclude. */
	readonly software: readonly FoundPackage[];
}

/** A version that is installed somewhere. */
export interface InstalledVersion extends FoundPackage {
	readonly devices: number;
}

export interface DeviceRange {
	/** Only devices behind this one. */
	readonly after?: string | undefined;
	readonly skip: number;
	readonly limit: number;
}

export type SoftwareSearch = ReturnType<typeof openSoftwareSearch>;

const rowsARead = 10_000;

/** What is read again and again, until the signal ends it. */
function whileWanted<T extends StoredDocument>({ findValues }: Collection<T>, signal?: AbortSignal): ValueReader {
	return {
		findValues: async (...query) => {
			signal?.throwIfAborted();
			return findValues(...query);
		},
	};
}

/** What software is installed where, over all devices of a tenant. Searches look at any number of packages: a signal ends them. */
export function openSoftwareSearch(parts: {
	readonly packages: Collection<PackageDocument>;
	readonly objects: Collection<ManagedObject>;
	readonly managedObjects: Pick<ManagedObjects, 'listByIds'>;
	readonly externalIds: Pick<ExternalIds, 'listSerials'>;
}) {
	const { managedObjects, externalIds } = parts;

	const readable = (signal?: AbortSignal) => ({
		packages: whileWanted(parts.packages, signal),
		objects: whileWanted(parts.objects, signal),
	});

	/** A page of the devices that meet all conditions, in the order of their ids as texts. */
	async function listDevices(
		scope: PackageScope,
		conditions: readonly SoftwareCondition[],
		orderOfType: OrderOfType,
		{ after, skip, limit }: DeviceRange,
		signal?: AbortSignal,
	): Promise<DeviceWithSoftware[]> {
		const found: FoundDevice[] = [];
		let passed = 0;
		for await (const device of matchingDevices(readable(signal), { ...scope, after }, conditions, orderOfType)) {
			if (passed++ < skip) continue;
			found.push(device);
			if (found.length >= limit) break;
		}
		return describe(scope.tenant, found);
	}

	async function describe(tenant: string, found: readonly FoundDevice[]): Promise<DeviceWithSoftware[]> {
		const ids = found.map(({ device }) => device);
		const [objects, external] = await Promise.all([managedObjects.listByIds(tenant, ids), externalIds.listSerials(tenant, ids)]);
		const names = new Map(objects.map(({ id, name }) => [id, name]));
		const serials = new Map(external.map(({ managedObjectId, externalId }) => [managedObjectId, externalId]));
		return found.map(({ device: id, packages: software }) => ({ id, name: names.get(id), serial: serials.get(id), software }));
	}

	/** How many devices meet all conditions. */
	async function countDevices(
		scope: PackageScope,
		conditions: readonly SoftwareCondition[],
		orderOfType: OrderOfType,
		signal?: AbortSignal,
	): Promise<number> {
		let count = 0;
		for await (const _ of matchingDevices(readable(signal), scope, conditions, orderOfType)) count++;
		return count;
	}

	/** All versions of a name that are installed: by software type, and the newest first. */
	async function listVersions(
		wanted: NamedPackages,
		orderOfType: OrderOfType,
		signal?: AbortSignal,
	): Promise<InstalledVersion[]> {
		const { packages } = readable(signal);
		const types = new Map<string | undefined, Map<string, number>>();
		const sort = [['_id', 1]] as const;
		const within: ReadonlySet<string> | undefined = wanted.within && new Set(wanted.within);
		for (let last = ''; ; ) {
			const filter = namedPackageFilter(wanted, '', last);
			const rows = await packages.findValues(['_id', 'softwareType'], { filter, sort, limit: rowsARead, hint: 'byName' });
			for (const [id, type] of rows) {
				if (within && !within.has(deviceOfPackage(wanted.tenant, String(id)))) continue;
				const softwareType = typeof type === 'string' ? type : undefined;
				const counts = types.get(softwareType) ?? new Map<string, number>();
				types.set(softwareType, counts);
				const version = versionOfPackage(String(id));
				counts.set(version, (counts.get(version) ?? 0) + 1);
			}
			if (rows.length < rowsARead) break;
			last = String(rows.at(-1)?.[0]);
		}
		return [...types]
			.sort(([a = ''], [b = '']) => compareTexts(a, b))
			.flatMap(([softwareType, counts]) => {
				const order = orderOf(orderOfType, softwareType);
				return [...counts]
					.sort(([a], [b]) => compareNewestFirst(order, a, b))
					.map(([version, devices]) => ({ name: wanted.name, version, softwareType, devices }));
			});
	}

	return { listDevices, countDevices, listVersions };
}
