import type { Request, Response } from 'express';
import type { Origins } from './base-url.ts';
import { createCrossOrigin } from './cross-origin.ts';
import { HttpError } from './http-error.ts';
import type { HttpOptions } from './http-options.ts';

/** Probes have to hear how it is, whatever others send from their address. What they ask for costs next to nothing. */
const probes: ReadonlySet<string> = new Set(['/health', '/ready']);

/** What every request passes before its path is looked at. */
export function createAdmission({
	options,
	origins: { baseUrl, addressOf },
	rateOfAddress,
}: {
	readonly options: Pick<HttpOptions, 'corsOrigins' | 'hstsSeconds' | 'headersMaxCount' | 'urlMaxCharacters'>;
	readonly origins: Origins;
	readonly rateOfAddress: (address: string) => void;
}) {
	const { corsOrigins, hstsSeconds, headersMaxCount, urlMaxCharacters } = options;
	const answerOrigin = createCrossOrigin(corsOrigins);

	/**
	 * True for a question that is answered by the headers that were set.
	 * @throws HttpError `http/throttled`, `http/urlTooLong`, `http/headersTooLarge`
	 */
	return function admit(request: Request, response: Response): boolean {
		// First of all, so that browsers show refusals, too.
		const isAnswered = answerOrigin(request, response);
		if (hstsSeconds > 0 && baseUrl(request).startsWith('https:'))
			response.setHeader('Strict-Transport-Security', `max-age=${hstsSeconds}`);
		if (!probes.has(request.path)) rateOfAddress(addressOf(request));
		const { length } = request.originalUrl;
		if (length > urlMaxCharacters)
			throw new HttpError('http/urlTooLong', `The URL has ${length} characters: at most ${urlMaxCharacters} are read`);
		if (request.rawHeaders.length > 2 * headersMaxCount)
			throw new HttpError('http/headersTooLarge', `The request has too many headers: at most ${headersMaxCount} are read`);
		return isAnswered;
	};
}
