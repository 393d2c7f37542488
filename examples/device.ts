/** A device: it reports its software over MQTT, and installs and removes what it is asked to. `run-device.ts` runs one. */
import { connectAsync } from 'mqtt';
import { decodeDownstream, encode, encodeChunks, maximumPayloadBytes } from '../smartrest/index.ts';
import type { DeviceOptions } from './device-options.ts';
import type { InstalledPackage } from './package-list.ts';
import { type Action, createInstaller } from './pretended-installer.ts';

export type Device = Awaited<ReturnType<typeof startDevice>>;

/** Connects, reports itself and its software, and then does what it is asked to, until it is stopped. */
export async function startDevice(options: DeviceOptions) {
	const { url, serial, user, password, softwareTypes, supportedOperations } = options;
	const isAdvanced = softwareTypes.length > 0;
	const installer = createInstaller(options);
	const waiting: string[] = [];
	const stopping = new AbortController();
	let working: Promise<void> | undefined;

	const client = await connectAsync(url, { clientId: `d:${serial}`, username: user, password });
	client.on('error', () => {}); // It reconnects by itself.
	client.on('connect', () => void waiting.splice(0)); // What was not begun yet will be sent again.
	client.on('message', (_topic, payload) => {
		waiting.push(payload.toString());
		working ??= work().catch(ignoreWhenStopping);
	});

	await send(encode('DeviceCreation', { fields: { name: `Example device ${serial}`, type: 'c8y_ExampleDevice' } }));
	await send(encode('SetSupportedOperations', { items: supportedOperations.map((operation) => ({ operation })) }));
	await send(encode('SetSupportedSoftwareTypes', { items: softwareTypes.map((type) => ({ type })) }));
	await sendPackages(isAdvanced ? 'SetAdvancedSoftwareList' : 'SetSoftwareList', installer.list());
	await client.subscribeAsync('s/ds', { qos: 1 });

	/** At QoS 1 this waits until the service has stored it. */
	async function send(line: string): Promise<void> {
		await client.publishAsync('s/us', line, { qos: 1 });
	}

	/** A list in as many messages as it needs, each below the size limit: 140 with the first packages and 141 with the rest. */
	async function sendPackages(template: PackageTemplate, items: InstalledPackage[]): Promise<void> {
		const chunks = encodeChunks(template, { items }, maximumPayloadBytes - 100);
		if (!chunks.ok) throw new Error(chunks.reason);
		for (const line of chunks.lines) await send(line);
	}

	/** One operation after the other, oldest first. */
	async function work(): Promise<void> {
		for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
			const [decoded] = decodeDownstream(line);
			const message = decoded?.ok ? decoded.message : undefined;
			if (message?.template === 'UpdateAdvancedSoftware') await perform('c8y_SoftwareUpdate', message.items);
			if (message?.template === 'UpdateSoftware') await perform('c8y_SoftwareUpdate', message.items.map(withoutType));
			if (message?.template === 'SoftwareList') await perform('c8y_SoftwareList', installer.differencesTo(message.items));
		}
		working = undefined;
	}

	/** 501: it begins. 142 and 141, or 116: what has changed. 503 or 502: it has ended. */
	async function perform(fragment: string, actions: readonly Action[]): Promise<void> {
		options.onProgress?.(actions.map(({ action, name, version }) => `${action} ${name} ${version}`).join(', '));
		await send(encode('SetOperationToExecuting', { fields: { fragment } }));
		const { added, removed, failure } = await installer.apply(actions, stopping.signal);
		if (!isAdvanced) await sendPackages('SetSoftwareList', installer.list());
		if (isAdvanced && removed.length > 0) await sendPackages('RemoveAdvancedSoftwareItems', removed);
		if (isAdvanced && added.length > 0) await sendPackages('AppendAdvancedSoftwareItems', added);
		options.onProgress?.(failure ?? 'done');
		if (failure === undefined) await send(encode('SetOperationToSuccessful', { fields: { fragment }, items: [] }));
		else await send(encode('SetOperationToFailed', { fields: { fragment, reason: failure } }));
	}

	function ignoreWhenStopping(error: unknown): void {
		if (!stopping.signal.aborted) throw error;
	}

	async function stop(): Promise<void> {
		stopping.abort();
		await working;
		await client.endAsync();
	}

	return { serial, installed: installer.list, stop };
}

type PackageTemplate = `${'SetAdvanced' | 'Set'}SoftwareList` | `${'Append' | 'Remove'}AdvancedSoftwareItems`;

function withoutType(item: Omit<Action, 'type'>): Action {
	return { ...item, type: '' };
}
