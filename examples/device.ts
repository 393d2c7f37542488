/**
 * A device in 60 lines: it reports its software over MQTT, and installs and removes what it is asked to.
 *
 *   DEVICE_PASSWORD=… npx tsx examples/device.ts [serial]
 *
 * MQTT_URL (mqtt://localhost:1883), DEVICE_USER (t1/admin): where it connects, as whom; without DEVICE_PASSWORD it does not start.
 * INSTALL_MILLISECONDS (2000), FAILURE_RATE (0.1): how long a package takes, and how often one fails.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connectAsync } from 'mqtt';
import { decodeDownstream, encode, encodeChunks, maximumPayloadBytes } from '../smartrest/index.ts';
import { type InstalledPackage, packageType, readPackages } from './package-list.ts';

export interface DeviceOptions {
	readonly url: string;
	readonly serial: string;
	readonly user: string;
	readonly password: string;
	readonly packages: readonly InstalledPackage[];
	/** The types of software it can install; without any it speaks the legacy forms (116, 528). Its own list then has to fit into one message. */
	readonly softwareTypes: readonly string[];
	readonly supportedOperations?: readonly string[];
	readonly installMilliseconds?: number;
	/** Between 0 and 1: how many of the packages that it is asked to install cannot be. */
	readonly failureRate?: number;
}

export type Device = Awaited<ReturnType<typeof startDevice>>;

export async function startDevice(options: DeviceOptions) {
	const { url, serial, user, password, softwareTypes, installMilliseconds = 2000, failureRate = 0 } = options;
	const { supportedOperations = ['c8y_SoftwareUpdate', 'c8y_SoftwareList'] } = options;
	const identity = ({ name, version }: Pick<InstalledPackage, 'name' | 'version'>) => `${name} ${version}`;
	let installed = new Map(options.packages.map((item) => [identity(item), item]));
	let work = Promise.resolve();
	const stopping = new AbortController();
	const client = await connectAsync(url, { clientId: `d:${serial}`, username: user, password });
	const send = (line: string) => client.publishAsync('s/us', line, { qos: 1 });

	await send(encode('DeviceCreation', { fields: { name: `Example device ${serial}`, type: 'c8y_ExampleDevice' } }));
	await send(encode('SetSupportedOperations', { items: supportedOperations.map((operation) => ({ operation })) }));
	await send(encode('SetSupportedSoftwareTypes', { items: softwareTypes.map((type) => ({ type })) }));
	await reportList();
	client.on('message', (_topic, payload) => {
		// One after the other, in the order in which they came.
		work = work.then(() => perform(payload.toString())).catch((error: unknown) => void client.emit('error', toError(error)));
	});
	await client.subscribeAsync('s/ds', { qos: 1 });

	/** 140 with the first packages and 141 with the rest, each message below the limit; or 116 with all of them. */
	async function reportList(): Promise<void> {
		const items = [...installed.values()];
		const name = softwareTypes.length > 0 ? 'SetAdvancedSoftwareList' : 'SetSoftwareList';
		const chunks = encodeChunks(name, { items }, maximumPayloadBytes - 100);
		if (!chunks.ok) throw new Error(chunks.reason);
		for (const line of chunks.lines) await send(line);
	}
