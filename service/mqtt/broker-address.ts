import { readFile } from 'node:fs/promises';
import type { BrokerAddress } from './broker-link.ts';

const ports = { mqtt: 1883, mqtts: 8883 } as const;

/**
 * Where `url` points, with what the files hold.
 * @throws Error that names the setting of a file which cannot be read
 */
export async function readBrokerAddress(
	url: string,
	files: { readonly caFile?: string | undefined; readonly certFile?: string | undefined; readonly keyFile?: string | undefined },
): Promise<BrokerAddress> {
	const { protocol: scheme, hostname, port, username, password } = new URL(url);
	const protocol = scheme === 'mqtts:' ? 'mqtts' : 'mqtt';
	const ca = await read('MQTT_BRIDGE_CA_FILE', files.caFile);
	const cert = await read('MQTT_BRIDGE_CERT_FILE', files.certFile);
	const key = await read('MQTT_BRIDGE_KEY_FILE', files.keyFile);
	return {
		protocol,
		// An IPv6 address stands in brackets only in a URL.
		host: hostname.replace(/^\[|\]$/g, ''),
		port: port === '' ? ports[protocol] : Number(port),
		...(username !== '' && { username: decodeURIComponent(username) }),
		...(password !== '' && { password: decodeURIComponent(password) }),
		tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
	};
}

async function read(setting: string, file: string | undefined): Promise<Buffer | undefined> {
	if (file === undefined) return undefined;
	try {
		return await readFile(file);
	} catch (error) {
		throw new Error(`${setting}: the file '${file}' cannot be read`, { cause: error });
	}
}
