export interface Credentials {
	readonly user: string;
	readonly password: string;
}

export interface Answer<T> {
	readonly status: number;
	/** `undefined` where the answer is empty. */
	readonly body: T;
}

export type HttpClient = ReturnType<typeof createHttpClient>;

/** Calls the service as somebody; `get`, `post`, `put` and `delete` fail unless the answer is a success. */
export function createHttpClient(base: string, who: Credentials | { readonly token: string }) {
	const authorization =
		'token' in who ? `Bearer ${who.token}` : `Basic ${Buffer.from(`${who.user}:${who.password}`).toString('base64')}`;

	/** Any answer, whatever its status. */
	async function call<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
		const response = await fetch(new URL(path, base), {
			method,
			headers: { authorization, accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
			...(body !== undefined && { body: JSON.stringify(body) }),
			signal: AbortSignal.timeout(30_000),
		});
		const text = await response.text();
		return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
	}

	async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
		const answer = await call<T>(method, path, body);
		if (answer.status < 300) return answer.body;
		throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
	}

	return {
		call,
		get: <T>(path: string) => ask<T>('GET', path),
		post: <T>(path: string, body: unknown) => ask<T>('POST', path, body),
		put: <T>(path: string, body: unknown) => ask<T>('PUT', path, body),
		delete: (path: string, body?: unknown) => ask<undefined>('DELETE', path, body),
	};
}
