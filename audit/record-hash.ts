import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { AuditRecord, ChainLink } from './audit-record.ts';

/**
 * The SHA-256 of all that a record says, of its place, and of the hash before it, as canonical JSON (RFC 8785).
 * @param write makes the JSON; the library's unless `sortedJson` is asked for, which tells less
 */
export function hashOf(
	record: AuditRecord,
	{ seq, hash: previousHash }: ChainLink,
	write: (said: object) => string | undefined = canonicalize,
): string {
	const { pending: _pending, hash: _hash, ...said } = record;
	return sha256(write({ ...said, seq: seq + 1, previousHash }) ?? '');
}

/**
 * The same text as the library's, in half of the time, for what is read from a store and has no members called `__proto__` or by
 * a number, as records have none: one that had would not verify.
 */
export function sortedJson(value: object): string {
	return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map(sorted);
	const members: Record<string, unknown> = {};
	for (const name of Object.keys(value).sort()) members[name] = sorted(Reflect.get(value, name));
	return members;
}

/** In hexadecimal digits. */
export function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}
