import type { CsvRecord } from './csv.ts';
import { decodeLines, tooLarge } from './decode-lines.ts';
import { type BadLine, cutTemplateId } from './errors.ts';
import type { DownstreamMessage, UpstreamMessage } from './message.ts';
import type { Direction, Field, Template } from './template.ts';
import { templates } from './templates.ts';

/** What became of one line: a message, or why there is none. */
export type DecodedLine<Message = UpstreamMessage> = { ok: true; message: Message } | BadLine;

/** How large a payload may be; what is not given is not limited. */
export interface DecodeLimits {
	/** A payload with more bytes gives one bad line and nothing else. */
	maximumBytes?: number;
	/** The lines after these give one bad line together. */
	maximumLines?: number;
}

/**
 * Decodes what a device sent; never throws and gives one entry a line, in order, without the blank ones [SR-CSV]. A bad line
 * does not spoil the good ones beside it. Missing optional values are `''`; surplus values are left out.
 */
export function decode(payload: string, limits: DecodeLimits = {}): DecodedLine[] {
	// The table types both the rows that build the message and the message: the compiler cannot see that they are the same.
	return decodeWith(upstream, payload, limits) as DecodedLine[];
}

/** Decodes what is sent to devices; for device simulators and tests. */
export function decodeDownstream(payload: string, limits: DecodeLimits = {}): DecodedLine<DownstreamMessage>[] {
	return decodeWith(downstream, payload, limits) as DecodedLine<DownstreamMessage>[];
}

type TemplatesById = ReadonlyMap<string, Template>;
const upstream = templatesById('up');
const downstream = templatesById('down');

function templatesById(direction: Direction): TemplatesById {
	return new Map(templates.filter((template) => template.direction === direction).map((template) => [template.id, template]));
}

type Values = Record<string, string>;
interface Message {
	template: string;
	id: string;
	line: number;
	fields: Values;
	items: Values[];
	sections?: Record<string, Values[]>;
}

function decodeWith(table: TemplatesById, payload: string, limits: DecodeLimits): DecodedLine<Message>[] {
	if (limits.maximumBytes !== undefined && hasMoreBytes(payload, limits.maximumBytes)) {
		return [tooLarge(1, `the payload has more than ${limits.maximumBytes} bytes - send it in smaller parts`)];
	}
	return decodeLines(payload, limits.maximumLines ?? Number.POSITIVE_INFINITY, (record) => decodeLine(table, record));
}

function hasMoreBytes(text: string, maximumBytes: number): boolean {
	return text.length * 3 > maximumBytes && Buffer.byteLength(text) > maximumBytes;
}

function decodeLine(table: TemplatesById, record: CsvRecord): DecodedLine<Message> {
	const id = record.fields[0] ?? '';
	if (record.fault !== undefined) return badLine(record, record.fault.position, record.fault.reason);
	const template = table.get(id);
	if (template === undefined) return unknownTemplate(record);
	const { fields } = template;
	const message: Message = {
		template: template.name,
		id: template.id,
		line: record.line,
		fields: readValues(fields, record.fields, 1),
		items: [],
	};
	const missing = findMissing(fields, record.fields, 1);
	if (missing !== undefined) return missingValue(record, template, missing);
	const next = 1 + fields.length;
	if (template.group !== undefined) return decodeItems(message, template, template.group, record, next);
	if (template.sections !== undefined) return decodeSections(message, template, record, next);
	return { ok: true, message };
}

function decodeItems(message: Message, template: Template, group: readonly Field[], record: CsvRecord, from: number) {
	const end = template.positional ? lengthWithoutTrailingEmpties(record.fields) : record.fields.length;
	for (let at = from; at < end; at += group.length) {
		if (template.positional !== true && isEmptyItem(record.fields, at, group.length)) continue;
		const missing = findMissing(group, record.fields, at);
		if (missing !== undefined) return missingValue(record, template, missing);
		message.items.push(readValues(group, record.fields, at));
	}
	if (message.items.length < (template.minimumItems ?? 0)) return missingValue(record, template, { at: from, field: group[0] });
	return { ok: true, message } as const;
}

/** A marker counts only where an item could begin: inside an item it is an ordinary value. */
function decodeSections(message: Message, template: Template, record: CsvRecord, from: number): DecodedLine<Message> {
	const sections = template.sections ?? [];
	const itemsOf: Record<string, Values[]> = {};
	for (const { name } of sections) itemsOf[name] = [];
	let section: (typeof sections)[number] | undefined;
	for (let at = from; at < record.fields.length; ) {
		const marked = sections.find(({ marker }) => marker === record.fields[at]);
		section = marked ?? section;
		const length = marked === undefined ? (section?.fields.length ?? 1) : 1;
		if (marked === undefined && !isEmptyItem(record.fields, at, length)) {
			if (section === undefined) return missingMarker(record, template, at);
			const missing = findMissing(section.fields, record.fields, at);
			if (missing !== undefined) return missingValue(record, template, missing);
			itemsOf[section.name]?.push(readValues(section.fields, record.fields, at));
		}
		at += length;
	}
	return { ok: true, message: { ...message, sections: itemsOf } };
}

function readValues(fields: readonly Field[], values: readonly string[], from: number): Values {
	const read: Values = {};
	let at = from;
	for (const field of fields) read[field.name] = values[at++] ?? '';
	return read;
}

interface Missing {
	at: number;
	field: Field | undefined;
}

function findMissing(fields: readonly Field[], values: readonly string[], from: number): Missing | undefined {
	let at = from;
	for (const field of fields) {
		if (field.mandatory === true && (values[at] ?? '') === '') return { at, field };
		at++;
	}
	return undefined;
}

function isEmptyItem(values: readonly string[], from: number, length: number): boolean {
	for (let at = from; at < from + length; at++) if ((values[at] ?? '') !== '') return false;
	return true;
}

function lengthWithoutTrailingEmpties(values: readonly string[]): number {
	let length = values.length;
	while (length > 0 && values[length - 1] === '') length--;
	return length;
}

function missingValue(record: CsvRecord, template: Template, { at, field }: Missing): BadLine {
	return badLine(record, at + 1, `${field?.name} is missing - ${describe(template)}`);
}

function missingMarker(record: CsvRecord, template: Template, at: number): BadLine {
	return badLine(record, at + 1, `a section marker is missing - ${describe(template)}`);
}

function unknownTemplate(record: CsvRecord): BadLine {
	const reason = 'there is no such template - the first field must be the id of a template (602 asks for all)';
	return { ...badLine(record, 1, reason), error: 'notSupported' };
}

function badLine(record: CsvRecord, position: number, reason: string): BadLine {
	return { ok: false, error: 'badLine', line: record.line, templateId: cutTemplateId(record.fields[0] ?? ''), position, reason };
}

/** Says what a template takes, in a text that needs no quotes on `s/e`. */
function describe(template: Template): string {
	const parts = template.fields.map(describeField);
	if (template.group !== undefined) parts.push(`(${template.group.map(describeField).join(' ')})…`);
	for (const { marker, fields } of template.sections ?? []) parts.push(`${marker} (${fields.map(describeField).join(' ')})…`);
	return `template ${template.id} takes ${parts.join(' ')} where * is mandatory`;
}

function describeField(field: Field): string {
	return field.mandatory === true ? `${field.name}*` : field.name;
}
