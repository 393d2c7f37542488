import { createHash } from 'node:crypto';
import { basic } from './checked-http-client.ts';
import type { Credentials } from './http-client.ts';
import { multipartBody, multipartType } from './multipart.ts';

const path = '/inventory/binaries';

export interface BinaryJson {
	readonly id: string;
	readonly self: string;
	readonly name: string;
	readonly length: number;
	readonly c8y_Digest: { readonly sha256: string };
}

/** Calls a service about binaries as somebody; every answer has to be a success. */
export function createBinaryClient(base: string, { user, password }: Credentials) {
	async function call(method: string, at: string, body?: Buffer, type?: string): Promise<Response> {
		const headers = { authorization: basic(`${user}:${password}`), ...(type !== undefined && { 'content-type': type }) };
		const answer = await fetch(new URL(at, base), { method, headers, ...(body && { body: new Uint8Array(body) }) });
		if (!answer.ok) throw new Error(`${method} ${at}: ${answer.status} ${await answer.text()}`);
		return answer;
	}

	async function upload(content: string | Buffer, fileName = 'a'): Promise<BinaryJson> {
		const form = multipartBody([{ name: 'file', fileName, content }]);
		return (await (await call('POST', path, form, multipartType)).json()) as BinaryJson;
	}

	async function download(id: string): Promise<Buffer> {
		return Buffer.from(await (await call('GET', `${path}/${id}`)).arrayBuffer());
	}

	/** A new event with this file; its id. */
	async function attach(content: string | Buffer): Promise<string> {
		const idOf = async (answer: Response) => ((await answer.json()) as { readonly id: string }).id;
		const json = (body: object) => [Buffer.from(JSON.stringify(body)), 'application/json'] as const;
		const source = { id: await idOf(await call('POST', '/inventory/managedObjects', ...json({}))) };
		const event = { source, type: 't', time: '2026-11-22', text: 'x' };
		const id = await idOf(await call('POST', '/event/events', ...json(event)));
		const form = multipartBody([{ name: 'file', fileName: 'log', content }]);
		await call('POST', `/event/events/${id}/binaries`, form, multipartType);
		return id;
	}

	async function downloadOf(event: string): Promise<Buffer> {
		return Buffer.from(await (await call('GET', `/event/events/${event}/binaries`)).arrayBuffer());
	}

	async function replace(id: string, content: Buffer): Promise<void> {
		await call('PUT', `${path}/${id}`, content, 'text/plain');
	}

	async function remove(id: string): Promise<void> {
		await call('DELETE', `${path}/${id}`);
	}

	async function list(): Promise<BinaryJson[]> {
		const answer = await call('GET', `${path}?pageSize=2000`);
		return ((await answer.json()) as { managedObjects: BinaryJson[] }).managedObjects;
	}

	/** The ids of those that can be downloaded as what they were, by the SHA-256 that the service shows. */
	async function listWhole(): Promise<string[]> {
		const whole: string[] = [];
		for (const { id, c8y_Digest } of await list()) if (sha256Of(await download(id)) === c8y_Digest.sha256) whole.push(id);
		return whole;
	}

	return { upload, download, attach, downloadOf, replace, remove, list, listWhole };
}

export function sha256Of(content: string | Buffer): string {
	return createHash('sha256').update(content).digest('hex');
}
