import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/support/free-port.ts';
import { type LoggedProgram, startLogged } from './programs.ts';

const main = fileURLToPath(new URL('../../service/main.ts', import.meta.url));
const configuration = fileURLToPath(new URL('haproxy.cfg', import.meta.url));
const address = '127.0.0.1';

export const memberNames = ['one', 'two'] as const;
export type MemberName = (typeof memberNames)[number];

/** One of the two processes, at ports that it keeps. */
export interface Member {
	readonly http: string;
	readonly mqtt: string;
	/** What it has written. */
	readonly log: string;
	/** Asks it to end, waits, and starts it again. Returns the exit code. */
	restart(): Promise<number | null>;
	/** kill -9, and a new start. */
	kill(): Promise<void>;
}

export interface ClusterOptions {
	/** For logs. */
	readonly folder: string;
	/** Settings of both processes: MONGODB_URL and whatever else is wanted. */
	readonly settings: Readonly<Record<string, string>>;
	/** Of the balancer; free ones where none is given. */
	readonly httpPort?: string;
	readonly mqttPort?: string;
	/** With MQTT over TLS, passed through, where a certificate for both processes is given. */
	readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export type Cluster = Awaited<ReturnType<typeof startCluster>>;

/** Two processes on one MongoDB behind HAProxy, all of them on this machine. `stop` has to be called. */
export async function startCluster(options: ClusterOptions) {
	const { folder, settings, tls } = options;
	mkdirSync(folder, { recursive: true });
	for (const port of [options.httpPort, options.mqttPort]) {
		if (port !== undefined && (await isOpen(port)))
			throw new Error(`port ${port} is taken: --http-port and --mqtt-port take others`);
	}
	const httpPort = options.httpPort ?? (await freePort());
	const mqttPort = options.mqttPort ?? (await freePort());
	const mqttsPort = tls && (await freePort());
	const balancing: Record<string, string> = {
		BALANCER_ADDRESS: address,
		BALANCER_HTTP_PORT: httpPort,
		BALANCER_MQTT_PORT: mqttPort,
		...(mqttsPort && { BALANCER_MQTTS_PORT: mqttsPort }),
	};
	const { PATH, HOME } = process.env;
	const log = join(folder, 'haproxy.log');
	const processes: (() => LoggedProgram)[] = [];
	let balancer: LoggedProgram | undefined;
	let members: Readonly<Record<MemberName, Member>>;
	try {
		members = { one: await openMember('one'), two: await openMember('two') };
		balancer = startLogged(['haproxy', '-db', '-f', configuration], { PATH, ...balancing }, log);
		await balancer.answers(() => isOpen(mqttPort));
	} catch (error) {
		await stop();
		throw error;
	}

	async function openMember(name: MemberName): Promise<Member> {
		const [http, mqtt, mqtts] = [await freePort(), await freePort(), tls && (await freePort())];
		const prefix = name.toUpperCase();
		Object.assign(balancing, {
			[`${prefix}_ADDRESS`]: address,
			[`${prefix}_HTTP_PORT`]: http,
			[`${prefix}_MQTT_PORT`]: mqtt,
			...(mqtts && { [`${prefix}_MQTTS_PORT`]: mqtts }),
		});
		const environment = {
			...{ PATH, HOME, HOST: address, HTTP_PORT: http, MQTT_PORT: mqtt },
			...(tls && mqtts && { MQTTS_PORT: mqtts, TLS_CERT_FILE: tls.certFile, TLS_KEY_FILE: tls.keyFile }),
			// What haproxy takes to see that /ready is red, and a second on top.
			...{ DRAIN_DELAY_SECONDS: '3', SHUTDOWN_GRACE_SECONDS: '20' },
			// Behind haproxy, all devices are one address.
			MQTT_CONNECTIONS_PER_SECOND_PER_ADDRESS: '0',
			...settings,
		};
		const memberLog = join(folder, `${name}.log`);
		let program = begin();
		processes.push(() => program);
		await isUp();

		function begin(): LoggedProgram {
			return startLogged([process.execPath, '--import=tsx', main], environment, memberLog);
		}

		async function isUp(): Promise<void> {
			await program.answers(() => isReady(`http://${address}:${http}/ready`));
		}

		async function again(signal: NodeJS.Signals): Promise<number | null> {
			program.signal(signal);
			const code = await program.ended;
			program = begin();
			await isUp();
			return code;
		}

		return {
			http: `http://${address}:${http}`,
			mqtt: `mqtt://${address}:${mqtt}`,
			log: memberLog,
			restart: () => again('SIGTERM'),
			kill: async () => void (await again('SIGKILL')),
		};
	}

	/** Ends the processes, then the balancer. */
	async function stop(): Promise<void> {
		await Promise.all(processes.map((program) => end(program())));
		await end(balancer);
	}

	return {
		http: `http://${address}:${httpPort}`,
		mqtt: `mqtt://${address}:${mqttPort}`,
		...(mqttsPort && { mqtts: `mqtts://localhost:${mqttsPort}` }),
		log,
		members,
		stop,
	};
}

async function end(program: LoggedProgram | undefined): Promise<void> {
	program?.signal('SIGTERM');
	await program?.ended;
}

async function isReady(url: string): Promise<boolean> {
	return fetch(url).then(
		async (answer) => {
			await answer.arrayBuffer();
			return answer.ok;
		},
		() => false,
	);
}

function isOpen(port: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(Number(port), address);
		socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
		socket.once('connect', () => socket.destroy());
	});
}
