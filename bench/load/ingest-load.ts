/** Load for `ingest`: many devices, each with a window of messages that are not acknowledged yet. */
import { setTimeout as wait } from 'node:timers/promises';
import type { IngestJob, IngestResult } from '../ingest.ts';
import { createPacketPatch, messageIdOf, packageLine } from './ingest-packages.ts';
import { readJob, say } from './job.ts';
import { endClients, type MqttClient, openClients, packetType, publishPacket } from './mqtt-client.ts';

interface Publisher {
	readonly sent: () => number;
	readonly acknowledged: () => number;
	readonly start: () => void;
}

const job = readJob<IngestJob>();
const packet = publishPacket('s/us', packageLine(0), 1);
const patch = createPacketPatch(packet);
let isRunning = true;

const clients = await openClients(job.server, job.devices);
const publishers = clients.map(createPublisher);
for (const { start } of publishers) start();

await wait(job.warmUpMilliseconds);
const before = countAcknowledged();
const started = performance.now();
await wait(job.milliseconds);
const acknowledged = countAcknowledged() - before;
const seconds = (performance.now() - started) / 1000;

isRunning = false;
const deadline = performance.now() + job.drainMilliseconds;
while (countAcknowledged() < countSent() && performance.now() < deadline) await wait(10);
const result: IngestResult = {
	messagesPerSecond: acknowledged / seconds,
	lost: countSent() - countAcknowledged(),
	payloadBytes: packageLine(0).length,
	sentByDevice: publishers.map(({ sent }) => sent()),
};
endClients(clients);
say('result', result);

function createPublisher(client: MqttClient): Publisher {
	// One place for each message id: whether a message with it waits for its acknowledgement.
	const isUnderWay = new Uint8Array(65_536);
	let sent = 0;
	let acknowledged = 0;
	client.listen(
		(first, bytes, start) => {
			const messageId = bytes.readUInt16BE(start);
			if (first !== packetType.puback || isUnderWay[messageId] !== 1) throw new Error(`${client.id}: an answer to nothing`);
			isUnderWay[messageId] = 0;
			acknowledged++;
		},
		() => isRunning && send(job.window - (sent - acknowledged)),
	);

	// The answers of one read are followed by one write, as a device with a window does it.
	function send(count: number): void {
		if (count === 0) return;
		const bytes = Buffer.allocUnsafe(count * packet.length);
		for (let offset = 0; offset < bytes.length; offset += packet.length, sent++) {
			packet.copy(bytes, offset);
			patch(bytes, offset, sent);
			isUnderWay[messageIdOf(sent)] = 1;
		}
		client.socket.write(bytes);
	}

	return { sent: () => sent, acknowledged: () => acknowledged, start: () => send(job.window) };
}

function countSent(): number {
	return publishers.reduce((sum, { sent }) => sum + sent(), 0);
}

function countAcknowledged(): number {
	return publishers.reduce((sum, { acknowledged }) => sum + acknowledged(), 0);
}
