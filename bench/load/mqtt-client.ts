import { connect, type Socket } from 'node:net';
import { type SecureContext, connect as tlsConnect } from 'node:tls';
import { generate } from 'mqtt-packet';

/** First bytes of packets that servers send, without their flags. */
export const packetType = { connack: 0x20, publish: 0x30, puback: 0x40, suback: 0x90 } as const;

/** Called for each packet: its first byte, and where its body lies. The bytes are good until it returns. */
export type OnPacket = (first: number, bytes: Buffer, start: number, end: number) => void;

/** A connection with as little between it and the socket as can be: what is measured is the server. */
export interface MqttClient {
	readonly socket: Socket;
	readonly id: string;
	/** Replaces what happens with packets, and with the end of what one read brought. */
	listen(onPacket: OnPacket, onReadEnd?: () => void): void;
	/** Sends a packet and waits for the next one of a kind. */
	ask(packet: Buffer, answer: number): Promise<void>;
}

export interface MqttServer {
	readonly port: number;
	readonly username?: string;
	readonly password?: string;
	/** Whom a client trusts, and its own certificate; without it, plain TCP. */
	readonly tls?: SecureContext;
}

const keepaliveSeconds = 600;

/** @throws when the server does not let it in */
export async function openClient({ port, username, password, tls }: MqttServer, id: string): Promise<MqttClient> {
	const address = { port, host: '127.0.0.1' };
	// A new session each time: without one of before, nothing is resumed.
	const socket = tls
		? tlsConnect({ ...address, secureContext: tls, servername: 'localhost' }).setNoDelay(true)
		: connect({ ...address, noDelay: true });
	await new Promise<void>((resolve, reject) => socket.once(tls ? 'secureConnect' : 'connect', resolve).once('error', reject));
	let onPacket: OnPacket = () => {};
	let onReadEnd = (): void => {};
	const read = createPacketReader((first, bytes, start, end) => onPacket(first, bytes, start, end));
	socket.on('data', (chunk) => {
		read(chunk);
		onReadEnd();
	});
	socket.on('close', () => process.exitCode === undefined && isEnding === false && fail(`${id} was cut off`));
	socket.on('error', () => {});
	const client: MqttClient = {
		socket,
		id,
		listen(packets, readEnd = () => {}) {
			onPacket = packets;
			onReadEnd = readEnd;
		},
		ask(packet, answer) {
			return new Promise((resolve) => {
				onPacket = (first, bytes, start) => {
					if ((first & 0xf0) !== answer) return;
					if (answer === packetType.connack && bytes[start + 1] !== 0) fail(`${id} was refused: ${bytes[start + 1]}`);
					resolve();
				};
				socket.write(packet);
			});
		},
	};
	const hello = {
		cmd: 'connect',
		clientId: id,
		...(username !== undefined && { username }),
		...(password !== undefined && { password: Buffer.from(password) }),
		keepalive: keepaliveSeconds,
		clean: true,
	} as const;
	await client.ask(generate({ ...hello, protocolId: 'MQTT', protocolVersion: 4 }), packetType.connack);
	return client;
}

/** Opens many, some at a time, and does with each what has to be done first. */
export async function openClients(
	server: MqttServer,
	ids: readonly string[],
	first: (client: MqttClient) => Promise<void> = async () => {},
): Promise<MqttClient[]> {
	return mapSome(ids, 100, async (id) => {
		const client = await openClient(server, id);
		await first(client);
		return client;
	});
}

/** Maps with at most `width` under way. */
export async function mapSome<T, R>(items: readonly T[], width: number, map: (item: T) => Promise<R>): Promise<R[]> {
	const results: R[] = [];
	let next = 0;
	async function work(): Promise<void> {
		for (let at = next++; at < items.length; at = next++) {
			const item = items[at];
			if (item !== undefined) results[at] = await map(item);
		}
	}
	await Promise.all(Array.from({ length: width }, work));
	return results;
}

export function subscribe(client: MqttClient, topics: readonly string[]): Promise<void> {
	const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }));
	return client.ask(generate({ cmd: 'subscribe', messageId: 1, subscriptions }), packetType.suback);
}

/** A publish at QoS 1; its id is at the place that `messageIdOffset` tells. */
export function publishPacket(topic: string, payload: string, messageId: number): Buffer {
	return generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId });
}

let isEnding = false;

/** Ends all connections of this process; from now on nobody minds. */
export function endClients(clients: readonly MqttClient[]): void {
	isEnding = true;
	for (const { socket } of clients) socket.destroy();
}

function fail(reason: string): void {
	process.stderr.write(`${reason}\n`);
	process.exit(1);
}

/** Cuts a stream into packets. */
function createPacketReader(onPacket: OnPacket): (chunk: Buffer) => void {
	let rest: Buffer | undefined;
	return (chunk) => {
		const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
		let at = 0;
		for (;;) {
			let start = at + 1;
			let length = 0;
			let scale = 1;
			let digit = 0x80;
			while (digit >= 0x80 && start < bytes.length) {
				digit = bytes[start++] ?? 0;
				length += (digit & 0x7f) * scale;
				scale *= 128;
			}
			if (digit >= 0x80 || start + length > bytes.length) break;
			onPacket(bytes[at] ?? 0, bytes, start, start + length);
			at = start + length;
		}
		rest = at < bytes.length ? bytes.subarray(at) : undefined;
	};
}
