import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a page of another site had a browser send this request. What is no browser sends neither header, and is none.
 * `Sec-Fetch-Site`, which scripts cannot set, holds also behind a proxy that nobody has named; browsers leave it out where the page is
 * not protected by TLS, and then `Origin` says it.
 * @param base scheme and host by which the client knows the service
 * @param allowedOrigins `scheme://host[:port]` of other sites that may
 */
export function isFromOtherSite(headers: IncomingHttpHeaders, base: string, allowedOrigins: readonly string[]): boolean {
	const { origin, 'sec-fetch-site': site } = headers;
	if (site === 'same-origin' || site === 'none') return false;
	// A sandboxed page says `null`, which is nobody's origin.
	if (origin !== undefined) return origin !== new URL(base).origin && !allowedOrigins.includes(origin);
	return site !== undefined;
}
