import {
	type CollectionDocument,
	type CollectionLimits,
	compileRequest,
	compileResponse,
	duplicate,
	type RequestTemplateDocument,
	type ResponseTemplateDocument,
	readFlag,
	type TemplateFault,
	type TemplateValueDocument,
} from './collection-document.ts';
import { findRequestKind, firstValuePosition, fixedWidth, type RequestKindRow } from './collection-kinds.ts';
import { type CsvRecord, decodeRecords } from './csv.ts';
import { type BadLine, cutTemplateId } from './errors.ts';

/** A collection whose every line is good, or all that is wrong with it. */
export type DecodedCollection =
	| { readonly ok: true; readonly document: CollectionDocument }
	| { readonly ok: false; readonly faults: readonly BadLine[] };

/**
 * Reads the lines that register a template collection: `10,<msgId>,<method>,<api>,<response>,<values…>` and
 * `11,<msgId>,<base>,<condition>,<pattern…>`. All of them must be good: what is created cannot be changed. Never throws. [SR-10] [SR-11]
 */
export function decodeCollection(payload: string, limits: CollectionLimits): DecodedCollection {
	const faults: BadLine[] = [];
	const requestTemplates: RequestTemplateDocument[] = [];
	const responseTemplates: ResponseTemplateDocument[] = [];
	const records = decodeRecords(payload, limits.maximumTemplates + 1);
	const surplus = records[limits.maximumTemplates];
	if (surplus) {
		const reason = `a template collection has at most ${limits.maximumTemplates} templates`;
		return { ok: false, faults: [{ ok: false, error: 'tooLarge', line: surplus.line, templateId: '', position: 1, reason }] };
	}
	const messageIds = new Set<string>();
	for (const record of records) {
		const fault = record.fault ?? readTemplate(record);
		if (fault) faults.push(badTemplate(record, fault.position, fault.reason));
	}
	if (records.length === 0) faults.push(badTemplate({ line: 1, fields: [] }, 1, 'there is no template'));
	return faults.length > 0 ? { ok: false, faults } : { ok: true, document: { requestTemplates, responseTemplates } };

	function readTemplate({ fields }: CsvRecord): Pick<TemplateFault, 'position' | 'reason'> | undefined {
		switch (fields[0]) {
			case '10': {
				const read = readRequest(fields);
				if ('reason' in read) return read;
				const compiled = compileRequest(read, limits);
				if (!compiled.ok) return compiled.fault;
				if (messageIds.has(read.msgId)) return duplicate(read.msgId);
				messageIds.add(read.msgId);
				requestTemplates.push(read);
				return undefined;
			}
			case '11': {
				const response = readResponse(fields);
				const compiled = compileResponse(response, limits);
				if (!compiled.ok) return compiled.fault;
				responseTemplates.push(response);
				return undefined;
			}
			default:
				return { position: 1, reason: 'a line must begin with 10 for a request template or 11 for a response template' };
		}
	}
}

function readRequest(
	fields: readonly string[],
): RequestTemplateDocument | { readonly position: number; readonly reason: string } {
	const [, msgId = '', method = '', api = '', response = ''] = fields;
	const answers = response === '' ? method === 'GET' : readFlag(response);
	if (answers === undefined) return { position: 5, reason: 'response must be true or false or empty' };
	const head = { msgId, name: msgId, method, api, response: answers };
	const kind = findRequestKind(method, api);
	// What the method and the API may be is told by the check of the template.
	if (!kind) return { ...head, mandatoryValues: [], customValues: [] };
	const values = fields.slice(firstValuePosition - 1);
	const customValues = readCustomValues(values.slice(fixedWidth(kind)));
	if (!kind.byReference) return { ...head, mandatoryValues: readMandatoryValues(kind, values), customValues };
	const [byIdText = '', externalIdType = ''] = values;
	const byId = readFlag(byIdText);
	if (byId === undefined) return { position: firstValuePosition, reason: 'byId must be true or false' };
	return { ...head, byId, externalIdType, mandatoryValues: [], customValues };
}

function readMandatoryValues({ mandatory }: RequestKindRow, values: readonly string[]): TemplateValueDocument[] {
	return mandatory.map(({ name, type }, index) => ({ path: `$.${name}`, type, value: values[index] ?? '' }));
}

function readCustomValues(values: readonly string[]): TemplateValueDocument[] {
	const end = lengthWithoutTrailingEmpties(values);
	const read: TemplateValueDocument[] = [];
	for (let at = 0; at < end; at += 3) {
		read.push({ path: values[at] ?? '', type: values[at + 1] || 'STRING', value: values[at + 2] ?? '' });
	}
	return read;
}

function readResponse(fields: readonly string[]): ResponseTemplateDocument {
	const [, msgId = '', base = '', condition = '', ...pattern] = fields;
	return { msgId, name: msgId, base, condition, pattern: pattern.slice(0, lengthWithoutTrailingEmpties(pattern)) };
}

// Devices end their lines with commas, as they do in messages.
function lengthWithoutTrailingEmpties(values: readonly string[]): number {
	return values.findLastIndex((value) => value !== '') + 1;
}

function badTemplate({ line, fields }: CsvRecord, position: number, reason: string): BadLine {
	return { ok: false, error: 'badLine', line, templateId: cutTemplateId(fields[0] ?? ''), position, reason };
}
