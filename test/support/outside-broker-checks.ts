import { eventually } from './eventually.ts';
import type { Operator } from './operator.ts';
import type { OutsideBroker, OutsideDevice } from './outside-broker.ts';

export const leaseSeconds = 2;
export const partitions = 8;

/** A service at the broker, and at nothing else. */
export function bridgeSettings(broker: OutsideBroker): Readonly<Record<string, string>> {
	return {
		MQTT_PORT: 'off',
		MQTT_BRIDGE_URL: broker.url,
		LEASE_SECONDS: String(leaseSeconds),
		MQTT_BRIDGE_RECONNECT_MAX_SECONDS: '1',
		MQTT_BRIDGE_PARTITIONS: String(partitions),
		// Nothing in these tests may depend on the sweep.
		MQTT_DELIVERY_SWEEP_SECONDS: '3600',
	};
}

/** Resolves when the services at these addresses serve so many partitions each. */
export async function haveShares(https: readonly string[], shares: readonly number[]): Promise<void> {
	await eventually(
		`the shares are ${shares}`,
		() => Promise.all(https.map((http) => figure(http, 'mqtt_bridge_partitions{state="connected"}'))),
		(found) => found.join() === shares.join(),
		10 * leaseSeconds * 1000,
	);
}

/** Installs and removes one version after another, without waiting: in any other order something is left over, or missing. */
export async function sendSequence(device: OutsideDevice, from: number, to: number): Promise<void> {
	const sent: Promise<void>[] = [];
	for (let i = from; i < to; i++) {
		sent.push(device.send(`141,seq,${i},apt,`));
		if (i > 0) sent.push(device.send(`142,seq,${i - 1}`));
	}
	await Promise.all(sent);
}

export async function hasOnly(operator: Operator, serial: string, entry: string, deadlineMilliseconds = 20_000): Promise<void> {
	await eventually(
		`${serial} has only ${entry}`,
		async () => ((await operator.findId(serial)) === undefined ? [] : operator.namesOf(serial)),
		(names) => names.join() === entry,
		deadlineMilliseconds,
	);
}

export async function readiness(http: string): Promise<number> {
	return (await fetch(`${http}/ready`)).status;
}

export async function isReady(http: string): Promise<void> {
	await eventually(
		'the service is ready',
		() => readiness(http),
		(status) => status === 200,
		10 * leaseSeconds * 1000,
	);
}

export async function isUnready(http: string): Promise<void> {
	await eventually(
		'the service is not ready',
		() => readiness(http),
		(status) => status === 503,
		30_000,
	);
}

/** A figure of `/metrics`; 0 while it is not there. */
export async function figure(http: string, name: string): Promise<number> {
	const text = await (await fetch(`${http}/metrics`)).text();
	const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
	return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
