import { Readable } from 'node:stream';
import { z } from 'zod';
import { type AuditFilter, type AuditRecord, looksAtMany, severities } from '../../audit/index.ts';
import { parseTime } from '../../inventory/index.ts';
import { auditRecordJson, auditRecordSchema } from './audit-json.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { booleanParameter, numberParameter, textParameter, timeParameter } from './query-values.ts';
import { created, ok } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const path = '/audit/auditRecords';
const tag = 'Audit';
const ndjson = 'application/x-ndjson';

const filterParameters = {
	type: textParameter('The type of the records, such as Inventory, Operation or User').optional(),
	user: textParameter('Who made the change').optional(),
	application: textParameter('The application that wrote the record').optional(),
	source: textParameter('Id of what was changed').optional(),
	dateFrom: timeParameter('At this time or later; a bare date is its first moment in UTC').optional(),
	dateTo: timeParameter('At this time or earlier; a bare date is its first moment in UTC').optional(),
};

const afterRecord = z
	.string()
	// A client may have put the time of its record before 1970.
	.regex(/^-?[0-9]{1,15}-[0-9]{1,15}$/, 'must be two numbers with a hyphen, as the links to further pages have them')
	.transform((text) => {
		const hyphen = text.lastIndexOf('-');
		return { time: Number(text.slice(0, hyphen)), number: Number(text.slice(hyphen + 1)) };
	})
	.meta({ description: 'Behind this record; in `next`, so that far pages cost no more', override: { type: 'string' } });

const longText = z.string().min(1).max(10_000);
const newRecordBody = jsonBody(
	z.object({
		type: z.string().min(1).max(255),
		time: z.string().refine((text) => parseTime(text) !== undefined, 'must be a time such as 2026-11-22T10:00:00.000Z'),
		activity: z.string().min(1).max(1000),
		text: longText,
		source: z.looseObject({ id: z.string().min(1).max(1024) }),
		// c8y_api writes it in small letters.
		severity: z.string().toUpperCase().pipe(z.enum(severities)).optional(),
		user: z.string().max(1024).optional(),
		application: z.string().max(1024).optional(),
	}),
);

/** Who changed what, and when. */
export function auditRoutes(services: HttpServices): Route[] {
	const { audit, options } = services;

	return [
		route({
			method: 'get',
			path,
			permission: 'audit:read',
			summary: 'List audit records',
			description: 'Oldest first; all filters must match. Further pages are read best by following `next`.',
			tag,
			params: noParams,
			query: z.object({
				...filterParameters,
				revert: booleanParameter('Whether the newest come first').optional(),
				afterRecord: afterRecord.optional(),
				...pageParameters(options),
			}),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('auditRecords', auditRecordSchema) } },
			handler: async (call) => {
				const { tenant } = call.principal;
				const { revert = false, afterRecord: seen } = call.query;
				const filter = filterOf(call.query);
				const { entries, frame } = await readPage(call, {
					find: (range) => audit.list(tenant, filter, { ...range, revert, ...(seen && { after: seen }) }),
					count: () => audit.count(tenant, filter),
					isSearch: looksAtMany(filter),
				});
				return ok({
					auditRecords: entries.map((each) => auditRecordJson(each, call.base)),
					...withCursor(frame, entries.at(-1)),
				});
			},
		}),
		route({
			method: 'get',
			path: `${path}/export`,
			permission: 'audit:read',
			summary: 'Read all audit records as lines of JSON',
			description:
				'In the order of the chain, as they are stored, so that the hashes can be computed again. What is younger than about a second is not in the chain yet. To go on where an export ended, ask from the number after the last `seq`.',
			tag,
			params: noParams,
			query: z.object({
				...filterParameters,
				fromSeq: numberParameter('Number in the chain to begin with', { min: 1, max: 999_999_999_999_999, unset: 1 }).optional(),
			}),
			body: noBody,
			answers: { 200: { description: 'One record a line', schema: z.string(), mediaType: ndjson } },
			handler: async ({ principal, query, queryText, isHead }) => {
				const { tenant } = principal;
				const text = `Audit records exported: ${queryText === '' ? 'all' : queryText.slice(0, 500)}`;
				if (!isHead) await audit.note({ tenant, type: 'Audit', activity: 'Audit records exported', text });
				const lines = linesOf(audit.inOrder(tenant, filterOf(query), query.fromSeq ?? 1));
				const stream = Readable.from(isHead ? [] : lines, { objectMode: false });
				return { status: 200, stream, headers: { 'Content-Type': ndjson } };
			},
		}),
		route({
			method: 'get',
			path: `${path}/{id}`,
			permission: 'audit:read',
			summary: 'Read an audit record',
			tag,
			params: { id: 'Id of the record' },
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The record', schema: auditRecordSchema } },
			refusals: ['http/notFound'],
			handler: async ({ principal, param, base }) => {
				const record = await audit.find(principal.tenant, param('id'));
				if (!record) throw new HttpError('http/notFound', `No audit record for id '${param('id').slice(0, 40)}'`);
				return ok(auditRecordJson(record, base));
			},
		}),
		route({
			method: 'post',
			path,
			permission: 'audit:write',
			summary: 'Add an audit record',
			description:
				'For what clients do beside this service. The record says that a client wrote it, and who; a `user` that is named is among its changes.',
			tag,
			params: noParams,
			query: noQuery,
			body: newRecordBody,
			answers: { 201: { description: 'The record', schema: auditRecordSchema } },
			handler: async ({ principal, body, base }) => {
				const { type, activity, text, severity, application, user } = body;
				const record = await audit.note({
					tenant: principal.tenant,
					type,
					activity,
					text,
					source: body.source.id,
					time: parseTime(body.time) ?? services.clock(),
					byClient: true,
					...(severity && { severity }),
					...(application !== undefined && { application }),
					...(user !== undefined && { changes: [{ attribute: 'user', changeType: 'ADDED', newValue: user }] }),
				});
				return created(auditRecordJson(record, base));
			},
		}),
	];
}

function filterOf({ type, user, application, source, dateFrom, dateTo }: AuditFilter): AuditFilter {
	return { type, user, application, source, dateFrom, dateTo };
}

/** The link to the next page names the last record of this one; it keeps the number of the page, by which clients see that there is one. */
function withCursor(frame: Readonly<Record<string, unknown>>, last: AuditRecord | undefined): Readonly<Record<string, unknown>> {
	if (typeof frame.next !== 'string' || !last) return frame;
	const next = new URL(frame.next);
	next.searchParams.set('afterRecord', `${last.time}-${last.number}`);
	return { ...frame, next: next.href };
}

async function* linesOf(records: AsyncIterable<AuditRecord>): AsyncGenerator<string> {
	for await (const { pending: _, ...record } of records) {
		yield `${JSON.stringify(record)}\n`;
	}
}
