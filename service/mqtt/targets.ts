import type { Logger } from 'pino';
import { agentFragments, type Inventory, InventoryError, type ManagedObjectId, type NewDevice } from '../../inventory/index.ts';
import type { FirstPlaces } from '../first-place.ts';
import type { SerialCheck } from '../serial-check.ts';
import { LineError } from './line-error.ts';
import type { Outbound } from './outbound.ts';
import type { Session } from './session.ts';

/** The managed object that a line is about. */
export interface Target {
	readonly id: ManagedObjectId;
	readonly serial: string;
	/** The line's publish created it. */
	readonly created: boolean;
}

export type Targets = ReturnType<typeof createTargets>;

/** Finds the managed objects that a session may speak for: its own device and what is below it; creates them on first use. */
export function createTargets(options: {
	readonly inventory: Inventory;
	readonly serialFault: SerialCheck;
	readonly firstPlaces: FirstPlaces;
	readonly outbound: Outbound;
	readonly autoCreation: boolean;
	readonly log: Logger;
}) {
	const { inventory, serialFault, firstPlaces, outbound, autoCreation, log } = options;

	/** What was found before; the own device where no child is named. */
	function cached(session: Session, childSerial: string | undefined): Target | undefined {
		const serial = childSerial ?? session.serial;
		const id = childSerial === undefined ? session.device : session.targets?.get(childSerial);
		return id && { id, serial, created: false };
	}

	/** The session's own device; `first` gives name and type when it has to be created. [SR-100] */
	async function own(session: Session, first?: { readonly name: string; readonly type: string }): Promise<Target> {
		const { serial } = session;
		const present = cached(session, undefined);
		if (present) return present;
		const { id, created } = await findOrCreateOwn(session, first);
		session.device = id;
		if (created) log.info({ tenant: session.principal.tenant, device: serial, id }, 'device created');
		outbound.knownDevice(session);
		return { id, serial, created };
	}

	async function findOrCreateOwn(session: Session, first: { readonly name: string; readonly type: string } | undefined) {
		const { serial, principal } = session;
		if (!autoCreation) {
			const known = await inventory.devices.find(principal.tenant, serial);
			if (!known)
				throw new LineError('refused', `device '${serial}' is not known and devices are not created by themselves here`);
			return { id: known, created: false };
		}
		return ensure(session, serial, async () => {
			const { type, parent } = await firstPlaces.find(principal.tenant, serial);
			return {
				owner: principal.userName,
				name: first?.name || defaultName(serial),
				type: first?.type || type || 'c8y_MQTTDevice',
				fragments: agentFragments,
				...(parent && { parent }),
			};
		});
	}

	/** A child device or service by its external id, which must be below the session's device; created as a child device. */
	async function child(
		session: Session,
		childSerial: string,
		first?: { readonly name: string; readonly type: string },
	): Promise<Target> {
		const present = cached(session, childSerial);
		if (present) return present;
		const { id: parent } = await own(session);
		if (childSerial === session.serial) return { id: parent, serial: childSerial, created: false };
		const { id, created } = await ensure(session, childSerial, () => ({
			owner: session.principal.userName,
			name: first?.name || defaultName(childSerial),
			type: first?.type || 'c8y_MQTTChildDevice',
			fragments: { c8y_IsDevice: {} },
			parent: { id: parent, kind: 'childDevices' },
		}));
		return { id: await admit(session, childSerial, id, parent), serial: childSerial, created };
	}

	/**
	 * The object of a serial, created where there is none.
	 * @throws LineError where it would take the serial of another registered device, or its name or type is too long
	 */
	async function ensure({ principal }: Session, serial: string, device: () => NewDevice | Promise<NewDevice>) {
		return inventory.devices.ensure(principal.tenant, serial, async () => {
			const fault = await serialFault(principal, serial);
			if (fault !== undefined) throw new LineError('refused', fault);
			const wanted = await device();
			checkLength('name', wanted.name);
			checkLength('type', wanted.type);
			return wanted;
		});
	}

	/** A known object by its external id, which must be the session's device or below it; `undefined` where there is none. */
	async function known(session: Session, serial: string): Promise<Target | undefined> {
		const { id: parent } = await own(session);
		// Asked for each time: what was found before may be gone.
		const id = await inventory.devices.find(session.principal.tenant, serial);
		return id && { id: await admit(session, serial, id, parent), serial, created: false };
	}

	async function admit(session: Session, serial: string, id: ManagedObjectId, parent: ManagedObjectId): Promise<ManagedObjectId> {
		if (session.targets?.get(serial) === id) return id;
		if (!(await inventory.objects.isAtOrBelow(session.principal.tenant, id, parent))) {
			throw new LineError('refused', `'${serial}' is not a child of this device`);
		}
		session.targets ??= new Map();
		if (session.targets.size >= maxTargets) session.targets.clear();
		session.targets.set(serial, id);
		return id;
	}

	/** Forgets what was found, because an object turned out to be gone. */
	function forget(session: Session): void {
		delete session.device;
		delete session.targets;
	}

	return { cached, own, child, known, ensure, forget };
}

const maxTargets = 10_000;
const maxTextLength = 1024;

/** The name of a device that gives itself none. */
export function defaultName(serial: string): string {
	return `MQTT Device ${serial}`.slice(0, maxTextLength);
}

/** @throws LineError for a name or type that the inventory would not take over HTTP either */
export function checkLength(field: string, text: string): void {
	if (text.length > maxTextLength)
		throw new LineError('refused', `${field} has ${text.length} characters: at most ${maxTextLength} are allowed`);
}

/** Whether the object that was spoken for was removed in the meantime. */
export function isGone(error: unknown): boolean {
	return error instanceof InventoryError && error.code === 'inventory/notFound';
}
