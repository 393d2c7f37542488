import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import proxyAddr from 'proxy-addr';

const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/** Where requests come from, and how their clients know the service. */
export type Origins = ReturnType<typeof createOrigins>;

/** @param trustedProxies addresses, networks, or `loopback`, `linklocal`, `uniquelocal`: what these forward is believed */
export function createOrigins(trustedProxies: readonly string[]) {
	const isTrusted = proxyAddr.compile([...trustedProxies]);
	const known = new WeakMap<IncomingMessage, string>();

	/** Scheme and host by which the client knows the service: what a trusted proxy in front says, else what the request says. */
	function baseUrl(request: IncomingMessage): string {
		// A request whose body was given up has no socket any more.
		const base = known.get(request) ?? readBase(request);
		known.set(request, base);
		return base;
	}

	function readBase({ headers, socket }: Omit<IncomingMessage, 'socket'> & { readonly socket: Socket | null }): string {
		const isForwarded = isTrusted(socket?.remoteAddress ?? '', 0);
		const forwardedScheme = isForwarded ? firstOf(headers['x-forwarded-proto']) : undefined;
		const scheme =
			forwardedScheme === 'https' || forwardedScheme === 'http'
				? forwardedScheme
				: socket instanceof TLSSocket
					? 'https'
					: 'http';
		const forwardedHost = isForwarded ? firstOf(headers['x-forwarded-host']) : undefined;
		const host = forwardedHost !== undefined && hostPattern.test(forwardedHost) ? forwardedHost : (headers.host ?? '');
		return `${scheme}://${hostPattern.test(host) ? host : 'localhost'}`;
	}

	/** The address of the client: the last one of `X-Forwarded-For` that is no trusted proxy. */
	function addressOf(request: IncomingMessage): string {
		const direct = request.socket.remoteAddress ?? '';
		return request.headers['x-forwarded-for'] === undefined ? direct : proxyAddr(request, isTrusted);
	}

	return { baseUrl, addressOf };
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
