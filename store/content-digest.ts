import { createHash } from 'node:crypto';

/** Counts and hashes the bytes of a stream on their way. */
export function createContentDigest() {
	const hash = createHash('sha256');
	let length = 0;

	async function* tap(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
		for await (const bytes of source) {
			hash.update(bytes);
			length += bytes.length;
			yield bytes;
		}
	}

	return { tap, finish: () => ({ sha256: hash.digest('hex'), length }) };
}
