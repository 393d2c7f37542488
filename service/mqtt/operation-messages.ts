import type { ManagedObject } from '../../inventory/index.ts';
import { serialType, withoutNulls } from '../../inventory/index.ts';
import {
	hasSoftwareTypes,
	type Operation,
	type SoftwareItem,
	toSoftwareItem,
	withTypeOfVersion,
} from '../../operations/index.ts';
import { encode } from '../../smartrest/index.ts';

type Fields = Readonly<Record<string, unknown>>;
type Render = (value: Fields, externalId: string, device: ManagedObject | undefined) => string;

/** How each operation is written for `s/ds`, in the order in which agents look for them. Others go out as JSON only. [SR-510] … [SR-529] */
const renderers: Readonly<Record<string, Render>> = {
	c8y_Restart: (_, externalId) => encode('Restart', { fields: { externalId } }),
	c8y_SoftwareUpdate: renderSoftwareUpdate,
	c8y_SoftwareList: (value, externalId) => encode('SoftwareList', { fields: { externalId }, items: softwareItems(value) }),
	c8y_LogfileRequest: (value, externalId) =>
		encode('LogfileRequest', {
			fields: {
				externalId,
				name: text(value.logFile),
				startTime: text(value.dateFrom),
				endTime: text(value.dateTo),
				searchText: text(value.searchText),
				maximumLines: text(value.maximumLines),
			},
		}),
	c8y_UploadConfigFile: (value, externalId) =>
		value.type == null
			? encode('UploadConfigurationFile', { fields: { externalId } })
			: encode('UploadConfigurationFileWithType', { fields: { externalId, type: text(value.type) } }),
	c8y_DownloadConfigFile: (value, externalId) =>
		value.type == null
			? encode('DownloadConfigurationFile', { fields: { externalId, url: text(value.url) } })
			: encode('DownloadConfigurationFileWithType', { fields: { externalId, url: text(value.url), type: text(value.type) } }),
	c8y_Firmware: renderFirmware,
	c8y_DeviceProfile: renderProfile,
	c8y_Command: (value, externalId) => encode('Command', { fields: { externalId, text: text(value.text) } }),
	c8y_Configuration: (value, externalId) => encode('Configuration', { fields: { externalId, text: text(value.config) } }),
};

/** The line for `s/ds`, or `undefined` for an operation that has no static template, or a device that has no `c8y_Serial`. */
export function toStaticLine(operation: Operation, device: ManagedObject | undefined): string | undefined {
	const name = Object.keys(renderers).find((fragment) => fragment in operation.fragments);
	const render = name === undefined ? undefined : renderers[name];
	const serial = operation.externalIds.find(({ type }) => type === serialType)?.externalId;
	if (name === undefined || !render || serial === undefined) return undefined;
	const value = operation.fragments[name];
	const fields: Fields = Array.isArray(value)
		? { items: value }
		: typeof value === 'object' && value !== null
			? { ...value }
			: {};
	return render(fields, serial, device);
}

/** Whether the line for `s/ds` is another one for another device. [SR-528] [SR-529] */
export function dependsOnDevice({ fragments }: Operation): boolean {
	return 'c8y_SoftwareUpdate' in fragments;
}

/** The message for `devicecontrol/notifications`: one line, with a version in every software item. */
export function toNotification(operation: Operation): string {
	return JSON.stringify(toOperationDocument(operation));
}

/** An operation as devices see it: what JSON notifications carry, and what templates of a collection take their values from. */
export function toOperationDocument(operation: Operation): Fields {
	const { id, deviceId, agentId, status, description, delivery, fragments } = operation;
	return {
		id,
		deviceId,
		agentId,
		status,
		creationTime: new Date(operation.creationTime).toISOString(),
		...(description !== undefined && { description }),
		delivery: { status: delivery.status, time: new Date(delivery.time).toISOString(), log: [] },
		...fragments,
		...softwareFragments(fragments),
		externalSource: sourceOf(operation),
	};
}

/** The name by which an agent knows the device that an operation is for. */
export function sourceOf({ externalIds }: Operation): { readonly externalId: string; readonly type: string } | undefined {
	const source = externalIds.find(({ type }) => type === serialType) ?? externalIds[0];
	return source && { externalId: source.externalId, type: source.type };
}

/** Why an operation cannot be sent to its device, before it is created. */
export function deliveryFault(operation: Operation, device: ManagedObject, maxBytes: number): string | undefined {
	const line = toStaticLine(operation, device);
	const longest = Math.max(Buffer.byteLength(line ?? ''), Buffer.byteLength(toNotification(operation)));
	if (longest <= maxBytes) return undefined;
	return `The operation needs a message of ${longest} bytes, and at most ${maxBytes} fit: split it into several operations`;
}

function renderSoftwareUpdate(value: Fields, externalId: string, device: ManagedObject | undefined): string {
	const items = softwareItems(value);
	if (!device || !hasSoftwareTypes(device)) return encode('UpdateSoftware', { fields: { externalId }, items });
	const typed = items.map(withTypeOfVersion).map(({ softwareType, ...item }) => ({ ...item, type: softwareType }));
	return encode('UpdateAdvancedSoftware', { fields: { externalId }, items: typed });
}

function renderFirmware(value: Fields, externalId: string): string {
	const fields = { externalId, name: text(value.name), version: text(value.version), url: text(value.url) };
	if (value.dependency == null) return encode('Firmware', { fields });
	return encode('FirmwareFromPatch', { fields: { ...fields, dependency: text(value.dependency) } });
}

function renderProfile(value: Fields, externalId: string): string {
	const firmware = value.firmware;
	const list = typeof firmware === 'object' && firmware !== null && !Array.isArray(firmware) ? [{ ...firmware } as Fields] : [];
	return encode('DeviceProfile', {
		fields: { externalId },
		items: [],
		sections: {
			firmware: list.map(({ name, version, url, isPatch, dependency }) => ({
				name: text(name),
				version: text(version),
				url: text(url),
				isPatch: isPatch === undefined ? 'false' : text(isPatch),
				dependency: text(dependency),
			})),
			software: records(value.software).map((item) => toSoftwareItem(item)),
			configuration: records(value.configuration).map(({ url, type }) => ({ url: text(url), type: text(type) })),
		},
	});
}

function softwareItems(value: Fields): SoftwareItem[] {
	return records(value.items).map(toSoftwareItem);
}

// thin-edge cannot read an item without a text as version, nor a null.
function softwareFragments(fragments: Fields): Fields {
	const patched: Record<string, unknown> = {};
	for (const name of ['c8y_SoftwareUpdate', 'c8y_SoftwareList']) {
		if (name in fragments) patched[name] = notificationItems(fragments[name]);
	}
	const profile = fragments.c8y_DeviceProfile;
	if (typeof profile === 'object' && profile !== null && 'software' in profile) {
		patched.c8y_DeviceProfile = { ...profile, software: notificationItems(profile.software) };
	}
	return patched;
}

function notificationItems(value: unknown): Fields[] {
	return records(value).map((item) => ({ version: '', ...withoutNulls(item) }));
}

function records(value: unknown): Fields[] {
	if (!Array.isArray(value)) return [];
	return value.filter((item): item is Fields => typeof item === 'object' && item !== null);
}

function text(value: unknown): string {
	return value == null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
