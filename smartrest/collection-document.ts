import { findRequestKind, firstValuePosition, fixedWidth, type RequestKind, requestKinds } from './collection-kinds.ts';
import { parseValueType, type ValueTypeName, valueTypeNames, valueTypes } from './collection-values.ts';
import { shownText } from './errors.ts';
import { assignAt, assignmentFault, hasSeveralDescents, type JsonPath, parsePath } from './json-path.ts';

export interface CollectionLimits {
	/** Request and response templates of one collection. */
	readonly maximumTemplates: number;
	/** Values or patterns of one template. */
	readonly maximumFields: number;
	readonly maximumPathSteps: number;
}

export interface TemplateValueDocument {
	readonly path: string;
	readonly type: string;
	/** `''` for one that the message gives. */
	readonly value: string;
}

/** A request template as it is stored; for the inventory `byId` and `externalIdType` say how objects are named. */
export interface RequestTemplateDocument {
	readonly msgId: string;
	readonly name: string;
	readonly method: string;
	readonly api: string;
	readonly response: boolean;
	readonly byId?: boolean;
	readonly externalIdType?: string;
	readonly mandatoryValues: readonly TemplateValueDocument[];
	readonly customValues: readonly TemplateValueDocument[];
}

export interface ResponseTemplateDocument {
	readonly msgId: string;
	readonly name: string;
	readonly base: string;
	readonly condition: string;
	readonly pattern: readonly string[];
}

/** A template collection as Cumulocity stores it in a managed object. */
export interface CollectionDocument {
	readonly requestTemplates: readonly RequestTemplateDocument[];
	readonly responseTemplates: readonly ResponseTemplateDocument[];
}

/** One value that a request carries: fixed by the template, or read from the message. */
export interface TemplateValue {
	readonly name: string;
	readonly type: ValueTypeName;
	readonly fixed: string;
	readonly isMandatory: boolean;
	/** Where in the document it goes; `undefined` for a selector. */
	readonly path: JsonPath | undefined;
}

export interface RequestTemplate {
	readonly msgId: string;
	readonly kind: RequestKind;
	readonly answers: boolean;
	/** How the message names a managed object. */
	readonly reference: { readonly byId: boolean; readonly externalIdType: string } | undefined;
	readonly values: readonly TemplateValue[];
}

export interface ResponseTemplate {
	readonly msgId: string;
	readonly condition: JsonPath | undefined;
	readonly patterns: readonly JsonPath[];
}

/** What is wrong with a template: the field of its line (from 1) and why, free of commas and quotes. */
export interface TemplateFault {
	readonly msgId: string;
	readonly position: number;
	readonly reason: string;
}

/** A template collection, ready for use; a faulty template is left out and named among the faults. */
export interface TemplateCollection {
	readonly requests: ReadonlyMap<string, RequestTemplate>;
	readonly responses: readonly ResponseTemplate[];
	readonly faults: readonly TemplateFault[];
}

type Compiled<Template> =
	| { readonly ok: true; readonly template: Template }
	| { readonly ok: false; readonly fault: TemplateFault };

/** Prepares a stored collection, whoever wrote it; never throws. */
export function compileCollection(stored: unknown, limits: CollectionLimits): TemplateCollection {
	const requests = new Map<string, RequestTemplate>();
	const responses: ResponseTemplate[] = [];
	const faults: TemplateFault[] = [];
	const given = [...listOf(fieldOf(stored, 'requestTemplates')), ...listOf(fieldOf(stored, 'responseTemplates'))];
	if (given.length > limits.maximumTemplates) {
		const reason = `the collection has ${given.length} templates - at most ${limits.maximumTemplates} are allowed`;
		return { requests, responses, faults: [{ msgId: '', position: 1, reason }] };
	}
	for (const each of listOf(fieldOf(stored, 'requestTemplates'))) {
		const compiled = compileRequest(toRequestDocument(each), limits);
		if (!compiled.ok) faults.push(compiled.fault);
		else if (requests.has(compiled.template.msgId)) faults.push(duplicate(compiled.template.msgId));
		else requests.set(compiled.template.msgId, compiled.template);
	}
	for (const each of listOf(fieldOf(stored, 'responseTemplates'))) {
		const compiled = compileResponse(toResponseDocument(each), limits);
		if (compiled.ok) responses.push(compiled.template);
		else faults.push(compiled.fault);
	}
	return { requests, responses, faults };
}

/** The fault of a second request template with the same message id. */
export function duplicate(msgId: string): TemplateFault {
	return { msgId, position: 2, reason: 'another request template of the collection has this message id' };
}

/** Checks a request template and prepares it. */
export function compileRequest(document: RequestTemplateDocument, limits: CollectionLimits): Compiled<RequestTemplate> {
	const { msgId, method, api, mandatoryValues, customValues } = document;
	const refuse = (position: number, reason: string) => ({ ok: false, fault: { msgId, position, reason } }) as const;
	if (!isMessageId(msgId)) return refuse(2, messageIdRule);
	const kind = findRequestKind(method, api);
	if (!kind) return refuse(methods.has(method) ? 4 : 3, kindRule(method));
	if (customValues.length > 0 && !kind.takesCustomValues)
		return refuse(firstValuePosition + fixedWidth(kind), `${method} ${api} takes no values of its own`);
	if (customValues.length > limits.maximumFields)
		return refuse(
			firstValuePosition,
			`the template has ${customValues.length} values - at most ${limits.maximumFields} are allowed`,
		);
	const values: TemplateValue[] = [];
	const example: Record<string, unknown> = {};
	const add = (value: TemplateValue, position: number): string | undefined => {
		const fixed = value.fixed === '' ? undefined : valueTypes[value.type].read(value.fixed, 0);
		if (fixed && !fixed.ok) return `${value.name} ${fixed.reason}`;
		const flag = value.type === 'FLAG' ? {} : position;
		if (value.path && !assignAt(example, value.path, flag)) return `another value of the template is in the way of ${value.name}`;
		values.push(value);
		return undefined;
	};
	for (const [index, { name, type, role }] of kind.mandatory.entries()) {
		const path: JsonPath | undefined = role === 'document' ? [{ kind: 'name', name }] : undefined;
		const position = firstValuePosition + index;
		const reason = add({ name, type, fixed: mandatoryValues[index]?.value ?? '', isMandatory: true, path }, position);
		if (reason !== undefined) return refuse(position, reason);
	}
	for (const [index, custom] of customValues.entries()) {
		const position = firstValuePosition + fixedWidth(kind) + 3 * index;
		const type = parseValueType(custom.type);
		if (!type) return refuse(position + 1, `the type must be one of ${valueTypeNames()}`);
		const parsed = parsePath(custom.path, limits.maximumPathSteps);
		const fault = parsed.ok ? assignmentFault(parsed.path, limits.maximumFields) : parsed.reason;
		if (!parsed.ok || fault !== undefined) return refuse(position, fault ?? '');
		const name = shownText(custom.path);
		const reason = add({ name, type, fixed: custom.value, isMandatory: false, path: parsed.path }, position);
		if (reason !== undefined) return refuse(position, reason);
	}
	const { byId = false, externalIdType = '', response } = document;
	const reference = kind.byReference ? { byId, externalIdType } : undefined;
	return { ok: true, template: { msgId, kind: kind.name, answers: response, reference, values } };
}

/** Checks a response template and prepares it. */
export function compileResponse(document: ResponseTemplateDocument, limits: CollectionLimits): Compiled<ResponseTemplate> {
	const { msgId, base, condition, pattern } = document;
	const refuse = (position: number, reason: string) => ({ ok: false, fault: { msgId, position, reason } }) as const;
	if (!isMessageId(msgId)) return refuse(2, messageIdRule);
	const prefix = base === '' ? rootPath : parsePath(base, limits.maximumPathSteps);
	if (!prefix.ok) return refuse(3, prefix.reason);
	const when = condition === '' ? undefined : parsePath(condition, limits.maximumPathSteps);
	if (when && !when.ok) return refuse(4, when.reason);
	if (pattern.length === 0) return refuse(5, 'a pattern is missing - name at least one value to send');
	if (pattern.length > limits.maximumFields)
		return refuse(5, `the template has ${pattern.length} patterns - at most ${limits.maximumFields} are allowed`);
	const patterns: JsonPath[] = [];
	for (const [index, text] of pattern.entries()) {
		const parsed = parsePath(text, limits.maximumPathSteps);
		if (!parsed.ok) return refuse(5 + index, parsed.reason);
		const path = [...prefix.path, ...parsed.path];
		if (hasSeveralDescents(path)) return refuse(5 + index, 'base and pattern have more than one .. together');
		patterns.push(path);
	}
	return { ok: true, template: { msgId, condition: when?.path, patterns } };
}

const rootPath = { ok: true, path: [] as JsonPath } as const;
const methods: ReadonlySet<string> = new Set(requestKinds.map(({ method }) => method));
const messageIdRule = 'the message id must have 1 to 32 characters without white space';

function isMessageId(text: string): boolean {
	return /^[^\s\p{Cc}]{1,32}$/u.test(text);
}

function kindRule(method: string): string {
	if (!methods.has(method)) return `the method must be one of ${[...methods].join(' ')}`;
	const right = requestKinds.filter((kind) => kind.method === method).map(({ api }) => api);
	return `the API of ${method} must be one of ${right.join(' ')}`;
}

/** Fields of every kind and order come from web pages and tools: numbers for texts, values left out. */
function toRequestDocument(given: unknown): RequestTemplateDocument {
	const method = textOf(fieldOf(given, 'method'));
	return {
		msgId: textOf(fieldOf(given, 'msgId')),
		name: textOf(fieldOf(given, 'name')),
		method,
		api: textOf(fieldOf(given, 'api')),
		response: readFlag(textOf(fieldOf(given, 'response'))) ?? method === 'GET',
		byId: readFlag(textOf(fieldOf(given, 'byId'))) ?? false,
		externalIdType: textOf(fieldOf(given, 'externalIdType')),
		mandatoryValues: mandatoryDocuments(given),
		customValues: listOf(fieldOf(given, 'customValues')).map(toValueDocument),
	};
}

/** Where the list was left out, the field that GET and PUT have for the type of the external id stands in. */
function mandatoryDocuments(given: unknown): TemplateValueDocument[] {
	const listed = listOf(fieldOf(given, 'mandatoryValues')).map(toValueDocument);
	const externalIdType = textOf(fieldOf(given, 'externalIdType'));
	return listed.length === 0 && externalIdType !== '' ? [{ path: '', type: '', value: externalIdType }] : listed;
}

function toResponseDocument(given: unknown): ResponseTemplateDocument {
	return {
		msgId: textOf(fieldOf(given, 'msgId')),
		name: textOf(fieldOf(given, 'name')),
		base: textOf(fieldOf(given, 'base')),
		condition: textOf(fieldOf(given, 'condition')),
		pattern: listOf(fieldOf(given, 'pattern')).map(textOf),
	};
}

function toValueDocument(given: unknown): TemplateValueDocument {
	if (typeof given !== 'object' || given === null) return { path: '', type: '', value: textOf(given) };
	return { path: textOf(fieldOf(given, 'path')), type: textOf(fieldOf(given, 'type')), value: textOf(fieldOf(given, 'value')) };
}

/** `true` or `false`; `undefined` for anything else. */
export function readFlag(text: string): boolean | undefined {
	const lower = text.toLowerCase();
	return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
	return typeof value === 'object' && value !== null && Object.hasOwn(value, field) ? Reflect.get(value, field) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
	return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
