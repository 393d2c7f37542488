import type { ResponseTemplate, TemplateCollection } from './collection-document.ts';
import { encodeField, encodeRecord } from './csv.ts';
import { selectPath, type VisitBudget } from './json-path.ts';

export interface RenderOptions {
	/** A field after each message id: the external id of the device that an operation is for. */
	readonly prefix?: string;
	/** Of all lines together. */
	readonly maximumBytes: number;
	/** How many values may be looked at still; what was looked at is taken from it. */
	readonly budget: VisitBudget;
}

/** To write a value as JSON means to look at what is in it. */
const charactersAVisit = 10;

/** The lines that a document gives, none where no template fits; or why they cannot be made. */
export type RenderedLines =
	| { readonly ok: true; readonly lines: readonly string[] }
	| { readonly ok: false; readonly reason: string };

/**
 * Writes a JSON document by every response template whose condition it meets. A pattern that finds nothing is an empty value,
 * one that finds several gives a value each; what is no plain value is sent as JSON. Never throws. [SR-11]
 */
export function encodeResponses({ responses }: TemplateCollection, document: unknown, options: RenderOptions): RenderedLines {
	const { budget } = options;
	const lines: string[] = [];
	let bytes = 0;
	for (const template of responses) {
		if (budget.visits < 0) break;
		if (template.condition && selectPath(document, template.condition, budget).next().done) continue;
		let line = encodeRecord(options.prefix === undefined ? [template.msgId] : [template.msgId, options.prefix]);
		for (const text of valuesOf(template, document, budget)) {
			line += `,${encodeField(text)}`;
			if (bytes + line.length > options.maximumBytes) return tooLarge(options.maximumBytes);
		}
		bytes += Buffer.byteLength(line) + 1;
		if (bytes - 1 > options.maximumBytes) return tooLarge(options.maximumBytes);
		lines.push(line);
	}
	if (budget.visits >= 0) return { ok: true, lines };
	return {
		ok: false,
		reason: 'more values would have to be looked at than one message may ask for: use fewer lines, and paths without .. and *',
	};
}

function* valuesOf({ patterns }: ResponseTemplate, document: unknown, budget: VisitBudget): Generator<string> {
	for (const pattern of patterns) {
		let found = false;
		for (const value of selectPath(document, pattern, budget)) {
			found = true;
			yield textOf(value, budget);
		}
		if (!found) yield '';
	}
}

function textOf(value: unknown, budget: VisitBudget): string {
	if (value === null || value === undefined) return '';
	if (typeof value !== 'object') return String(value);
	const text = JSON.stringify(value);
	budget.visits -= Math.floor(text.length / charactersAVisit);
	return text;
}

function tooLarge(maximumBytes: number): RenderedLines {
	return { ok: false, reason: `the answer is longer than the ${maximumBytes} bytes that fit into a message` };
}
