import type { Logger } from 'pino';
import { type BridgedDevice, type BridgedDevices, deviceKey } from '../../inventory/index.ts';
import type { BridgeDevice } from './bridge-device.ts';
import type { BridgeSessions } from './bridge-sessions.ts';
import type { Sharing } from './bridge-topics.ts';
import { createDeviceQueue, type DeviceQueueLimits } from './device-queue.ts';
import type { IncomingPublish } from './session.ts';

const pageSize = 200;
const openedAtOnce = 8;

/** The devices of a partition, as they are known here and in the store. Here are those that were heard last, if there are too many. */
export function createBridgeRoster(options: {
	readonly partition: number;
	readonly devices: BridgedDevices;
	readonly notePresence: (tenant: string, serial: string, isThere: boolean) => Promise<void>;
	readonly sharing: Sharing;
	readonly maxDevices: number;
	readonly sessions: BridgeSessions;
	readonly handleTurn: (device: BridgeDevice, turn: readonly IncomingPublish[]) => Promise<void>;
	readonly queueLimits: DeviceQueueLimits;
	/** Whether the devices are served here still. */
	readonly isServed: () => boolean;
	readonly log: Logger;
}) {
	const { partition, devices, notePresence, sharing, maxDevices, sessions, handleTurn, queueLimits, isServed, log } = options;
	/** The one that was heard last is last. */
	const known = new Map<string, BridgeDevice>();
	const endWatch = sharing === 'hashed' ? devices.watch(follow) : () => {};
	let looking: Promise<void> | undefined;
	let isShort = false;

	/** The device that something was heard of. */
	function heard({ tenant, serial, clientId }: Pick<BridgeDevice, 'tenant' | 'serial' | 'clientId'>): BridgeDevice {
		const key = deviceKey(tenant, serial);
		const device = known.get(key) ?? createDevice(tenant, serial, clientId);
		known.delete(key);
		known.set(key, device);
		if (known.size > maxDevices) forgetOneBut(device);
		// The device, or the one way by which the broker knows it, may have another name by now.
		if (device.clientId !== clientId) {
			device.clientId = clientId;
			device.remembered = false;
		}
		return device;
	}

	function createDevice(tenant: string, serial: string, clientId: string): BridgeDevice {
		const device: BridgeDevice = {
			tenant,
			serial,
			clientId,
			json: false,
			home: sharing === 'own',
			lookedUp: false,
			remembered: false,
			queue: createDeviceQueue((turn) => handleTurn(device, turn), queueLimits),
		};
		return device;
	}

	function forgetOneBut(wanted: BridgeDevice): void {
		for (const device of known.values()) {
			// As many as there are messages in work may be there beyond the bound.
			if (device === wanted || device.opening || device.queue.idle()) continue;
			if (device.session) tellShortage();
			forget(device);
			return;
		}
	}

	function tellShortage(): void {
		if (!isShort)
			log.warn(
				{ devices: maxDevices },
				'more devices than MQTT_BRIDGE_PARTITION_DEVICES_MAX: operations for those that were not heard of for longest wait until they say something',
			);
		isShort = true;
	}

	function forget(device: BridgeDevice): void {
		sessions.close(device);
		known.delete(deviceKey(device.tenant, device.serial));
	}

	/** Stores what is known of a device, where the store knows something else. */
	async function remember(device: BridgeDevice, connected: boolean): Promise<void> {
		const { tenant, serial } = device;
		device.remembered = true;
		try {
			if (!device.lookedUp && (await isStored(device, connected))) return;
			const { clientId, json } = device;
			await notePresence(tenant, serial, connected);
			await devices.remember({ tenant, serial, clientId, partition, connected, json });
		} catch (error) {
			device.remembered = false;
			throw error;
		}
	}

	/** Learns what the store knows of a device that is new here; whether that is all. */
	async function isStored(device: BridgeDevice, connected: boolean): Promise<boolean> {
		const { tenant, serial, clientId } = device;
		const stored = await devices.find(tenant, serial);
		device.lookedUp = true;
		if (!stored) return false;
		const isNews = device.json && !stored.json;
		device.json ||= stored.json;
		sessions.listen(device);
		return !isNews && stored.clientId === clientId && stored.partition === partition && stored.connected === connected;
	}

	// Where the broker divides, what is told of a device may arrive at any partition. The last one to have its messages serves it.
	function follow(found: BridgedDevice): void {
		const device = known.get(found._id);
		if (found.partition !== partition) {
			if (!device?.home) return;
			device.home = false;
			device.remembered = false;
			sessions.close(device);
		} else if (!found.connected && device) sessions.close(device);
		else
			openFound(found).catch((error: unknown) =>
				log.warn({ err: error }, 'a device at the outside broker could not be looked up'),
			);
	}

	/** Opens the sessions of devices that the store knows, so that operations reach them before they have said a word. */
	function lookAtStore(): Promise<void> {
		looking ??= openKnown().finally(() => {
			looking = undefined;
		});
		return looking;
	}

	async function openKnown(): Promise<void> {
		for (let after = ''; isServed(); ) {
			const page = await devices.listOf(partition, after, pageSize);
			const next = page[Symbol.iterator]();
			const work = async () => {
				for (const found of next) await openFound(found);
			};
			await Promise.all(Array.from({ length: openedAtOnce }, work));
			const last = page.at(-1);
			if (!last || page.length < pageSize) return;
			after = last._id;
		}
	}

	async function openFound(found: BridgedDevice): Promise<void> {
		const present = known.get(found._id);
		if (!isServed() || !found.connected || present?.session) return;
		// Those that were heard of are not given up for it.
		if (!present && known.size >= maxDevices) return tellShortage();
		const device = present ?? heard(found);
		device.home = true;
		device.lookedUp = true;
		device.json ||= found.json;
		device.remembered = device.clientId === found.clientId && device.json === found.json;
		await sessions.open(device);
	}

	/** Those who have a session get operations from now on. */
	function listen(): void {
		for (const device of known.values()) sessions.listen(device);
	}

	/** Others serve the devices. */
	function end(): void {
		endWatch();
		for (const device of known.values()) sessions.close(device);
	}

	/** Resolves when nothing is looked up any more. */
	async function idle(): Promise<void> {
		await looking?.catch(ignore);
	}

	return { heard, forget, remember, lookAtStore, listen, end, idle, size: () => known.size };
}

// It has been told to whoever asked for it.
function ignore(): void {}
