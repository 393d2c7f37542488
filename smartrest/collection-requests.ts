import type { RequestTemplate, TemplateCollection, TemplateValue } from './collection-document.ts';
import type { RequestKind } from './collection-kinds.ts';
import { valueTypes } from './collection-values.ts';
import type { CsvRecord } from './csv.ts';
import { decodeLines } from './decode-lines.ts';
import { type BadLine, cutTemplateId } from './errors.ts';
import { assignAt } from './json-path.ts';

/** What one line of a custom template asks for. */
export interface CustomRequest {
	readonly ok: true;
	readonly kind: RequestKind;
	readonly line: number;
	readonly msgId: string;
	/** Whether the device wants an answer by the collection's response templates. */
	readonly answers: boolean;
	/** What the request is about, beside the document; `''` for what was not said. */
	readonly selectors: Readonly<Record<Selector, string>>;
	/** What is to be created or changed. */
	readonly document: Readonly<Record<string, unknown>>;
}

/** `id` or the external id of a managed object; the fragment of an operation. */
export type Selector = 'id' | 'externalIdType' | 'externalId' | 'fragment';

/**
 * Reads what a device sent by the request templates of a collection; never throws and gives one entry a line, in order. A bad
 * line does not spoil the good ones beside it. `now` stands in for times that are not sent. [SR-10]
 */
export function decodeRequests(
	payload: string,
	collection: TemplateCollection,
	options: { readonly maximumLines: number; readonly now: number },
): (CustomRequest | BadLine)[] {
	return decodeLines(payload, options.maximumLines, (record) => decodeRequest(record, collection, options.now));
}

function decodeRequest(record: CsvRecord, collection: TemplateCollection, now: number): CustomRequest | BadLine {
	const [msgId = ''] = record.fields;
	const refuse = (position: number, reason: string, error: BadLine['error'] = 'badLine') =>
		({ ok: false, error, line: record.line, templateId: cutTemplateId(msgId), position, reason }) as const;
	if (record.fault) return refuse(record.fault.position, record.fault.reason);
	const template = collection.requests.get(msgId);
	if (!template) {
		const faulty = collection.faults.find((fault) => fault.msgId === msgId || fault.msgId === '');
		return refuse(
			1,
			faulty ? `the template cannot be used: ${faulty.reason}` : 'the collection has no such request template',
			'notSupported',
		);
	}
	let at = 1;
	const take = () => record.fields[at++] ?? '';
	const selectors = { ...readReference(template, take), fragment: '' };
	const document: Record<string, unknown> = {};
	for (const value of template.values) {
		const sent = value.fixed !== '' || value.type === 'FLAG' ? value.fixed : take();
		if (value.path === undefined) {
			if (sent === '' && isNeeded(template, value, selectors.externalId)) return refuse(at, `${value.name} is missing`);
			selectors[value.name === 'fragment' ? 'fragment' : 'externalIdType'] = sent;
			continue;
		}
		const read = valueTypes[value.type].read(sent, now);
		if (!read.ok) return refuse(at, `${value.name} ${read.reason}`);
		if (read.value === '' && value.isMandatory) return refuse(at, `${value.name} is missing`);
		assignAt(document, value.path, read.value);
	}
	const { kind, answers } = template;
	return { ok: true, kind, line: record.line, msgId, answers, selectors, document };
}

function readReference(
	{ kind, reference }: RequestTemplate,
	take: () => string,
): Record<'id' | 'externalIdType' | 'externalId', string> {
	const none = { id: '', externalIdType: '', externalId: '' };
	// The external id of what is created comes first, before the values of the template.
	if (kind === 'CreateObject') return { ...none, externalId: take() };
	if (!reference) return none;
	if (reference.byId) return { ...none, id: take() };
	const externalIdType = reference.externalIdType || take();
	return { ...none, externalIdType, externalId: take() };
}

/** Whoever gives no external id needs no type for it. */
function isNeeded({ kind }: RequestTemplate, { name }: TemplateValue, externalId: string): boolean {
	return kind !== 'CreateObject' || name !== 'externalIdType' || externalId !== '';
}
