import { encodeField } from './csv.ts';
import type { ContentOf, TemplateName } from './message.ts';
import type { Field, Template } from './template.ts';
import { templates } from './templates.ts';

/** The largest publish that Cumulocity takes, in bytes, MQTT header included [SR-LIMIT]. */
export const maximumPayloadBytes = 16184;

/** The lines of a list, each within the limit and one a publish; or why it cannot be sent. */
export type EncodedChunks =
	| { ok: true; lines: string[] }
	| { ok: false; problem: 'item-too-large'; item: number; bytes: number; maximumBytes: number; reason: string }
	| { ok: false; problem: 'list-cannot-be-split'; bytes: number; maximumBytes: number; reason: string };

type Values = { readonly [name: string]: string | undefined };
interface Content {
	fields?: Values;
	items?: readonly Values[];
	sections?: { readonly [name: string]: readonly Values[] | undefined };
}

/**
 * Writes a message as one line without a line break; only a field that needs quotes gets them. Empty values keep their place,
 * because some devices count commas.
 */
export function encode<Name extends TemplateName>(name: Name, content: ContentOf<Name>): string;
export function encode(name: TemplateName, content: Content): string {
	return encodeContent(getTemplate(name), content);
}

/** The size of a line as UTF-8, in bytes. */
export function encodedBytes(line: string): number {
	return Buffer.byteLength(line);
}

/**
 * Writes a message as lines of at most `maximumBytes` each (the payload, without the MQTT header), splitting its repeating
 * group between items; the rest goes into the template's continuation (141 after 140). A list whose template replaces the one
 * before it (114, 116, 516 …) has no continuation and is sent whole or not at all.
 */
export function encodeChunks<Name extends TemplateName>(
	name: Name,
	content: ContentOf<Name>,
	maximumBytes: number,
): EncodedChunks;
export function encodeChunks(name: TemplateName, content: Content, maximumBytes: number): EncodedChunks {
	const template = getTemplate(name);
	const continuation = templateNamed.get(template.continuation ?? '');
	if (continuation === undefined) return encodeWhole(template, content, maximumBytes);
	const continuationHead = encodeHead(continuation, content);
	const lines: string[] = [];
	let line = encodeHead(template, content);
	let bytes = encodedBytes(line);
	if (bytes > maximumBytes) return listCannotBeSplit(template, bytes, maximumBytes);
	let isBare = true;
	for (const [index, item] of (content.items ?? []).entries()) {
		const text = encodeItem(template, item);
		const textBytes = encodedBytes(text);
		if (bytes + textBytes > maximumBytes && !isBare) {
			lines.push(line);
			line = continuationHead;
			bytes = encodedBytes(line);
		}
		if (bytes + textBytes > maximumBytes) return itemTooLarge(template, index, bytes + textBytes, maximumBytes);
		line += text;
		bytes += textBytes;
		isBare = false;
	}
	return { ok: true, lines: [...lines, line] };
}

function encodeWhole(template: Template, content: Content, maximumBytes: number): EncodedChunks {
	const line = encodeContent(template, content);
	const bytes = encodedBytes(line);
	return bytes <= maximumBytes ? { ok: true, lines: [line] } : listCannotBeSplit(template, bytes, maximumBytes);
}

function listCannotBeSplit(template: Template, bytes: number, maximumBytes: number): EncodedChunks {
	const reason = `${template.id} would have ${bytes} bytes and cannot be split - at most ${maximumBytes} bytes fit into a message`;
	return { ok: false, problem: 'list-cannot-be-split', bytes, maximumBytes, reason };
}

function itemTooLarge(template: Template, item: number, bytes: number, maximumBytes: number): EncodedChunks {
	const reason = `${template.id} with item ${item} alone would have ${bytes} bytes - at most ${maximumBytes} bytes fit into a message`;
	return { ok: false, problem: 'item-too-large', item, bytes, maximumBytes, reason };
}

function encodeContent(template: Template, content: Content): string {
	const items = (content.items ?? []).map((item) => encodeItem(template, item));
	return encodeHead(template, content) + items.join('') + encodeSections(template, content);
}

function encodeHead(template: Template, content: Content): string {
	return template.id + encodeValues(template.fields, content.fields ?? {});
}

function encodeItem(template: Template, item: Values): string {
	return encodeValues(template.group ?? [], item);
}

function encodeSections(template: Template, content: Content): string {
	let text = '';
	for (const { name, marker, fields } of template.sections ?? []) {
		const items = content.sections?.[name] ?? [];
		if (items.length > 0) text += `,${marker}`;
		for (const item of items) text += encodeValues(fields, item);
	}
	return text;
}

/** Each value follows a comma, so that heads, items and sections can be put together and counted piece by piece. */
function encodeValues(fields: readonly Field[], values: Values): string {
	let text = '';
	for (const { name } of fields) text += `,${encodeField(values[name] ?? '')}`;
	return text;
}

const templateNamed: ReadonlyMap<string, Template> = new Map(templates.map((template) => [template.name, template]));

function getTemplate(name: TemplateName): Template {
	const template = templateNamed.get(name);
	if (template === undefined) throw new RangeError(`${name} is not a template - use a name of the table`);
	return template;
}
