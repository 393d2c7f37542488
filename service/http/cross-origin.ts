import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';

/** What web applications send. `PATCH` is no method here. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
const allowedHeaders = [
	'Accept',
	'Authorization',
	'Content-Type',
	'If-Match',
	'If-Modified-Since',
	'If-None-Match',
	'If-Range',
	'If-Unmodified-Since',
	'Range',
	'tfatoken',
	'UseXBasic',
	'X-Application',
	'X-Cumulocity-Application-Key',
	'X-Cumulocity-Processing-Mode',
	'X-XSRF-TOKEN',
];
/** What their scripts may read of an answer, beside what they always may. */
const exposedHeaders = [
	'Accept-Ranges',
	'Content-Disposition',
	'Content-Range',
	'ETag',
	'Location',
	'Retry-After',
	'WWW-Authenticate',
];
const maxAge = 600;

/**
 * Says in the headers of the answer whether pages of the request's origin may read it: exactly the origins of the list may, with
 * their cookies; of others nothing is said. True for a question of a browser that such headers answer.
 */
export function createCrossOrigin(origins: readonly string[]) {
	const allowed = new Map(
		origins.map((origin) => [
			origin,
			cors({ origin, methods, allowedHeaders, exposedHeaders, maxAge, credentials: true, preflightContinue: true }),
		]),
	);

	return function answerOrigin(request: IncomingMessage & { method?: string }, response: ServerResponse): boolean {
		if (allowed.size === 0) return false;
		// Also where nothing is allowed: what is kept on the way must not be shown to another origin.
		response.setHeader('Vary', 'Origin');
		const allow = allowed.get(request.headers.origin ?? '');
		if (!allow) return false;
		allow(request, response, ignore);
		return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
	};
}

function ignore(): void {}
