import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { Response } from 'supertest';
import type { CallOptions } from './checked-http-client.ts';
import type { HttpFixture } from './http-fixture.ts';

/** The body of a login. */
export function loginForm(username: string, password: string, more: Readonly<Record<string, string>> = {}): CallOptions {
	const text = new URLSearchParams({ grant_type: 'PASSWORD', username, password, ...more }).toString();
	return { text, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
}

/** The cookies that an answer sets, by name: value and attributes. */
export function cookiesOf(
	answer: Pick<Response, 'headers'>,
): Map<string, { readonly value: string; readonly attributes: string[] }> {
	const lines: unknown = answer.headers['set-cookie'] ?? [];
	return new Map(
		(Array.isArray(lines) ? lines : [lines]).map((line) => {
			const [pair = '', ...attributes] = String(line).split('; ');
			const at = pair.indexOf('=');
			return [pair.slice(0, at), { value: pair.slice(at + 1), attributes }];
		}),
	);
}

export interface LoginSession {
	readonly token: string;
	readonly xsrfToken: string;
	/** Headers of a request with the cookies, and, unless it is left out, the text that shows whose page sends it. */
	readonly headers: (xsrfToken?: string | null) => Record<string, string>;
}

/** Logs in for cookies. */
export async function logIn(fixture: HttpFixture, credentials: string): Promise<LoginSession> {
	const colon = credentials.indexOf(':');
	const form = loginForm(credentials.slice(0, colon), credentials.slice(colon + 1));
	const answer = await fixture.call(undefined, 'post', '/tenant/oauth', form);
	expect(answer.status).to.equal(200);
	const cookies = cookiesOf(answer);
	const token = cookies.get('authorization')?.value ?? '';
	const xsrfToken = cookies.get('XSRF-TOKEN')?.value ?? '';
	expect(jwt.decode(token, { json: true })).to.include({ xsrfToken });
	return {
		token,
		xsrfToken,
		headers: (shown = xsrfToken) => ({
			Cookie: `other=1; authorization=${token}; XSRF-TOKEN=${xsrfToken}`,
			...(shown !== null && { 'X-XSRF-TOKEN': shown }),
		}),
	};
}
