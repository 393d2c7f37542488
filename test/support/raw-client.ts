import { connect, type Socket } from 'node:net';
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { within } from './eventually.ts';
import { createMailbox } from './mailbox.ts';

export type RawClient = Awaited<ReturnType<typeof openRawClient>>;
type PacketOf<Command extends Packet['cmd']> = Extract<Packet, { cmd: Command }>;

/** A socket on which the test says every packet itself: duplicates, missing acknowledgements, wrong versions. `onPacket` sees what arrives. */
export async function openRawClient(url: string, onPacket?: (packet: Packet) => void) {
	const { hostname, port } = new URL(url);
	const socket: Socket = connect(Number(port), hostname);
	await within('the connection is open', new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)));
	socket.on('error', () => {});
	const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
	const packets = createMailbox<Packet>('raw client');
	const reader = parser();
	reader.on('packet', (packet: Packet) => {
		onPacket?.(packet);
		packets.put(packet.cmd, packet);
	});
	socket.on('data', (data) => reader.parse(data));

	/** Writes packets in one go, so that they arrive together. */
	function send(...sent: Packet[]): void {
		socket.write(Buffer.concat(sent.map((packet) => generate(packet))));
	}

	async function next<Command extends Packet['cmd']>(
		command: Command,
		isWanted: (packet: PacketOf<Command>) => boolean = () => true,
	): Promise<PacketOf<Command>> {
		// The mailbox is keyed by the command.
		const packet = await packets.take(command, (candidate) => isWanted(candidate as PacketOf<Command>));
		return packet as PacketOf<Command>;
	}

	/** Connects; the CONNACK code. */
	async function logIn(options: Partial<Omit<IConnectPacket, 'password'>> & { readonly password?: string }): Promise<number> {
		const { password, ...rest } = options;
		send({
			cmd: 'connect',
			protocolId: 'MQTT',
			protocolVersion: 4,
			clean: true,
			keepalive: 0,
			clientId: '',
			...(password !== undefined && { password: Buffer.from(password) }),
			...rest,
		});
		return (await next('connack')).returnCode ?? -1;
	}

	async function subscribe(...topics: string[]): Promise<void> {
		const messageId = 60_000;
		send({ cmd: 'subscribe', messageId, subscriptions: topics.map((topic) => ({ topic, qos: 1 as const })) });
		await next('suback');
	}

	return {
		socket,
		closed,
		send,
		next,
		logIn,
		subscribe,
		untaken: (command: Packet['cmd']) => packets.untaken(command),
		close: () => void socket.destroy(),
	};
}

/** A publish at QoS 1 on `s/us`. */
export function upstream(messageId: number, payload: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
	return { cmd: 'publish', topic: 's/us', payload, qos: 1, messageId, dup: false, retain: false, ...more };
}
