import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import type { CertificateFiles } from './certificates.ts';
import { eventually } from './eventually.ts';
import { connectFakeDevice, downstreamTopics, type FakeDevice } from './fake-device.ts';
import { type Program, startProgram } from './programs.ts';

const guide = new URL('../../docs/guides/outside-broker/', import.meta.url);
const password = 'password-of-tests';
const tenant = 't1';

export type OutsideDevice = Awaited<ReturnType<OutsideBroker['connect']>>;
export type OutsideBroker = Awaited<ReturnType<typeof startOutsideBroker>>;

/**
 * A real mosquitto with the configuration that the guide gives, on free ports and in a folder of its own.
 * @param certificates for another listener, which wants a certificate of its clients
 */
export async function startOutsideBroker(users: readonly string[], certificates?: CertificateFiles) {
	// Not in the folder of the user, who is the one that mosquitto runs as.
	const folder = mkdtempSync('/tmp/outside-broker-');
	const [devicePort, servicePort, tlsPort] = [await freePort(), await freePort(), await freePort()];
	for (const user of ['service', ...users]) addUser(user);
	const text = readFileSync(new URL('mosquitto.conf', guide), 'utf8')
		.replaceAll('/etc/mosquitto/', `${folder}/`)
		.replaceAll('/var/lib/mosquitto/', `${folder}/`)
		.replace('listener 1883', `listener ${devicePort} 127.0.0.1`)
		.replace('listener 1884', `listener ${servicePort}`);
	const { caFile, certFile, keyFile } = certificates ?? {};
	const tls = certificates
		? [
				`listener ${tlsPort} 127.0.0.1`,
				`cafile ${caFile}`,
				`certfile ${certFile}`,
				`keyfile ${keyFile}`,
				'require_certificate true',
			]
		: [];
	writeFileSync(join(folder, 'mosquitto.conf'), [text, ...tls, `user ${userInfo().username}`, ''].join('\n'));
	writeFileSync(join(folder, 'acl'), readFileSync(new URL('mosquitto.acl', guide)));
	const devices = new Set<FakeDevice>();
	let program = await start();

	function addUser(user: string): void {
		const file = join(folder, 'passwd');
		const { status, stderr } = spawnSync('mosquitto_passwd', ['-b', ...(user === 'service' ? ['-c'] : []), file, user, password]);
		if (status !== 0) throw new Error(`mosquitto_passwd: ${stderr}`);
	}

	async function start(): Promise<Program> {
		const started = startProgram('mosquitto', ['-c', join(folder, 'mosquitto.conf')]);
		await eventually(
			'mosquitto listens',
			() => isOpen(servicePort),
			(open) => open,
		).catch(async (error: unknown) => {
			await started.stop();
			throw new Error(`${error instanceof Error ? error.message : error}\n${started.lines.join('\n')}`);
		});
		return started;
	}

	/** A device that knows its prefix, and nothing of the service. */
	async function connect(serial: string, will?: { readonly topic: string; readonly payload: string }) {
		const prefix = `c8y/${tenant}/${serial}`;
		const device = await connectFakeDevice({
			url: `mqtt://127.0.0.1:${devicePort}`,
			serial,
			user: serial,
			password,
			topics: downstreamTopics.map((topic) => `${prefix}/${topic}`),
			...(will && {
				mqtt: { will: { topic: `${prefix}/${will.topic}`, payload: Buffer.from(will.payload), qos: 1, retain: false } },
			}),
		});
		devices.add(device);
		return {
			...device,
			send: (payload: string | readonly string[], topic = 's/us') => device.send(payload, `${prefix}/${topic}`),
			nextLine: (topic = 's/ds') => device.nextLine(`${prefix}/${topic}`),
		};
	}

	/** Stops mosquitto as an operator would, and starts it again on what it has kept. */
	async function restart(between: () => Promise<void> = async () => {}): Promise<void> {
		await program.stop();
		await between();
		program = await start();
	}

	async function stop(): Promise<void> {
		for (const device of devices) device.drop();
		await program.stop();
		rmSync(folder, { recursive: true, force: true });
	}

	return {
		secureUrl: `mqtts://service:${password}@localhost:${tlsPort}`,
		url: `mqtt://service:${password}@127.0.0.1:${servicePort}`,
		devicePort,
		password,
		connect,
		restart,
		stop,
		lines: () => program.lines,
	};
}

async function isOpen(port: number): Promise<boolean> {
	try {
		const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { username: 'service', password, reconnectPeriod: 0 }, false);
		await client.endAsync(true);
		return true;
	} catch {
		return false;
	}
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === 'string') throw new Error('no port');
	return address.port;
}
