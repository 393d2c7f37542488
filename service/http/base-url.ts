import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/** Scheme and host by which the client knows the service: what a proxy in front says, else what the request says. */
export function baseUrl({ headers, socket }: IncomingMessage): string {
	const forwardedScheme = firstOf(headers['x-forwarded-proto']);
	const scheme =
		forwardedScheme === 'https' || forwardedScheme === 'http' ? forwardedScheme : socket instanceof TLSSocket ? 'https' : 'http';
	const forwardedHost = firstOf(headers['x-forwarded-host']);
	const host = forwardedHost !== undefined && hostPattern.test(forwardedHost) ? forwardedHost : (headers.host ?? '');
	return `${scheme}://${hostPattern.test(host) ? host : 'localhost'}`;
}

/** The host name of a base URL. */
export function hostOf(base: string): string {
	return new URL(base).hostname;
}

function firstOf(value: string | string[] | undefined): string | undefined {
	const text = Array.isArray(value) ? value[0] : value;
	const comma = text?.indexOf(',') ?? -1;
	return (comma < 0 ? text : text?.slice(0, comma))?.trim().toLowerCase();
}
