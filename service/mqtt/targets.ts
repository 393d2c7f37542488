import type { Logger } from 'pino';
import { agentFragments, type Inventory, type ManagedObjectId } from '../../inventory/index.ts';
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
	readonly outbound: Outbound;
	readonly autoCreation: boolean;
	readonly log: Logger;
}) {
	const { inventory, outbound, autoCreation, log } = options;

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
		return inventory.devices.ensure(principal.tenant, serial, () => ({
			owner: principal.userName,
			name: first?.name || `MQTT Device ${serial}`,
			type: first?.type || 'c8y_MQTTDevice',
			fragments: agentFragments,
		}));
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
		const { id, created } = await inventory.devices.ensure(session.principal.tenant, childSerial, () => ({
			owner: session.principal.userName,
			name: first?.name || `MQTT Device ${childSerial}`,
			type: first?.type || 'c8y_MQTTChildDevice',
			fragments: { c8y_IsDevice: {} },
			parent: { id: parent, kind: 'childDevices' },
		}));
		return { id: await admit(session, childSerial, id, parent), serial: childSerial, created };
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

	return { cached, own, child, known, forget };
}

const maxTargets = 10_000;
