/** Load for `operation`: sends to one device after the other and takes the time until it is there. One process, so one clock. */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { OperationJob, OperationResult } from '../operation.ts';
import { findDevice } from '../service-http.ts';
import { median, percentile } from '../statistics.ts';
import { authorization } from '../targets.ts';
import { readJob, say } from './job.ts';
import {
	endClients,
	type MqttClient,
	mapSome,
	openClient,
	openClients,
	packetType,
	publishPacket,
	subscribe,
} from './mqtt-client.ts';

/** Sends to a device; returns when whoever sent it has its answer. */
type Send = (device: number) => Promise<void>;

const job = readJob<OperationJob>();
const received: ((at: number) => void)[] = [];
const line = (serial: string) =>
	`528,${serial},package-0001,1.2.3-4+deb12u1,https://packages.example.com/package_amd64.deb,install`;

const devices = await openClients(job.server, job.devices, prepareDevice);
for (const [index, client] of devices.entries()) listen(client, index);
const publisher = job.httpPort === undefined ? await openClient(job.server, 'publisher') : undefined;
const send = publisher ? byPublish(publisher) : await byHttp(job.httpPort ?? 0);

await measure(Math.min(300, job.samples), 0);
const sequential = await measure(job.samples, 0);
const paced = await measure(job.samples, job.paceMilliseconds);
const result: OperationResult = {
	sequentialP50: median(sequential),
	sequentialP99: percentile(sequential, 0.99),
	pacedP50: median(paced),
	pacedP99: percentile(paced, 0.99),
};
endClients(publisher ? [publisher, ...devices] : devices);
say('result', result);
process.exit(0);

/** Milliseconds until each sample was received. With a pace, the next one does not wait for the one before. */
async function measure(samples: number, paceMilliseconds: number): Promise<number[]> {
	const durations: number[] = [];
	const answers: Promise<void>[] = [];
	const begin = performance.now();
	for (let sample = 0; sample < samples; sample++) {
		if (paceMilliseconds > 0) await wait(Math.max(0, begin + sample * paceMilliseconds - performance.now()));
		const device = sample % devices.length;
		const started = performance.now();
		const arrival = new Promise<void>((resolve) => {
			received[device] = (at) => {
				durations.push(at - started);
				resolve();
			};
		});
		const done = Promise.all([send(device), arrival]).then(() => {});
		if (paceMilliseconds > 0) answers.push(done);
		else await done;
	}
	await Promise.all(answers);
	return durations;
}

async function prepareDevice(client: MqttClient): Promise<void> {
	await subscribe(client, [topicOf(client.id)]);
	if (job.httpPort === undefined) return;
	const hello = `100,${client.id},c8y_Bench\n114,c8y_SoftwareUpdate`;
	await client.ask(publishPacket('s/us', hello, 1), packetType.puback);
}

function topicOf(serial: string): string {
	return job.httpPort === undefined ? `${serial}/s/ds` : 's/ds';
}

/** A device acknowledges what it gets, as devices do. */
function listen(client: MqttClient, index: number): void {
	client.listen((first, bytes, start) => {
		if ((first & 0xf0) !== packetType.publish) return;
		received[index]?.(performance.now());
		const idAt = start + 2 + bytes.readUInt16BE(start);
		client.socket.write(Buffer.from([packetType.puback, 2, bytes[idAt] ?? 0, bytes[idAt + 1] ?? 0]));
	});
}

function byPublish(client: MqttClient): Send {
	const packets = job.devices.map((serial, index) => publishPacket(topicOf(serial), line(serial), index + 1));
	const acknowledged = new Map<number, () => void>();
	client.listen((first, bytes, start) => first === packetType.puback && acknowledged.get(bytes.readUInt16BE(start))?.());
	return (device) =>
		new Promise((resolve) => {
			acknowledged.set(device + 1, resolve);
			client.socket.write(packets[device] ?? '');
		});
}

async function byHttp(port: number): Promise<Send> {
	const agent = new Agent({ keepAlive: true, maxSockets: 50 });
	const ids = await mapSome(job.devices, 10, (serial) => findDevice(port, serial));
	const bodies = ids.map((deviceId) =>
		JSON.stringify({
			deviceId,
			description: 'Install one package',
			c8y_SoftwareUpdate: [
				{
					name: 'package-0001',
					version: '1.2.3-4+deb12u1',
					url: 'https://packages.example.com/package_amd64.deb',
					action: 'install',
				},
			],
		}),
	);
	const headers = { authorization, 'content-type': 'application/json', accept: 'application/json' };
	const options = { agent, port, host: '127.0.0.1', method: 'POST', path: '/devicecontrol/operations', headers };
	return (device) =>
		new Promise((resolve, reject) => {
			const sent = request(options, (response) => {
				response.resume();
				if (response.statusCode === 201) response.on('end', resolve);
				else reject(new Error(`POST ${options.path}: ${response.statusCode}`));
			});
			sent.on('error', reject).end(bodies[device]);
		});
}
