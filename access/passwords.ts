import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';

/** What one hash of argon2id costs; it uses one thread. */
export interface HashCost {
	readonly memoryKibibytes: number;
	readonly passes: number;
}

/** OWASP's first choice for argon2id, which is the library's default algorithm. */
export const defaultHashCost: HashCost = { memoryKibibytes: 19_456, passes: 2 };

export async function hashPassword(password: string, { memoryKibibytes, passes } = defaultHashCost): Promise<string> {
	return hash(password, { memoryCost: memoryKibibytes, timeCost: passes, parallelism: 1 });
}

/** Whether a stored hash was made at another cost than this. */
export function isHashedOtherwise(storedHash: string, { memoryKibibytes, passes }: HashCost): boolean {
	const { memoryCost, timeCost } = parseOptions(storedHash);
	return memoryCost !== memoryKibibytes || timeCost !== passes;
}

export async function verifyPassword(storedHash: string, password: string): Promise<boolean> {
	return verify(storedHash, password);
}

// Letters and digits that cannot be mistaken for each other, and nothing that a device splits at.
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** 24 characters, about 139 bits. */
export function generatePassword(): string {
	return Array.from({ length: 24 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/**
 * Verifies passwords, and remembers those that were right, so that a slow hash does not slow a fleet that reconnects.
 * What is remembered is a keyed digest over the stored hash and the password: a changed password is unknown at once,
 * and the memory holds nothing that could be used elsewhere.
 */
export function createPasswordVerifier(options: {
	readonly maxEntries: number;
	readonly ttlMilliseconds: number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
}) {
	const key = randomBytes(32);
	const verified = new Map<string, number>();
	const running = new Map<string, Promise<boolean>>();

	/** Whether this password was right lately; costs no hash. */
	function isKnown(storedHash: string, password: string): boolean {
		return isFresh(digestOf(storedHash, password));
	}

	async function check(storedHash: string, password: string): Promise<boolean> {
		const digest = digestOf(storedHash, password);
		if (isFresh(digest)) return true;
		// The same credentials that come many times at once are hashed once.
		const hashing = running.get(digest) ?? verify(storedHash, password).finally(() => running.delete(digest));
		running.set(digest, hashing);
		const right = await hashing;
		if (right) remember(digest);
		return right;
	}

	function digestOf(storedHash: string, password: string): string {
		return createHmac('sha256', key).update(storedHash).update('\0').update(password).digest('base64');
	}

	function isFresh(digest: string): boolean {
		return (verified.get(digest) ?? Number.NEGATIVE_INFINITY) > options.elapsed();
	}

	function remember(digest: string): void {
		verified.delete(digest);
		verified.set(digest, options.elapsed() + options.ttlMilliseconds);
		const oldest = verified.keys().next();
		if (verified.size > options.maxEntries && !oldest.done) verified.delete(oldest.value);
	}

	return { check, isKnown };
}
