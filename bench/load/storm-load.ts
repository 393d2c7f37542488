/** Load for `storm`: a fleet that connects all at once, each device with credentials of its own, and stays. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { FleetDevice } from '../logins/fleet.ts';
import type { StormJob, StormResult } from '../logins/storm.ts';
import { percentile } from '../statistics.ts';
import { readJob, say } from './job.ts';
import { endClients, type MqttServer, mapSome, openClient } from './mqtt-client.ts';

const { port, fleetFile, caFile, by, inFlight } = readJob<StormJob>();
const fleet: FleetDevice[] = JSON.parse(readFileSync(fleetFile, 'utf8'));
const ca = caFile === undefined ? undefined : readFileSync(caFile);
const shared = ca && createSecureContext({ ca });
// All that costs time on the side of the devices, and can be done before, is.
const logins = fleet.map((device) => ({ serial: device.serial, server: serverFor(device) }));
const times: number[] = [];
const began = performance.now();
const clients = await mapSome(logins, inFlight, async ({ serial, server }) => {
	const opened = performance.now();
	const client = await openClient(server, serial);
	times.push(performance.now() - opened);
	return client;
});
const seconds = (performance.now() - began) / 1000;
const result: StormResult = { perSecond: clients.length / seconds, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
say('result', result);
process.on('SIGTERM', () => {
	endClients(clients);
	process.exit(0);
});

function serverFor(device: FleetDevice): MqttServer {
	if (by === 'certificate')
		return { port, ...tlsOf(ca && createSecureContext({ ca, cert: device.certificate, key: device.key })) };
	return { port, username: `t1/device_${device.serial}`, password: device.password, ...tlsOf(shared) };
}

function tlsOf(tls: SecureContext | undefined): Pick<MqttServer, 'tls'> {
	return tls ? { tls } : {};
}
