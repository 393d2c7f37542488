import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Access, type Principal, parseUserName, type TokenSession } from '../../access/index.ts';
import { readSessionCookie } from './cookies.ts';
import { HttpError } from './http-error.ts';

const throttleSeconds = '60';

/** Somebody who has shown who it is. */
export interface Login {
	readonly principal: Principal;
	/** Of logins by a token. */
	readonly session?: TokenSession;
	/** Whether the token came in a cookie. */
	readonly byCookie: boolean;
	/** Whether a client certificate let the caller in, and nothing else. */
	readonly byCertificate?: true;
}

/** A request as far as logins go. */
export interface LoginRequest {
	readonly headers: IncomingHttpHeaders;
	readonly method: string;
	readonly address: string;
	/** The host name that the client called. */
	readonly host: string;
}

/** Tokens that others have signed: who they stand for, or `undefined` where they are none of theirs. */
export type ForeignTokens = (token: string) => Promise<Principal | undefined>;

/**
 * Finds out who calls: `Basic` with `tenant/user:password` or `user:password`, `Bearer` with a token, or a token in the cookie
 * `authorization`. A user name without a tenant is of the tenant whose host name was called, else of the default one. A request
 * that changes something and comes with the cookie shows the text that only pages of the same host can read, so that no other page
 * can send it.
 */
export function createAuthenticator({
	access,
	foreignTokens,
}: {
	readonly access: Access;
	readonly foreignTokens: ForeignTokens;
}) {
	/** @throws HttpError `http/unauthorized`, `http/throttled` */
	return async function authenticate(request: LoginRequest): Promise<Login> {
		const { headers } = request;
		const { authorization } = headers;
		const cookie = readSessionCookie(headers);
		if (authorization === undefined) {
			if (cookie !== undefined) return checkCookie(cookie, request);
			throw unauthorized(headers, 'Bad credentials: send Authorization: Basic with tenant/user:password, or Bearer with a token');
		}
		const space = authorization.indexOf(' ');
		const scheme = authorization.slice(0, space).toLowerCase();
		const value = authorization.slice(space + 1).trim();
		if (scheme === 'basic') return { principal: await checkBasic(value, request), byCookie: false };
		if (scheme === 'bearer') return checkToken(value, headers);
		throw unauthorized(headers, wrongCredentials);
	};

	async function checkBasic(value: string, { headers, address, host }: LoginRequest): Promise<Principal> {
		const credentials = parseBasic(value);
		if (credentials === undefined) throw unauthorized(headers, wrongCredentials);
		const { tenant, userName } = parseUserName(credentials.user, await access.tenants.ofHost(host));
		return checkPassword({ access, headers, address, tenant, userName, password: credentials.password });
	}

	async function checkToken(token: string, headers: IncomingHttpHeaders): Promise<Login> {
		const verified = await access.tokens.verify(token);
		if (verified.ok) return { principal: verified.principal, session: verified.session, byCookie: false };
		const principal = verified.reason === 'rejected' ? await foreignTokens(token) : undefined;
		if (principal) return { principal, byCookie: false };
		throw unauthorized(headers, verified.reason === 'loggedOut' ? loggedOut : wrongCredentials);
	}

	async function checkCookie(token: string, { headers, method }: LoginRequest): Promise<Login> {
		const verified = await access.tokens.verify(token);
		if (!verified.ok) throw unauthorized(headers, verified.reason === 'loggedOut' ? loggedOut : wrongCredentials);
		const { principal, session } = verified;
		if (session.xsrfToken === undefined) throw unauthorized(headers, wrongCredentials);
		const isSafe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
		if (!isSafe && !isSame(headers['x-xsrf-token'], session.xsrfToken))
			throw unauthorized(
				headers,
				'Bad credentials: with the cookie, send the header X-XSRF-TOKEN with the value of the cookie XSRF-TOKEN',
			);
		return { principal, session, byCookie: true };
	}
}

/** Checks a password that came with a request. @throws HttpError `http/unauthorized`, `http/throttled` */
export async function checkPassword(attempt: {
	readonly access: Access;
	readonly headers: IncomingHttpHeaders;
	readonly address: string;
	readonly tenant: string;
	readonly userName: string;
	readonly password: string;
}): Promise<Principal> {
	const { access, headers, address, tenant, userName, password } = attempt;
	const outcome = await access.users.authenticate(tenant, userName, password, address);
	if (outcome.ok) return outcome.principal;
	if (outcome.reason === 'rejected') throw unauthorized(headers, wrongCredentials);
	if (outcome.reason === 'disabled') throw unauthorized(headers, 'Bad credentials: the user, or its tenant, is disabled');
	if (outcome.reason === 'removed')
		throw unauthorized(
			headers,
			'Bad credentials: the device was removed: it needs the credentials of a new registration, or its user enabled',
		);
	const extra = { headers: { 'Retry-After': throttleSeconds } };
	throw new HttpError('http/throttled', 'Too many wrong passwords for this user from this address: wait a minute', extra);
}

/** The user and password of a `Basic` value, split at the first colon. */
export function parseBasic(value: string): { readonly user: string; readonly password: string } | undefined {
	const text = Buffer.from(value, 'base64').toString('utf8');
	const colon = text.indexOf(':');
	return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The user that a `Basic` header names, for the log. */
export function claimedUser(headers: IncomingHttpHeaders): string | undefined {
	return basicCredentials(headers)?.user.slice(0, 100);
}

/** What a `Basic` header says. */
export function basicCredentials({ authorization }: IncomingHttpHeaders): ReturnType<typeof parseBasic> {
	const [, value] = /^basic (.*)$/i.exec(authorization ?? '') ?? [];
	return value === undefined ? undefined : parseBasic(value);
}

// Clients read these words: they ask for the password again, or log in anew.
const wrongCredentials = 'Bad credentials: the user name, the password or the token is wrong';
const loggedOut = 'User has been logged out: log in again';

// A browser shows its own dialog on `Basic`; web applications ask for `XBasic` to show theirs.
export function unauthorized(headers: IncomingHttpHeaders, message: string): HttpError {
	const scheme = String(headers.usexbasic).toLowerCase() === 'true' ? 'XBasic' : 'Basic';
	const challenge = `${scheme} realm="device-software-management", charset="UTF-8"`;
	return new HttpError('http/unauthorized', message, { headers: { 'WWW-Authenticate': challenge } });
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
	const [one, other] = [Buffer.from(String(given)), Buffer.from(expected)];
	return one.length === other.length && timingSafeEqual(one, other);
}
