import type { Config } from './schema.ts';

/** What must hold between settings: `at` is blamed, and only when none of `reads` is wrong in itself. */
export interface Rule {
	readonly at: readonly [group: string, key: string];
	readonly reads: readonly string[];
	readonly holds: (config: Config) => boolean;
	readonly right: string;
}

const listeners: readonly [Rule['at'], (config: Config) => number | undefined][] = [
	[['http', 'port'], ({ http }) => http.port],
	[['http', 'httpsPort'], ({ http }) => http.httpsPort],
	[['http', 'httpsDevicesPort'], ({ http }) => http.httpsDevicesPort],
	[['mqtt', 'port'], ({ mqtt }) => (mqtt.port === 'off' ? undefined : mqtt.port)],
	[['mqtt', 'mqttsPort'], ({ mqtt }) => mqtt.mqttsPort],
];

const differentPorts = listeners.slice(1).map(([at, portOf], index): Rule => {
	const earlier = listeners.slice(0, index + 1);
	return {
		at,
		reads: [at, ...earlier.map(([other]) => other)].map((other) => other.join('.')),
		holds: (config) => !portOf(config) || earlier.every(([, other]) => other(config) !== portOf(config)),
		right: 'a port that no other listener has, or 0',
	};
});

/** Whether a listener of TLS is wanted. */
export function usesTls({ http, mqtt }: Pick<Config, 'http' | 'mqtt'>): boolean {
	return [http.httpsPort, http.httpsDevicesPort, mqtt.mqttsPort].some((port) => port !== undefined);
}

const tlsFiles = (['certFile', 'keyFile'] as const).map(
	(key): Rule => ({
		at: ['tls', key],
		reads: [`tls.${key}`],
		holds: (config) => config.tls[key] !== undefined || !usesTls(config),
		right: 'a path of a PEM file, because HTTPS_PORT, HTTPS_DEVICES_PORT or MQTTS_PORT is set',
	}),
);

const packetHoldsPayload: Rule = {
	at: ['mqtt', 'packetMaxBytes'],
	reads: ['mqtt.packetMaxBytes', 'mqtt.payloadMaxBytes'],
	holds: ({ mqtt }) => mqtt.packetMaxBytes > mqtt.payloadMaxBytes,
	right: 'more than MQTT_PAYLOAD_MAX_BYTES, which it must have room for',
};

const packetHoldsList: Rule = {
	at: ['mqtt', 'packetMaxBytes'],
	reads: ['mqtt.packetMaxBytes', 'mqtt.listPayloadMaxBytes'],
	holds: ({ mqtt }) => mqtt.packetMaxBytes > mqtt.listPayloadMaxBytes,
	right: 'more than MQTT_LIST_PAYLOAD_MAX_BYTES, which it must have room for',
};

const gridFsHasDatabase: Rule = {
	at: ['binaries', 'mongodbUrl'],
	reads: ['binaries.mongodbUrl', 'binaries.store', 'mongodb.url'],
	holds: ({ binaries, mongodb }) => binaries.store !== 'gridfs' || binaries.mongodbUrl !== undefined || mongodb.url !== undefined,
	right: 'the address of a MongoDB with the name of the database, because BINARIES_STORE is gridfs and MONGODB_URL is unset',
};

const filesAreOfOneProcess: Rule = {
	at: ['binaries', 'store'],
	reads: ['binaries.store', 'mongodb.url'],
	holds: ({ binaries, mongodb }) => binaries.store !== 'files' || mongodb.url === undefined,
	right: 'gridfs or s3, because MONGODB_URL is set: processes that share a database would each have files of their own',
};

const s3HasBucket: Rule = {
	at: ['binaries', 's3Bucket'],
	reads: ['binaries.s3Bucket', 'binaries.store'],
	holds: ({ binaries }) => binaries.store !== 's3' || binaries.s3Bucket !== undefined,
	right: 'the name of a bucket, because BINARIES_STORE is s3',
};

const s3Credentials = (['s3AccessKeyId', 's3SecretAccessKey'] as const).map(
	(key, index, both): Rule => ({
		at: ['binaries', key],
		reads: both.map((each) => `binaries.${each}`),
		holds: ({ binaries }) => binaries[key] !== undefined || binaries[both[1 - index] ?? key] === undefined,
		right: 'a value, because the other one of S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY is set',
	}),
);

const leftoversAreNoUploads: Rule = {
	at: ['binaries', 'leftoverAfterSeconds'],
	reads: ['binaries.leftoverAfterSeconds', 'binaries.uploadTimeoutSeconds'],
	holds: ({ binaries }) => binaries.leftoverAfterSeconds > binaries.uploadTimeoutSeconds,
	right: 'more than BINARY_UPLOAD_TIMEOUT_SECONDS, or it would remove what is being uploaded',
};

const bridgeFiles = (
	[
		['certFile', 'keyFile', 'MQTT_BRIDGE_KEY_FILE'],
		['keyFile', 'certFile', 'MQTT_BRIDGE_CERT_FILE'],
	] as const
).map(
	([key, other, name]): Rule => ({
		at: ['bridge', key],
		reads: ['bridge.certFile', 'bridge.keyFile'],
		holds: ({ bridge }) => bridge[key] !== undefined || bridge[other] === undefined,
		right: `a path of a PEM file, because ${name} is set`,
	}),
);

const poolHoldsMinimum: Rule = {
	at: ['mongodb', 'poolMin'],
	reads: ['mongodb.poolMin', 'mongodb.poolMax'],
	holds: ({ mongodb }) => mongodb.poolMin <= mongodb.poolMax,
	right: 'at most MONGODB_POOL_MAX',
};

/** Everything that must hold between settings. */
export const rules: readonly Rule[] = [
	...differentPorts,
	...tlsFiles,
	packetHoldsPayload,
	packetHoldsList,
	gridFsHasDatabase,
	filesAreOfOneProcess,
	s3HasBucket,
	...s3Credentials,
	leftoversAreNoUploads,
	...bridgeFiles,
	poolHoldsMinimum,
];
