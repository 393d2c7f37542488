import type { Logger } from 'pino';
import {
	type Inventory,
	type ObjectPatch,
	type PackageLimits,
	packageFault,
	parseObjectBody,
	type SoftwareChange,
	type SoftwarePackage,
} from '../../inventory/index.ts';
import { type Ending, type Operation, type Operations, parseOperationId, type Receipt } from '../../operations/index.ts';
import {
	encode,
	encodeChunks,
	encodeError,
	type MessageOf,
	templates,
	type UpstreamTemplateName,
} from '../../smartrest/index.ts';
import { LineError } from './line-error.ts';
import type { Outbound } from './outbound.ts';
import { mayBeDone } from './receipt.ts';
import { type Session, sendIfSubscribed } from './session.ts';
import { checkLength, defaultName, type Target, type Targets } from './targets.ts';

/** What a handler knows of the line besides the message. */
export interface LineContext {
	readonly session: Session;
	/** The device, child or service that the topic names. */
	readonly target: Target;
	/** Names the line of an operation report, the same when its publish is sent again. */
	readonly receipt: Receipt;
	/** Packages to add and remove; they are stored together at the end of the turn, or before the next line that is not about packages. */
	readonly change: (change: SoftwareChange) => void;
}

type Handler<Name extends UpstreamTemplateName> = (context: LineContext, message: MessageOf<Name>) => Promise<void> | undefined;
export type TemplateHandlers = { readonly [Name in UpstreamTemplateName]: Handler<Name> };

/** What each template does. A template without a handler does not compile. */
export function createTemplateHandlers(options: {
	readonly inventory: Inventory;
	readonly operations: Operations;
	readonly outbound: Outbound;
	readonly targets: Targets;
	readonly packageLimits: PackageLimits;
	readonly maxFragments: number;
	/** Bytes of a message to a device. */
	readonly downlinkMaxBytes: number;
	/** Shown to devices that ask with 600. */
	readonly version: string;
	readonly clock: () => number;
	readonly log: Logger;
}): TemplateHandlers {
	const { inventory, operations, outbound, targets, packageLimits, version, clock, log } = options;

	async function patch({ session, target }: LineContext, fragments: Readonly<Record<string, unknown>>): Promise<void> {
		await inventory.objects.update(session.principal.tenant, target.id, { fragments });
	}

	function answer(session: Session, line: string): void {
		sendIfSubscribed(session, 's/ds', line);
	}

	async function end(context: LineContext, fragment: string, ending: Ending): Promise<void> {
		const { session, target, receipt } = context;
		const ended = await operations.endOldest(session.principal.tenant, target.id, fragment, ending, receipt);
		noteStatus(context, ended, `no EXECUTING operation with ${fragment}`);
	}

	async function report(context: LineContext, id: string, ending: Ending | { readonly status: 'EXECUTING' }): Promise<void> {
		const { session, target } = context;
		noteStatus(context, await operations.report(session.principal.tenant, target.id, parseOperationId(id), ending), '');
	}

	function noteStatus({ target, receipt }: LineContext, operation: Operation | undefined, otherwise: string): void {
		if (operation) {
			const { tenant, id, status, failureReason } = operation;
			log.info(
				{ tenant, device: target.serial, operation: id, ...(failureReason !== undefined && { failureReason }) },
				`operation ${status}`,
			);
		} else if (!mayBeDone(receipt)) {
			throw new LineError('refused', otherwise);
		}
	}

	// Measurements, alarms and events are accepted for the sake of the devices; they are no part of this product and not kept.
	function accept(): undefined {}

	// Written out, because it is done for each of a hundred thousand packages a second.
	function checked(
		line: number,
		{ name, version, type, url }: { name: string; version: string; type?: string; url: string },
		index: number,
	): SoftwarePackage {
		const item = { name, version, softwareType: type || undefined, url: url || undefined };
		const fault = packageFault(item, packageLimits);
		if (fault) throw new LineError('badLine', `line ${line} package ${index + 1}: ${fault.field} ${fault.reason}`);
		return item;
	}

	return {
		DeviceCreation({ session, target }) {
			if (!target.created) sendIfSubscribed(session, 's/e', encodeError('refused', '100', 'Device already existing'));
		},
		async ChildDeviceCreation({ session, target }, { fields }) {
			const existing = await targets.known(session, fields.childId);
			if (existing) return;
			const isDevice = fields.isDevice.toLowerCase() !== 'false';
			await targets.ensure(session, fields.childId, () => ({
				owner: session.principal.userName,
				name: fields.name || defaultName(fields.childId),
				type: fields.type || 'c8y_MQTTChildDevice',
				fragments: isDevice ? { c8y_IsDevice: {} } : {},
				parent: { id: target.id, kind: 'childDevices' },
			}));
		},
		async ServiceCreation({ session, target }, { fields }) {
			const { tenant, userName } = session.principal;
			const { serviceExternalId, serviceType, serviceName, status } = fields;
			checkLength('serviceName', serviceName);
			checkLength('serviceType', serviceType);
			const known = await targets.known(session, serviceExternalId);
			if (known?.serial === session.serial)
				throw new LineError('refused', `'${serviceExternalId}' is the device itself: a service needs an id of its own`);
			if (known) {
				await inventory.objects.update(tenant, known.id, {
					name: serviceName,
					type: 'c8y_Service',
					fragments: { serviceType, status },
				});
				return;
			}
			const { id, created } = await targets.ensure(session, serviceExternalId, () => ({
				owner: userName,
				name: serviceName,
				type: 'c8y_Service',
				fragments: { serviceType, status },
				parent: { id: target.id, kind: 'childAdditions' },
			}));
			// Somebody was faster: another device, perhaps.
			if (!created && (await targets.known(session, serviceExternalId)))
				await inventory.objects.update(tenant, id, { fragments: { serviceType, status } });
		},
		ServiceStatusUpdate: (context, { fields }) => patch(context, { status: fields.status }),
		async GetChildDevices({ session, target }) {
			const serials = await inventory.devices.childSerials(session.principal.tenant, target.id, maxChildren);
			const items = serials.map((childId) => ({ childId }));
			const chunks = encodeChunks('ChildDevices', { items }, options.downlinkMaxBytes);
			if (!chunks.ok) throw new LineError('failed', chunks.reason);
			for (const line of chunks.lines) answer(session, line);
		},
		async ClearDeviceFragments({ session, target }, { items }) {
			// As in JSON over MQTT, a device cannot take away its name or type.
			const named = items.filter(({ fragment }) => fragment !== 'name' && fragment !== 'type');
			const body = Object.fromEntries(named.map(({ fragment }) => [fragment, null]));
			await inventory.objects.update(session.principal.tenant, target.id, parseObjectBody(body, options));
		},
		ConfigureHardware: (context, { fields }) => patch(context, { c8y_Hardware: withoutEmpty(fields) }),
		ConfigureMobile: (context, { fields }) => patch(context, { c8y_Mobile: withoutEmpty(fields) }),
		ConfigurePosition: (context, { line, fields }) => patch(context, { c8y_Position: toPosition(line, fields) }),
		SetConfiguration: (context, { fields }) => patch(context, { c8y_Configuration: { config: fields.configuration } }),
		SetSupportedOperations: (context, { items }) =>
			patch(context, { c8y_SupportedOperations: distinct(items.map(({ operation }) => operation)) }),
		SetFirmware: (context, { fields }) => patch(context, { c8y_Firmware: fields }),
		async SetSoftwareList({ session, target }, { line, items }) {
			const named = items.filter(({ name }) => name !== '');
			await inventory.software.set(
				session.principal.tenant,
				target.id,
				named.map((item, index) => checked(line, item, index)),
				'legacy',
			);
		},
		async SetRequiredAvailability({ session, target }, { line, fields }) {
			const responseInterval = Number(fields.minutes);
			if (fields.minutes === '' || !Number.isInteger(responseInterval) || Math.abs(responseInterval) > 1_000_000) {
				throw new LineError('badLine', `line ${line}: minutes must be a whole number but found '${fields.minutes.slice(0, 20)}'`);
			}
			await inventory.objects.change(session.principal.tenant, target.id, ({ fragments }): ObjectPatch | undefined =>
				'c8y_RequiredAvailability' in fragments ? undefined : { fragments: { c8y_RequiredAvailability: { responseInterval } } },
			);
		},
		SetSupportedLogs: (context, { items }) =>
			patch(context, { c8y_SupportedLogs: distinct(items.map(({ logType }) => logType)) }),
		SetSupportedConfigurations: (context, { items }) =>
			patch(context, { c8y_SupportedConfigurations: distinct(items.map(({ configurationType }) => configurationType)) }),
		async SetCurrentlyInstalledConfiguration({ session, target }, { fields }) {
			const { type, url, name, time } = fields;
			const value = { type, url, name: name || type, time: time || new Date(clock()).toISOString() };
			// Types are file names as often as not: what cannot stand in the name of a fragment is replaced, the value keeps it.
			const body = { [`c8y_Configuration_${type.replace(/[.$\s\p{Cc}]/gu, '_')}`]: value };
			await inventory.objects.update(session.principal.tenant, target.id, parseObjectBody(body, options));
		},
		SetAppliedDeviceProfile: (context, { fields }) =>
			patch(context, {
				c8y_Profile: {
					profileExecuted: fields.executed.toLowerCase() === 'true',
					...(fields.profileId && { profileId: fields.profileId }),
				},
			}),
		SetDeviceAgentInformation: (context, { fields }) => patch(context, { c8y_Agent: withoutEmpty(fields) }),
		GetDeviceManagedObjectId({ session, target }) {
			answer(session, encode('DeviceManagedObjectId', { fields: { managedObjectId: target.id } }));
		},
		SendHeartbeat: (context) => patch(context, availability(clock())),
		async SetAdvancedSoftwareList({ session, target }, { line, items }) {
			await inventory.software.set(
				session.principal.tenant,
				target.id,
				items.map((item, index) => checked(line, item, index)),
				'advanced',
			);
		},
		AppendAdvancedSoftwareItems({ change }, { line, items }) {
			for (const item of items.map((each, index) => checked(line, each, index))) change({ action: 'put', item });
		},
		RemoveAdvancedSoftwareItems({ change }, { items }) {
			for (const { name, version: removed } of items) change({ action: 'remove', name, version: removed });
		},
		SetSupportedSoftwareTypes(context, { items }) {
			const types = distinct(items.map(({ type }) => type));
			return patch(context, { c8y_SupportedSoftwareTypes: types.length > 0 ? types : null });
		},
		SetSupportedRemoteAccessProtocols: (context, { items }) =>
			patch(context, { c8y_RemoteAccessSupportedProtocols: distinct(items.map(({ protocol }) => protocol)) }),
		CreateCustomMeasurement: accept,
		CreateCustomMeasurementWithMultipleFragments: accept,
		CreateSignalStrengthMeasurement: accept,
		CreateTemperatureMeasurement: accept,
		CreateBatteryMeasurement: accept,
		CreateCriticalAlarm: accept,
		CreateMajorAlarm: accept,
		CreateMinorAlarm: accept,
		CreateWarningAlarm: accept,
		UpdateAlarmSeverity: accept,
		ClearAlarm: accept,
		ClearAlarmFragments: accept,
		CreateBasicEvent: accept,
		CreateLocationUpdateEvent: accept,
		CreateLocationUpdateEventWithDeviceUpdate: (context, { line, fields }) =>
			patch(context, { c8y_Position: toPosition(line, fields) }),
		ClearEventFragments: accept,
		GetPendingOperations({ session }) {
			outbound.resend(session);
		},
		async SetOperationToExecuting(context, { fields }) {
			const { session, target, receipt } = context;
			const started = await operations.startOldest(session.principal.tenant, target.id, fields.fragment, receipt);
			noteStatus(context, started, `no PENDING operation with ${fields.fragment}`);
		},
		SetOperationToFailed: (context, { fields }) =>
			end(context, fields.fragment, { status: 'FAILED', failureReason: fields.reason }),
		SetOperationToSuccessful: (context, { fields, items }) =>
			end(context, fields.fragment, { status: 'SUCCESSFUL', results: items.map(({ parameter }) => parameter) }),
		SetOperationToExecutingById: (context, { fields }) => report(context, fields.operationId, { status: 'EXECUTING' }),
		SetOperationToFailedById: (context, { fields }) =>
			report(context, fields.operationId, { status: 'FAILED', failureReason: fields.reason }),
		SetOperationToSuccessfulById: (context, { fields, items }) =>
			report(context, fields.operationId, { status: 'SUCCESSFUL', results: items.map(({ parameter }) => parameter) }),
		async SetExecutingOperationsToFailed({ session, target, receipt }, { fields }) {
			await operations.failExecuting(session.principal.tenant, target.id, fields.fragment, fields.reason, receipt);
		},
		GetPlatformVersion({ session }) {
			answer(session, encode('PlatformVersion', { fields: { version } }));
		},
		GetServedTemplates({ session }) {
			answer(session, encode('ServedTemplates', { fields: {}, items: templates.map(({ id }) => ({ templateId: id })) }));
		},
	};
}

const maxChildren = 1000;

/** What a sign of life leaves in the managed object. */
export function availability(now: number): { readonly c8y_Availability: { readonly lastMessage: string } } {
	return { c8y_Availability: { lastMessage: new Date(now).toISOString() } };
}

function withoutEmpty(fields: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

const positionFields = { latitude: 'lat', longitude: 'lng', altitude: 'alt', accuracy: 'accuracy' } as const;
type PositionField = keyof typeof positionFields;

function toPosition(line: number, fields: Readonly<Record<PositionField, string>>): Record<string, number> {
	const position: Record<string, number> = {};
	for (const field of ['latitude', 'longitude', 'altitude', 'accuracy'] as const) {
		const value = fields[field];
		if (value === '') continue;
		if (!Number.isFinite(Number(value)))
			throw new LineError('badLine', `line ${line}: ${field} must be a number but found '${value.slice(0, 20)}'`);
		position[positionFields[field]] = Number(value);
	}
	return position;
}

function distinct(values: readonly string[]): string[] {
	return [...new Set(values)].filter((value) => value !== '');
}
