import type { Packet } from 'mqtt-packet';
import { pino } from 'pino';
import { load } from '../../config/index.ts';
import { compose } from '../../service/compose.ts';
import type { DocumentStore } from '../../store/index.ts';
import { connectFakeDevice, type FakeDevice, type FakeDeviceOptions } from './fake-device.ts';
import { type Credentials, createHttpClient } from './http-client.ts';
import { isOnMongoDb } from './named-stores.ts';
import { createOperator } from './operator.ts';
import { openRawClient, type RawClient } from './raw-client.ts';
import { freshMongoDatabase } from './test-store.ts';

export interface ServiceUrls {
	readonly http: string;
	readonly mqtt: string;
	readonly webSocket: string;
	readonly https?: string;
	/** That asks for a client's certificate. */
	readonly httpsDevices?: string;
	readonly mqtts?: string;
}

export const adminPassword = 'admin-password-of-tests';
export const bootstrapPassword = 'bootstrap-password-of-tests';
export const bootstrap: Credentials = { user: 'management/devicebootstrap', password: bootstrapPassword };

/** Who creates and suspends tenants. */
export const management: Credentials = { user: 'management/admin', password: adminPassword };

export type ServiceUnderTest = Awaited<ReturnType<typeof startService>>;
export type DeviceSettings = Partial<FakeDeviceOptions>;

/**
 * The composed service on free ports of the loopback, with its store in memory, or a database of its own where the run is on
 * MongoDB, unless the settings name a folder.
 * Settings have the names of the environment. A store that is given is shared with others, and stays open; the clock is the
 * machine's unless one is given; what is logged goes to `logLines`, where they are given. `close` ends devices and service; it has to be called.
 */
export async function startService(
	settings: Readonly<Record<string, string>> = {},
	given: { readonly store?: DocumentStore; readonly clock?: () => number; readonly logLines?: string[] } = {},
) {
	const isOwn = isOnMongoDb && settings.DATA_DIR === undefined && given.store === undefined;
	const database = isOwn ? freshMongoDatabase() : undefined;
	const config = load({
		HOST: '127.0.0.1',
		HTTP_PORT: '0',
		MQTT_PORT: '0',
		DATA_DIR: ':memory:',
		...(database && { MONGODB_URL: database.url, MONGODB_DATABASE: database.database }),
		TENANT_ID: 't1',
		ADMIN_PASSWORD: adminPassword,
		BOOTSTRAP_PASSWORD: bootstrapPassword,
		MANAGEMENT_ADMIN_PASSWORD: adminPassword,
		SHUTDOWN_GRACE_SECONDS: '1',
		DRAIN_DELAY_SECONDS: '0',
		...settings,
	});
	const { logLines, ...parts } = given;
	const log = logLines
		? pino({ level: settings.LOG_LEVEL ?? 'info' }, { write: (line: string) => void logLines.push(line) })
		: pino({ level: process.env.LOG_LEVEL ?? 'silent' });
	const service = await compose(config, log, parts);
	const urls = urlsOf(service.listeners);
	const tenant = config.tenant.id;
	const admin: Credentials = { user: `${tenant}/${config.tenant.adminUsername}`, password: adminPassword };
	const operator = createOperator(createHttpClient(urls.http, admin));
	const devices = new Set<FakeDevice>();
	const sockets = new Set<RawClient>();

	/** A device that connects as the administrator, who may be any device. */
	async function connect(serial: string, device: DeviceSettings = {}): Promise<FakeDevice> {
		const connected = await connectFakeDevice({ url: urls.mqtt, serial, ...admin, ...device });
		devices.add(connected);
		return connected;
	}

	/** A socket of which the test says every packet; logged in when a serial is given. */
	async function openRaw(serial?: string, onPacket?: (packet: Packet) => void): Promise<RawClient> {
		const client = await openRawClient(urls.mqtt, onPacket);
		sockets.add(client);
		const [username, password] = [admin.user, admin.password];
		if (serial !== undefined) await client.logIn({ clientId: serial, username, password });
		return client;
	}

	/** Credentials of a device of its own, by the way that devices take. */
	async function register(serial: string, more: object = {}): Promise<Credentials> {
		const asDevice = createHttpClient(urls.http, bootstrap);
		await operator.http.post('/devicecontrol/newDeviceRequests', { id: serial, ...more });
		await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: serial });
		await operator.http.put(`/devicecontrol/newDeviceRequests/${encodeURIComponent(serial)}`, { status: 'ACCEPTED' });
		const { tenantId, username, password } = await asDevice.post<Record<'tenantId' | 'username' | 'password', string>>(
			'/devicecontrol/deviceCredentials',
			{ id: serial },
		);
		return { user: `${tenantId}/${username}`, password };
	}

	async function close(): Promise<void> {
		for (const device of devices) device.drop();
		for (const socket of sockets) socket.close();
		await service.close();
		await database?.drop();
	}

	return { urls, tenant, admin, operator, connect, openRaw, register, reload: service.reload, close };
}

function urlsOf(listeners: readonly { readonly name: string; readonly port: number }[]): ServiceUrls {
	const port = new Map(listeners.map((listener) => [listener.name, listener.port]));
	const https = port.get('https');
	const mqtts = port.get('mqtts');
	const httpsDevices = port.get('httpsDevices');
	return {
		http: `http://127.0.0.1:${port.get('http')}`,
		mqtt: `mqtt://127.0.0.1:${port.get('mqtt')}`,
		webSocket: `ws://127.0.0.1:${port.get('http')}/mqtt`,
		// A certificate is for a name.
		...(https !== undefined && { https: `https://localhost:${https}` }),
		...(httpsDevices !== undefined && { httpsDevices: `https://localhost:${httpsDevices}` }),
		...(mqtts !== undefined && { mqtts: `mqtts://localhost:${mqtts}` }),
	};
}
