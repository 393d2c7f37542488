import type { Logger } from 'pino';
import type { Access } from '../../access/index.ts';
import { type Actor, actAs } from '../../audit/index.ts';
import {
	deviceKey,
	type Inventory,
	isManagedObjectId,
	type ManagedObjectId,
	type PackageLimits,
	type SerialChange,
} from '../../inventory/index.ts';
import type { Operations } from '../../operations/index.ts';
import type { CollectionLimits } from '../../smartrest/index.ts';
import type { FirstPlaces } from '../first-place.ts';
import type { Metrics } from '../metrics.ts';
import type { SerialCheck } from '../serial-check.ts';
import { createCustomHandlers } from './custom-handlers.ts';
import { createCustomMessages } from './custom-messages.ts';
import { createCustomOperations } from './custom-operations.ts';
import { createInbound } from './inbound.ts';
import { createJsonMessages } from './json-messages.ts';
import { createOutbound } from './outbound.ts';
import { createPatience, type Patience, type UnlessSilent } from './patience.ts';
import { deviceKeyOf, type Session } from './session.ts';
import { createStoreWaits } from './store-waits.ts';
import { createTargets } from './targets.ts';
import { createTemplateCollections } from './template-collections.ts';
import { createTemplateHandlers } from './template-handlers.ts';

export interface GatewayOptions {
	readonly inventory: Inventory;
	readonly operations: Operations;
	readonly access: Access;
	readonly serialFault: SerialCheck;
	readonly firstPlaces: FirstPlaces;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly version: string;
	/** What the work that it is given writes fails where this process was silent meanwhile. */
	readonly unlessSilent: UnlessSilent;
	readonly packageLimits: PackageLimits;
	readonly limits: {
		readonly maxFragments: number;
		readonly payloadMaxBytes: number;
		readonly jsonMaxDepth: number;
		/** Of a payload that begins with a software list. */
		readonly listPayloadMaxBytes: number;
		/** Lines of one payload. */
		readonly linesMax: number;
		readonly downlinkMaxBytes: number;
		readonly unacknowledgedMaxMessages: number;
		readonly autoCreation: boolean;
		/** How long messages wait for a store that cannot write. */
		readonly storePatienceMilliseconds: number;
	};
	/** Of template collections. */
	readonly templateLimits: CollectionLimits & {
		readonly cacheMaxCollections: number;
		readonly cacheMilliseconds: number;
		/** Values of a document that one collection looks at. */
		readonly visitsMax: number;
		/** Collections that one connection may listen to. */
		readonly subscriptionsMax: number;
	};
}

export type Gateway = ReturnType<typeof createGateway>;

/** Everything between a broker and the domain: what devices send, and what is sent to them. It knows no broker. */
export function createGateway(options: GatewayOptions) {
	const { inventory, limits, templateLimits } = options;
	const customLimits = { ...limits, ...templateLimits };
	const collections = createTemplateCollections({ ...options, limits: templateLimits });
	const customOperations = createCustomOperations({ ...options, collections, limits: customLimits });
	const waits = createStoreWaits({ chance: Math.random, onWait: (error) => noteWait(error) });
	const outbound = createOutbound({ ...options, waits, customOperations, window: limits.unacknowledgedMaxMessages });
	const targets = createTargets({ ...options, outbound, autoCreation: limits.autoCreation });
	const sessions = new Set<Session>();
	const bySerial = new Map<string, Set<Session>>();
	const jsonMessages = createJsonMessages({ ...options, targets });
	const handlers = createTemplateHandlers({
		...options,
		outbound,
		targets,
		maxFragments: limits.maxFragments,
		downlinkMaxBytes: limits.downlinkMaxBytes,
	});
	const customMessages = createCustomMessages({
		...options,
		collections,
		handlers: createCustomHandlers({ ...options, maxFragments: limits.maxFragments }),
		targets,
		outbound,
		limits: customLimits,
	});
	const inbound = createInbound({ ...options, targets, handlers, jsonMessages, customMessages });
	const patience = createPatience({
		handle: inbound.handleTurn,
		waits,
		unlessSilent: options.unlessSilent,
		elapsed: options.elapsed,
		limitMilliseconds: limits.storePatienceMilliseconds,
		onWait: ({ principal: { tenant }, serial }, error) => noteWait(error, { tenant, device: serial }),
	});
	let nextWarning = 0;

	// All devices wait for the same reason: a line now and then tells it.
	function noteWait(error: Error, who = {}): void {
		const level = options.elapsed() < nextWarning ? 'debug' : 'warn';
		if (level === 'warn') nextWarning = options.elapsed() + warningPauseMilliseconds;
		options.log[level]({ ...who, reason: error.message }, 'devices wait for the database');
	}

	/** A device is connected: its managed object is looked up, so that operations reach it before it has said a word. */
	async function opened(session: Session): Promise<void> {
		const device = await inventory.devices.find(session.principal.tenant, session.serial);
		known(session, device);
	}

	function known(session: Session, device: ManagedObjectId | undefined): void {
		if (!device || session.closed) return;
		session.device ??= device;
		outbound.knownDevice(session);
	}

	/** From now on the session is told of what happens. */
	function connected(session: Session): void {
		sessions.add(session);
		const serial = deviceKeyOf(session);
		bySerial.set(serial, (bySerial.get(serial) ?? new Set()).add(session));
	}

	/** Whether a connection may listen to a topic, too: each collection is one more thing to do for every operation. */
	function mayListen({ subscriptions }: Session, topic: string): boolean {
		if (!topic.startsWith('s/dc/') || subscriptions.has(topic)) return true;
		return [...subscriptions.keys()].filter((each) => each.startsWith('s/dc/')).length < templateLimits.subscriptionsMax;
	}

	/** The device listens to a topic, and knows it. */
	function subscribed(session: Session, topic: string, qos: 0 | 1): void {
		outbound.subscribed(session, topic, qos);
		actAs(actorOf(session), () => inbound.listens(session, topic)).catch((error: unknown) => {
			options.log.warn({ err: error, device: session.serial }, 'a device that waits for its credentials has to ask again');
		});
	}

	function disconnected(session: Session): void {
		sessions.delete(session);
		const serial = deviceKeyOf(session);
		const same = bySerial.get(serial);
		if (same?.delete(session) && same.size === 0) bySerial.delete(serial);
		outbound.closed(session);
	}

	/** Managed objects are gone, or have other serials: connections that speak for them look them up, or create them, anew. */
	function devicesRemoved(tenant: string, ids: readonly string[]): void {
		const changed = new Set(ids.filter(isManagedObjectId));
		for (const session of sessions) {
			if (session.principal.tenant === tenant && speaksFor(session, changed)) lookUpAgain(session);
		}
		findNewOwners(tenant, [...changed]).catch((error: unknown) => {
			options.log.warn({ err: error, tenant }, 'connections could not be told of a new serial');
		});
	}

	function lookUpAgain(session: Session): void {
		targets.forget(session);
		outbound.forgetDevice(session);
		lookUpPatiently(session).catch(lookUpFailed(session));
	}

	// It may have been told anew of its object, or have ended, meanwhile.
	async function lookUpPatiently(session: Session): Promise<void> {
		const isWanted = () => !session.closed && session.device === undefined;
		await waits.untilAnswered(async () => (isWanted() ? opened(session) : undefined), isWanted);
	}

	function lookUpFailed({ principal, serial }: Session): (error: unknown) => void {
		return (error) =>
			options.log.warn({ err: error, tenant: principal.tenant, device: serial }, 'a device could not be looked up');
	}

	/** Serials have another object, or none: what another process did concerns the connections here, too. */
	function serialsChanged(changes: readonly SerialChange[]): void {
		for (const { tenant, serial, owner } of changes) {
			for (const session of bySerial.get(deviceKey(tenant, serial)) ?? []) {
				if (owner === session.device) continue;
				if (session.device !== undefined) lookUpAgain(session);
				else known(session, owner);
			}
		}
		const moved = changes.filter(({ isNew }) => !isNew);
		if (moved.length === 0) return;
		for (const session of sessions) {
			const { principal, targets: found } = session;
			const hasMoved = ({ tenant, serial, owner }: SerialChange) =>
				tenant === principal.tenant && found?.has(serial) && found.get(serial) !== owner;
			if (found && moved.some(hasMoved)) lookUpAgain(session);
		}
	}

	/** Changes may have been missed: every connection looks its objects up again, one after another. */
	async function lookUpAll(): Promise<void> {
		for (const session of [...sessions]) {
			try {
				if (session.closed) continue;
				const find = () => inventory.devices.find(session.principal.tenant, session.serial);
				const device = await waits.untilAnswered(find, () => !session.closed);
				delete session.targets;
				if (session.device === undefined) known(session, device);
				else if (device !== session.device) lookUpAgain(session);
			} catch (error) {
				lookUpFailed(session)(error);
			}
		}
	}

	/** Connections under a serial that these objects have now, and that know no object of theirs or another one. */
	async function findNewOwners(tenant: string, ids: readonly ManagedObjectId[]): Promise<void> {
		const bound = await waits.untilAnswered(
			() => inventory.externalIds.listSerials(tenant, ids),
			() => true,
		);
		if (bound.length === 0) return;
		const owners = new Map(bound.map(({ externalId, managedObjectId }) => [externalId, managedObjectId]));
		for (const session of sessions) {
			const owner = session.principal.tenant === tenant ? owners.get(session.serial) : undefined;
			if (owner !== undefined && session.device !== owner) lookUpAgain(session);
		}
	}

	return {
		opened,
		connected,
		disconnected,
		mayListen,
		subscribed,
		sessions: sessions as ReadonlySet<Session>,
		devicesRemoved,
		serialsChanged,
		lookUpAll,
		/** @throws StoreError when it must all be sent again */
		handleTurn: (session: Session, ...turn: Turn) => actAs(actorOf(session), () => patience.handlePatiently(session, ...turn)),
		/** The service stops: nothing waits for the store any longer. */
		endPatience: waits.end,
		outbound,
	};
}

const warningPauseMilliseconds = 5000;

/** What `handlePatiently` takes beside the session. */
type Turn = Parameters<Patience['handlePatiently']> extends [unknown, ...infer Rest] ? Rest : never;

function actorOf({ principal, serial, address }: Session): Actor {
	const { tenant, userName, role } = principal;
	return { tenant, userName, isDevice: role === 'device', channel: 'mqtt', device: serial, ...(address && { address }) };
}

function speaksFor({ device, targets }: Session, ids: ReadonlySet<ManagedObjectId>): boolean {
	if (device !== undefined && ids.has(device)) return true;
	for (const id of targets?.values() ?? []) if (ids.has(id)) return true;
	return false;
}

/**
 * The device that a client id names: `deviceIdentifier`, or the second part of `connectionType:deviceIdentifier[:templates]`.
 * U+FFFD stands for bytes that were no text: several devices could be one by it.
 */
export function parseClientId(clientId: string): string | undefined {
	const parts = clientId.split(':');
	const serial = parts.length === 1 ? parts[0] : parts[1];
	if (parts.length > 3 || !serial || serial.length > 254 || /[\p{Cc}\uFFFD/+#]/u.test(serial)) return undefined;
	return serial;
}

/** The template collection that a client id names as its third part, for the topics `s/ud` and `s/dd`. */
export function parseDefaultCollection(clientId: string): string | undefined {
	return clientId.split(':')[2] || undefined;
}
