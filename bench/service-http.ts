import { authorization } from './targets.ts';

/** Asks the service and gives the JSON of its answer. @throws when it refuses */
export async function callService<T>(port: number, method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T> {
	return JSON.parse((await call(port, method, path, body)).toString() || 'null');
}

/** The bytes that a GET is answered with. */
export function readBytes(port: number, path: string): Promise<Buffer> {
	return call(port, 'GET', path);
}

async function call(port: number, method: string, path: string, body?: object): Promise<Buffer> {
	const response = await fetch(`http://127.0.0.1:${port}${path}`, {
		method,
		headers: { authorization, 'content-type': 'application/json', accept: 'application/json' },
		...(body && { body: JSON.stringify(body) }),
	});
	const bytes = Buffer.from(await response.arrayBuffer());
	if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${bytes.toString().slice(0, 300)}`);
	return bytes;
}

/** One of the service's own figures. NaN when it has none of this name. */
export async function readMetric(port: number, name: string): Promise<number> {
	const text = (await readBytes(port, '/metrics')).toString();
	return Number(text.match(new RegExp(`^${name} (.+)$`, 'm'))?.[1]);
}

/** The id of the managed object of a device. */
export async function findDevice(port: number, serial: string): Promise<string> {
	const { managedObject } = await callService<{ managedObject: { id: string } }>(
		port,
		'GET',
		`/identity/externalIds/c8y_Serial/${serial}`,
	);
	return managedObject.id;
}

/** Where the installed software of a device is. */
export function softwarePath(deviceId: string, parameters: Readonly<Record<string, string | number | boolean>> = {}): string {
	const query = new URLSearchParams({ deviceId });
	for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
	return `/service/advanced-software-mgmt/software?${query}`;
}

/** The names of devices, as serial numbers and client ids. */
export function serials(count: number): string[] {
	return Array.from({ length: count }, (_, index) => `bench${String(index).padStart(5, '0')}`);
}
