import { z } from 'zod';
import { type AuditChange, type AuditRecord, severities } from '../../audit/index.ts';
import { formatTime } from '../../inventory/index.ts';
import { type Json, objectUrl } from './managed-object-json.ts';
import { idSchema, timeSchema } from './managed-object-schema.ts';

const valueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]).optional();

export const auditRecordSchema = z
	.object({
		id: idSchema,
		self: z.string(),
		creationTime: timeSchema,
		time: timeSchema,
		type: z.string(),
		activity: z.string(),
		text: z.string(),
		severity: z.enum(severities),
		user: z.string().meta({ description: '`system` for what the service does by itself' }),
		application: z.string(),
		source: z.object({ id: z.string(), self: z.string().optional() }),
		changes: z.array(
			z.object({
				attribute: z.string(),
				type: z.string(),
				changeType: z.enum(['ADDED', 'REPLACED', 'REMOVED']),
				previousValue: valueSchema,
				newValue: valueSchema,
			}),
		),
		origin: z.object({
			channel: z.enum(['http', 'mqtt', 'system']),
			address: z.string().optional(),
			device: z.string().optional(),
			call: z.string().optional(),
		}),
		byClient: z.boolean().optional().meta({ description: 'A client wrote it' }),
		seq: z.int().optional().meta({ description: 'Place in the chain; absent for about a second' }),
		previousHash: z.string().optional(),
		hash: z.string().optional().meta({ description: 'SHA-256 of the record and of the hash before it' }),
	})
	.meta({ id: 'AuditRecord' });

/** A record as Cumulocity's clients know it, with where it came from and its place in the chain. */
export function auditRecordJson(record: AuditRecord, base: string): Json {
	const { number, type, activity, text, severity, user, application, source, origin, byClient, seq, previousHash, hash } = record;
	return {
		id: String(number),
		self: `${base}/audit/auditRecords/${number}`,
		creationTime: formatTime(record.creationTime),
		time: formatTime(record.time),
		type,
		activity,
		text,
		severity,
		user,
		application,
		source: { id: source, ...(type === 'Inventory' && { self: objectUrl(base, source) }) },
		changes: record.changes.map(changeJson),
		origin,
		byClient,
		seq,
		previousHash,
		hash,
	};
}

function changeJson(change: AuditChange): Json {
	const { attribute, changeType, previousValue, newValue } = change;
	const value = newValue ?? previousValue;
	return { attribute, type: typeNames[typeof value] ?? 'Object', changeType, previousValue, newValue };
}

const typeNames: Readonly<Record<string, string>> = { string: 'String', number: 'Number', boolean: 'Boolean' };
