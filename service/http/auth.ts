import type { IncomingHttpHeaders } from 'node:http';
import { type Access, type Authentication, type Principal, parseUserName } from '../../access/index.ts';
import { HttpError } from './http-error.ts';

const throttleSeconds = '60';

/** Finds out who calls: `Basic` with `tenant/user:password` or `user:password`, or `Bearer` with a token. */
export function createAuthenticator({ access, defaultTenant }: { readonly access: Access; readonly defaultTenant: string }) {
	/** @throws HttpError `http/unauthorized`, `http/throttled` */
	return async function authenticate(headers: IncomingHttpHeaders, address: string): Promise<Principal> {
		const { authorization } = headers;
		if (authorization === undefined)
			throw unauthorized(headers, 'Bad credentials: send Authorization: Basic with tenant/user:password, or Bearer with a token');
		const space = authorization.indexOf(' ');
		const scheme = authorization.slice(0, space).toLowerCase();
		const value = authorization.slice(space + 1).trim();
		const outcome =
			scheme === 'basic' ? await checkBasic(value, address) : scheme === 'bearer' ? await checkBearer(value) : rejected;
		if (outcome.ok) return outcome.principal;
		if (outcome.reason === 'throttled') {
			const extra = { headers: { 'Retry-After': throttleSeconds } };
			throw new HttpError('http/throttled', 'Too many wrong passwords for this user from this address: wait a minute', extra);
		}
		throw unauthorized(headers, 'Bad credentials: the user name, the password or the token is wrong');
	};

	async function checkBasic(value: string, address: string): Promise<Authentication> {
		const text = Buffer.from(value, 'base64').toString('utf8');
		const colon = text.indexOf(':');
		if (colon < 0) return rejected;
		const { tenant, userName } = parseUserName(text.slice(0, colon), defaultTenant);
		return access.users.authenticate(tenant, userName, text.slice(colon + 1), address);
	}

	async function checkBearer(token: string): Promise<Authentication> {
		const principal = await access.tokens.verify(token);
		return principal ? { ok: true, principal } : rejected;
	}
}

/** The user that a `Basic` header names, for the log. */
export function claimedUser(headers: IncomingHttpHeaders): string | undefined {
	return basicCredentials(headers)?.name.slice(0, 100);
}

/** What a `Basic` header says. */
export function basicCredentials({
	authorization,
}: IncomingHttpHeaders): { readonly name: string; readonly password: string } | undefined {
	const [, value] = /^basic (.*)$/i.exec(authorization ?? '') ?? [];
	if (value === undefined) return undefined;
	const text = Buffer.from(value, 'base64').toString('utf8');
	const colon = text.indexOf(':');
	return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

const rejected: Authentication = { ok: false, reason: 'rejected' };

// A browser shows its own dialog on `Basic`; web applications ask for `XBasic` to show theirs.
function unauthorized(headers: IncomingHttpHeaders, message: string): HttpError {
	const scheme = String(headers.usexbasic).toLowerCase() === 'true' ? 'XBasic' : 'Basic';
	const challenge = `${scheme} realm="device-software-management", charset="UTF-8"`;
	return new HttpError('http/unauthorized', message, { headers: { 'WWW-Authenticate': challenge } });
}
