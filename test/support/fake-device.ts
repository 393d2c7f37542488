import { connectAsync, type IClientOptions } from 'mqtt';
import { createMailbox } from './mailbox.ts';

export interface FakeDeviceOptions {
	readonly url: string;
	readonly serial: string;
	readonly user: string;
	readonly password: string;
	/** When the serial alone will not do. */
	readonly clientId?: string;
	/** What it subscribes to at once; everything it may, when unset. */
	readonly topics?: readonly string[];
	readonly qos?: 0 | 1 | 2;
	readonly mqtt?: IClientOptions;
}

export const downstreamTopics = ['s/ds', 's/e', 's/dat', 's/dt', 'devicecontrol/notifications', 'error'];

export type FakeDevice = Awaited<ReturnType<typeof connectFakeDevice>>;

/** A device that does only what the test tells it to, over real MQTT. */
export async function connectFakeDevice(options: FakeDeviceOptions) {
	const { url, serial, user, password, clientId = serial, topics = downstreamTopics, qos = 1, mqtt = {} } = options;
	const lines = createMailbox<string>(serial);
	const client = await connectAsync(
		url,
		{ clientId, username: user, password, reconnectPeriod: 0, connectTimeout: 10_000, ...mqtt },
		false,
	);
	client.on('error', () => {});
	client.on('message', (topic, payload) => lines.put(topic, payload.toString()));
	const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
	if (topics.length > 0) await subscribe(topics);

	/** The QoS granted to each topic, 128 where it was refused. */
	async function subscribe(wanted: readonly string[]): Promise<number[]> {
		return new Promise((resolve, reject) => {
			client.subscribe([...wanted], { qos }, (error, _granted, packet) => {
				const codes = packet?.granted?.map(Number);
				if (codes) resolve(codes);
				else reject(error ?? new Error('no SUBACK'));
			});
		});
	}

	/** Publishes lines in one payload; resolves with the acknowledgement. */
	async function send(payload: string | readonly string[], topic = 's/us', publishQos: 0 | 1 | 2 = 1): Promise<void> {
		await client.publishAsync(topic, typeof payload === 'string' ? payload : payload.join('\n'), { qos: publishQos });
	}

	/** The oldest message on a topic that was not taken yet, or the next one. */
	async function nextLine(topic = 's/ds'): Promise<string> {
		return lines.take(topic);
	}

	/** What has arrived on a topic and was not taken, when everything that was sent so far has been handled: answers come in order. */
	async function untaken(topic: string): Promise<readonly string[]> {
		await send('600');
		await lines.take('s/ds', (line) => line.startsWith('601,'));
		return lines.untaken(topic);
	}

	async function close(): Promise<void> {
		await client.endAsync();
	}

	/** Goes away without a DISCONNECT, as a device does that loses its power. */
	function drop(): void {
		client.stream.destroy();
	}

	return { serial, send, nextLine, untaken, subscribe, close, drop, closed, client };
}
