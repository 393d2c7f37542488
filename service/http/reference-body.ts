import { z } from 'zod';
import { jsonBody } from './json-decode.ts';
import type { JsonBody } from './route.ts';

const reference = z.union([
	z.looseObject({ id: z.union([z.string().min(1), z.int().transform(String)]) }),
	z.looseObject({ self: z.string().min(1) }),
]);

/** `{"<name>": {"id": …}}` or `{"<name>": {"self": "https://…/<id>"}}`, as what it refers to. */
export function referenceBody(name: string): JsonBody<string> {
	const { schema, decode } = jsonBody(z.looseObject({ [name]: reference }));
	return { ...(schema && { schema }), decode: (value) => parseReference(reference.parse(decode(value)[name])) };
}

/** What an object refers to: its id, or the last part of its address. */
export function parseReference(sent: { readonly id?: unknown; readonly self?: unknown }): string {
	if (typeof sent.id === 'string') return sent.id;
	const last = String(sent.self).split('/').at(-1) ?? '';
	try {
		return decodeURIComponent(last);
	} catch {
		// Not percent-encoded: then it is meant as it is.
		return last;
	}
}
