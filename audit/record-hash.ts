import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { AuditRecord, ChainLink } from './audit-record.ts';

/** The SHA-256 of all that a record says, of its place, and of the hash before it, as canonical JSON (RFC 8785). */
export function hashOf(record: AuditRecord, { seq, hash: previousHash }: ChainLink): string {
	const { pending: _pending, hash: _hash, ...said } = record;
	return sha256(canonicalize({ ...said, seq: seq + 1, previousHash }) ?? '');
}

/** In hexadecimal digits. */
export function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}
