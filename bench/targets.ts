import { join } from 'node:path';
import { type Child, startChild } from './child.ts';

/** A server under load. */
export interface Server {
	/** `mqtts` where it was asked for. */
	readonly ports: { readonly http: number; readonly mqtt: number; readonly mqtts?: number };
	/** Collects garbage and tells what is left. */
	readUsage(): Promise<Usage>;
	stop(): Promise<void>;
}

export interface Usage {
	readonly rssKilobytes: number;
	readonly heapKilobytes: number;
	/** Before the collection. */
	readonly rssBeforeKilobytes: number;
	/** Processor time since the start, without that of the collection, and with it. */
	readonly cpuSecondsBefore: number;
	readonly cpuSeconds: number;
}

/** Of the server: both in PEM. */
export interface TlsFiles {
	readonly certFile: string;
	readonly keyFile: string;
}

export const adminPassword = 'a-password-for-the-benchmark';
export const adminUser = 't1/admin';
export const authorization = `Basic ${Buffer.from(`${adminUser}:${adminPassword}`).toString('base64')}`;

// Service and peers alike get the young generation that `npm start` gives the service.
const gcArgs = ['--max-semi-space-size=64', '--expose-gc', '--import', new URL('./gc-on-request.js', import.meta.url).href];

export interface ServiceOptions {
	readonly profileDirectory?: string | undefined;
	readonly tls?: TlsFiles;
	/** Others than by default, by their names in the environment. */
	readonly settings?: Readonly<Record<string, string>>;
}

/** The service as it is shipped: compiled, its database on disk, every limit as it is by default but that on connections a second. */
export async function startService(
	dataDirectory: string,
	{ profileDirectory, tls, settings }: ServiceOptions = {},
): Promise<Server> {
	const child = startChild({
		entry: '../service/main.js',
		nodeArgs: [...gcArgs, ...(profileDirectory ? ['--cpu-prof', '--cpu-prof-dir', profileDirectory] : [])],
		env: {
			HOST: '127.0.0.1',
			HTTP_PORT: '0',
			// All clients of a benchmark are one user at one address.
			HTTP_REQUESTS_PER_SECOND_PER_ADDRESS: '0',
			HTTP_REQUESTS_PER_SECOND_PER_USER: '0',
			MQTT_CONNECTIONS_PER_SECOND_PER_ADDRESS: '0',
			MQTT_MESSAGES_PER_SECOND: '0',
			MQTT_PORT: '0',
			DATA_DIR: join(dataDirectory),
			TENANT_ID: 't1',
			ADMIN_PASSWORD: adminPassword,
			BOOTSTRAP_PASSWORD: adminPassword,
			LOG_LEVEL: 'info',
			MQTT_CONNECTIONS_PER_SECOND: '1000000',
			...settings,
			...(tls && { MQTTS_PORT: '0', TLS_CERT_FILE: tls.certFile, TLS_KEY_FILE: tls.keyFile }),
		},
	});
	return serverOf(child);
}

/** aedes without a handler, with its own defaults; with files of TLS, that is all it listens for. */
export async function startBareAedes(tls?: TlsFiles): Promise<Server> {
	const args = tls ? [tls.certFile, tls.keyFile] : [];
	return serverOf(startChild({ entry: './peers/bare-aedes.js', nodeArgs: gcArgs, args }));
}

/** Express that answers one path with the bytes of a file. */
export async function startBareExpress(path: string, file: string): Promise<Server> {
	return serverOf(startChild({ entry: './peers/bare-express.js', nodeArgs: gcArgs, args: [path, file] }));
}

async function serverOf(child: Child): Promise<Server> {
	const { ports } = await child.hear<{ ports: Server['ports'] }>('ready');
	return {
		ports,
		async readUsage() {
			child.tell('gc');
			return child.hear('result');
		},
		stop: child.stop,
	};
}
