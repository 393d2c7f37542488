import type { IncomingHttpHeaders } from 'node:http';
import { parseCookie, type SerializeOptions, stringifySetCookie } from 'cookie';

const sessionCookie = 'authorization';
const xsrfCookie = 'XSRF-TOKEN';

/** The token in the cookie `authorization`. */
export function readSessionCookie({ cookie }: IncomingHttpHeaders): string | undefined {
	return readCookie(cookie, sessionCookie);
}

export function readCookie(header: string | undefined, name: string): string | undefined {
	return header === undefined ? undefined : parseCookie(header)[name] || undefined;
}

/** Keeps a session in a browser, until it ends or the browser does. The second cookie is for the scripts of the pages. */
export function sessionCookies(
	{ token, xsrfToken }: { readonly token: string; readonly xsrfToken: string },
	base: string,
): string[] {
	return [setCookie(sessionCookie, token, base, { httpOnly: true }), setCookie(xsrfCookie, xsrfToken, base, { httpOnly: false })];
}

/** Removes both cookies. */
export function clearedCookies(base: string): string[] {
	return [
		setCookie(sessionCookie, '', base, { httpOnly: true, maxAge: 0 }),
		setCookie(xsrfCookie, '', base, { httpOnly: false, maxAge: 0 }),
	];
}

/** Not sent along with requests that other sites make, but with links that lead here; over TLS only, where the client uses it. */
export function setCookie(name: string, value: string, base: string, more: SerializeOptions): string {
	return stringifySetCookie(name, value, { path: '/', sameSite: 'lax', secure: base.startsWith('https:'), ...more });
}
