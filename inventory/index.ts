/** Everything the inventory does, on one store. */

/** Binaries: managed objects with bytes. */
export {
	type Binaries,
	type BinaryLimits,
	type BinaryObject,
	type BinaryRange,
	isBinary,
	openBinaries,
	type ReceivedBytes,
	type WithBytes,
} from './binaries.ts';
export { binaryFragment, binaryIdsIn } from './binary-fragments.ts';
export { type BinaryFacts, type ContentRecord, contentSpec, dereferenceStep, referenceSpec } from './binary-records.ts';
/** Devices that are reached through an outside broker. */
export { type BridgedDevice, type BridgedDevices, openBridgedDevices } from './bridged-devices.ts';
/** Copies of whole stores. */
export { type ContentsEnd, contentsPart } from './contents-copy.ts';
/** Availability. */
export { isGone } from './derived-fields.ts';
/** Which process has the connection of a device. */
export {
	type ConnectionOwner,
	type ConnectionRecord,
	type DeviceConnections,
	openDeviceConnections,
} from './device-connections.ts';
/** External ids and devices. */
export { deviceKey } from './device-key.ts';
export { agentFragments, type NewDevice } from './devices.ts';
export { type ExternalId, type SerialChange, serialType } from './external-ids.ts';
/** Installed software. */
export type { SoftwareChange } from './installed-software.ts';
export { type Inventory, inventoryCollections, inventoryMigrations, openInventory } from './inventory.ts';
export type { InventoryLimits } from './inventory-context.ts';
/** Refusals. */
export { beingRemoved, InventoryError, type InventoryErrorCode, noSuchObject } from './inventory-error.ts';
/** Managed objects. */
export {
	fragmentNameFault,
	fragmentNamesOf,
	isAgent,
	isDynamicGroup,
	isManagedObjectId,
	type ManagedObject,
	type ManagedObjectId,
	type ObjectPatch,
	parseManagedObjectId,
	parseObjectBody,
	requireKeptObjectStep,
	type SoftwareMode,
	withoutNulls,
} from './managed-object.ts';
export type { NewObject } from './managed-objects.ts';
/** Links between objects. */
export { type ChildKind, type ChildLink, childKinds } from './object-links.ts';
export type { ObjectFilter, ObjectSearch, Page, SearchLimits } from './object-search.ts';
export type { PackageFilter } from './package-document.ts';
/** Queries. */
export { QueryError } from './query/query-error.ts';
export type { QueryLimits } from './query/query-tree.ts';
export {
	compactPackage,
	legacyItem,
	type PackageLimits,
	packageFault,
	type SentPackage,
	type SoftwarePackage,
} from './software-package.ts';
/** What software is installed where. */
export type { DeviceWithSoftware, InstalledVersion, SoftwareSearch } from './software-search/search-software.ts';
export { type ConditionLimits, parseSoftwareConditions, type SoftwareCondition } from './software-search/software-condition.ts';
export { isVersionOrder, type OrderOfType, type VersionOrder, versionOrderNames } from './software-search/version-order.ts';
/** Times as clients write them. */
export { formatTime, parseTime } from './time-text.ts';
