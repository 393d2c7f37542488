import supertest, { type Response, type Test } from 'supertest';
import { createAnswerCheck } from './answer-check.ts';

export interface CallOptions {
	/** Sent as JSON. */
	readonly body?: unknown;
	/** Sent as it is. */
	readonly text?: string | Buffer;
	/** Content-Type of the body; none where it is empty. */
	readonly type?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

export type HttpMethod = 'get' | 'head' | 'post' | 'put' | 'delete' | 'patch' | 'options';

export type CheckedHttpClient = ReturnType<typeof createCheckedHttpClient>;

/** A client whose every answer is checked against the API description. */
export function createCheckedHttpClient({ url, description }: { readonly url: string; readonly description: unknown }) {
	const faultOf = createAnswerCheck(description);

	/** Calls with `user:password`, or without credentials. */
	return async function call(
		credentials: string | undefined,
		method: HttpMethod,
		path: string,
		{ body, text, type, headers = {} }: CallOptions = {},
	): Promise<Response> {
		// Also what is of no type that the client knows.
		const test: Test = supertest(url)[method](path).buffer(true);
		if (credentials !== undefined) test.set('Authorization', basic(credentials));
		if (body !== undefined || text !== undefined) {
			if (type !== '') test.set('Content-Type', type ?? 'application/json');
		}
		for (const [name, value] of Object.entries(headers)) test.set(name, value);
		const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
		const response: Response = await (payload === undefined
			? test
			: test.serialize((value: unknown) => value as string).send(payload));
		const fault = faultOf(method, path, response);
		if (fault) throw new Error(`${method} ${path} answered ${response.status}: ${fault}`);
		if (response.headers['x-content-type-options'] !== 'nosniff' || 'x-powered-by' in response.headers)
			throw new Error(`${method} ${path} answered without the protecting headers`);
		return response;
	};
}

export function basic(credentials: string): string {
	return `Basic ${Buffer.from(credentials).toString('base64')}`;
}
