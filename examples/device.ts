/**
 * A device in 60 lines: it reports its software over MQTT, and installs and removes what it is asked to.
 *
 *   DEVICE_PASSWORD=… npx tsx examples/device.ts [serial]
 *
 * DEVICE_USER (t1/admin) and DEVICE_PASSWORD: as whom it connects; MQTT_URL (mqtt://localhost:1883): to where.
 * INSTALL_MILLISECONDS (2000) and FAILURE_RATE (0.1): how long a package takes, and how often one cannot be installed.
 */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connectAsync } from 'mqtt';
import { decodeDownstream, encode, encodeChunks, maximumPayloadBytes } from '../smartrest/index.ts';
import { type InstalledPackage, readPackages } from './package-list.ts';

export interface DeviceOptions {
	readonly url: string;
	readonly serial: string;
	readonly user: string;
	readonly password: string;
	readonly packages: readonly InstalledPackage[];
	/** The types that it can install. Without any it uses the legacy templates, and its whole list has to fit into one message. */
	readonly softwareTypes: readonly string[];
	readonly supportedOperations?: readonly string[];
	readonly installMilliseconds?: number;
	/** From 0, nothing fails, to 1. */
	readonly failureRate?: number;
}

export type Device = Awaited<ReturnType<typeof startDevice>>;

interface Action extends InstalledPackage {
	readonly action: string;
}

/** Connects, reports itself and its software, and then does what it is asked to, until it is stopped. */
export async function startDevice(options: DeviceOptions) {
	const { url, serial, user, password, softwareTypes, installMilliseconds = 2000, failureRate = 0 } = options;
	const { supportedOperations = ['c8y_SoftwareUpdate', 'c8y_SoftwareList'] } = options;
	const isAdvanced = softwareTypes.length > 0;
	const installed = new Map(options.packages.map((item) => [keyOf(item), item]));
	const waiting: string[] = [];
	const stopping = new AbortController();
	let working: Promise<void> | undefined;

	const client = await connectAsync(url, { clientId: `d:${serial}`, username: user, password });
	const send = (line: string) => client.publishAsync('s/us', line, { qos: 1 });
	client.on('error', () => {}); // It reconnects by itself.
	client.on('connect', () => void waiting.splice(0)); // What was not begun yet is sent again.
	client.on('message', (_topic, payload) => {
		waiting.push(payload.toString());
		working ??= work();
	});
	await send(encode('DeviceCreation', { fields: { name: `Example device ${serial}`, type: 'c8y_ExampleDevice' } }));
	await send(encode('SetSupportedOperations', { items: supportedOperations.map((operation) => ({ operation })) }));
	await send(encode('SetSupportedSoftwareTypes', { items: softwareTypes.map((type) => ({ type })) }));
	await sendList(isAdvanced ? 'SetAdvancedSoftwareList' : 'SetSoftwareList', [...installed.values()]);
	await client.subscribeAsync('s/ds', { qos: 1 });

	/** A list in as many messages as it needs: 140 with the first packages and 141 with the rest, each below the size limit. */
	async function sendList(
		name: 'SetAdvancedSoftwareList' | 'AppendAdvancedSoftwareItems' | 'RemoveAdvancedSoftwareItems' | 'SetSoftwareList',
		items: InstalledPackage[],
	): Promise<void> {
		const chunks = encodeChunks(name, { items }, maximumPayloadBytes - 100);
		if (!chunks.ok) throw new Error(chunks.reason);
		for (const line of chunks.lines) await send(line);
	}

	/** Operations one after the other, oldest first. */
	async function work(): Promise<void> {
		for (let line = waiting.shift(); line !== undefined && !stopping.signal.aborted; line = waiting.shift()) {
			const [decoded] = decodeDownstream(line);
			if (!decoded?.ok) continue;
			const { message } = decoded;
			if (message.template === 'UpdateAdvancedSoftware') await perform('c8y_SoftwareUpdate', message.items);
			if (message.template === 'UpdateSoftware')
				await perform(
					'c8y_SoftwareUpdate',
					message.items.map((item) => ({ ...item, type: '' })),
				);
			if (message.template === 'SoftwareList') await perform('c8y_SoftwareList', differences(installed, message.items));
		}
		working = undefined;
	}

	/** [SR-501] the operation begins, packages come and go, [SR-142] [SR-141] or [SR-116] the list, [SR-503] or [SR-502] it has ended. */
	async function perform(fragment: string, actions: readonly Action[]): Promise<void> {
		await send(encode('SetOperationToExecuting', { fields: { fragment } }));
		const before = new Map(installed);
		let failure: string | undefined;
		for (const { action, ...item } of actions) {
			await delay(installMilliseconds, undefined, { signal: stopping.signal });
			if (action === 'install' && Math.random() < failureRate) failure = `${item.name} ${item.version}: the download was broken`;
			if (failure !== undefined) break;
			// Another version of a package gives way to the new one.
			for (const [key, { name }] of installed)
				if (name === item.name && (action === 'install' || key === keyOf(item))) installed.delete(key);
			if (action === 'install') installed.set(keyOf(item), item);
		}
		const removed = [...before].filter(([key]) => !installed.has(key)).map(([, item]) => item);
		const added = [...installed].filter(([key]) => !before.has(key)).map(([, item]) => item);
		if (!isAdvanced) await sendList('SetSoftwareList', [...installed.values()]);
		if (isAdvanced && removed.length > 0) await sendList('RemoveAdvancedSoftwareItems', removed);
		if (isAdvanced && added.length > 0) await sendList('AppendAdvancedSoftwareItems', added);
		if (failure === undefined) await send(encode('SetOperationToSuccessful', { fields: { fragment }, items: [] }));
		else await send(encode('SetOperationToFailed', { fields: { fragment, reason: failure } }));
	}

	async function stop(): Promise<void> {
		stopping.abort();
		await working;
		await client.endAsync();
	}

	return { serial, stop, installed: () => [...installed.values()] };
}

function keyOf({ name, version }: Pick<InstalledPackage, 'name' | 'version'>): string {
	return `${name} ${version}`;
}

/** What is to be done so that exactly the wanted packages are installed. */
function differences(
	installed: ReadonlyMap<string, InstalledPackage>,
	wanted: readonly { readonly name: string; readonly version: string; readonly url: string }[],
): Action[] {
	const wantedKeys = new Set(wanted.map(keyOf));
	const surplus = [...installed].filter(([key]) => !wantedKeys.has(key)).map(([, item]) => ({ ...item, action: 'delete' }));
	const missing = wanted.filter((item) => !installed.has(keyOf(item))).map((item) => ({ ...item, type: '', action: 'install' }));
	return [...surplus, ...missing];
}

async function main(): Promise<void> {
	const { MQTT_URL: url = 'mqtt://localhost:1883', DEVICE_USER: user = 't1/admin', DEVICE_PASSWORD: password } = process.env;
	const { INSTALL_MILLISECONDS: installMilliseconds = 2000, FAILURE_RATE: failureRate = 0.1 } = process.env;
	const [serial = hostname()] = process.argv.slice(2);
	if (!password)
		throw new Error('DEVICE_PASSWORD is not set: the service prints the password of its first user when it starts first');
	const packages = readPackages();
	const device = await startDevice({
		url,
		serial,
		user,
		password,
		packages,
		softwareTypes: [...new Set(packages.map(({ type }) => type))],
		installMilliseconds: Number(installMilliseconds),
		failureRate: Number(failureRate),
	});
	process.stdout.write(`${serial} has reported ${packages.length} packages and waits for operations; Ctrl-C stops it\n`);
	process.once('SIGINT', () => void device.stop());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
