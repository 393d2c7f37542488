import type { IncomingHttpHeaders } from 'node:http';
import { HttpError } from './http-error.ts';

// Names are in lower case, values are bytes in base64, in any number, with any parameters. [RFC 9651, 3.2]
const member =
	/^[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):(?:[ ]*;[ ]*[a-z*][a-z0-9_.*-]*(?:=[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+)?)*[ \t]*$/;

/**
 * The SHA-256 that a request says its body has, in base64, by each field that says so. A digest that cannot be checked would be a
 * promise that nobody keeps, so it is refused. [RFC 9530]
 * @throws HttpError `http/badRequest`
 */
export function announcedDigests(headers: IncomingHttpHeaders): string[] {
	return ['content-digest', 'repr-digest'].flatMap((name) => {
		const field = headers[name];
		return field === undefined ? [] : [sha256In(name, String(field))];
	});
}

function sha256In(name: string, field: string): string {
	const digests = new Map<string, string>();
	for (const text of field.split(',')) {
		const [, algorithm, digest] = member.exec(text) ?? [];
		if (algorithm === undefined || digest === undefined)
			throw unreadable(`${name} cannot be read at '${text.trim().slice(0, 100)}'`);
		digests.set(algorithm, digest);
	}
	const sha256 = digests.get('sha-256');
	if (sha256 === undefined) throw unreadable(`${name} has ${[...digests.keys()].join(', ').slice(0, 100)}, which is not checked`);
	if (Buffer.from(sha256, 'base64').length !== 32) throw unreadable(`${name} has a sha-256 that is not 32 bytes in base64`);
	return sha256;
}

function unreadable(fault: string): HttpError {
	return new HttpError('http/badRequest', `${fault}: send sha-256=:…:, in lower case, with the digest in base64`, {
		headers: { 'Want-Content-Digest': 'sha-256=1', 'Want-Repr-Digest': 'sha-256=1' },
	});
}
