import { fragmentNameFault } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';
import { kindOf } from './json-decode.ts';

/** The fields of a body that has to be a JSON object. @throws HttpError `http/invalidBody` */
export function recordOf(what: string, value: unknown): Record<string, unknown> {
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
	throw new HttpError('http/invalidBody', `${what} must be a JSON object, found ${kindOf(value)}`);
}

/**
 * The fields that are fragments: those without a meaning of their own, and not set by the service only.
 * @throws HttpError `http/invalidBody` for a name that none can have
 */
export function fragmentsOf(
	fields: Readonly<Record<string, unknown>>,
	serverFields: ReadonlySet<string>,
	{ keepNulls }: { readonly keepNulls: boolean },
): Record<string, unknown> {
	const fragments = Object.entries(fields).filter(([name, value]) => !serverFields.has(name) && (keepNulls || value !== null));
	for (const [name] of fragments) {
		const fault = fragmentNameFault(name);
		if (fault) throw new HttpError('http/invalidBody', fault);
	}
	return Object.fromEntries(fragments);
}
