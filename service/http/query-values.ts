import { z } from 'zod';
import { formatTime, parseTime } from '../../inventory/index.ts';
import { HttpError } from './http-error.ts';

/** A text that is compared as it is, the empty one too. */
export function textParameter(description: string) {
	return z.string().meta({ description });
}

/** `true` or `false` in any case. */
export function booleanParameter(description: string) {
	return parameter({ description, override: { type: 'boolean' }, expected: 'true or false', parse: parseBoolean });
}

/** A whole number in decimal digits. */
export function numberParameter(description: string, { min, max, unset }: { min: number; max: number; unset?: number }) {
	return parameter({
		description,
		override: { type: 'integer', minimum: min, maximum: max, ...(unset !== undefined && { default: unset }) },
		expected: `a whole number from ${min} to ${max}`,
		parse: (text) => {
			const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
			return value >= min && value <= max ? value : undefined;
		},
	});
}

/** A time or a bare date, as milliseconds since 1970. */
export function timeParameter(description: string) {
	return parameter({
		description,
		override: { type: 'string' },
		expected: `a time such as ${formatTime(0)} or a date such as 1970-01-01`,
		parse: parseTime,
	});
}

/** One of some words. */
export function wordParameter<const W extends string>(description: string, words: readonly W[]) {
	return parameter({
		description,
		override: { type: 'string', enum: [...words] },
		expected: `one of ${words.join(', ')}`,
		parse: (text) => words.find((word) => word === text),
	});
}

/** Several texts: separated by commas, or the parameter repeated. */
export function listParameter(description: string) {
	return z
		.union([z.string(), z.array(z.string())])
		.transform((value) => (Array.isArray(value) ? value : [value]).flatMap((text) => (text === '' ? [] : text.split(','))))
		.meta({ description, override: { type: 'array', items: { type: 'string' }, anyOf: undefined } });
}

/** Several texts, each as it is: the parameter is repeated. */
export function repeatedParameter(description: string, missing: string) {
	return z
		.union([z.string(), z.array(z.string())], { error: missing })
		.transform((value) => (Array.isArray(value) ? value : [value]))
		.meta({ description, override: { type: 'array', items: { type: 'string' }, anyOf: undefined } });
}

/** A parameter of the API that is not understood yet: it would change the answer, so it is refused, not ignored. */
export function refusedParameter(reason: string) {
	return z.undefined({ error: reason }).meta({ description: `Refused: ${reason}` });
}

function parameter<T>(options: {
	readonly description: string;
	readonly override: z.core.JSONSchema.BaseSchema & { type: 'string' | 'integer' | 'boolean' };
	readonly expected: string;
	readonly parse: (text: string) => T | undefined;
}) {
	const { description, override, expected, parse } = options;
	return z
		.string()
		.transform((text, context): T => {
			const value = parse(text);
			if (value !== undefined) return value;
			context.issues.push({ code: 'custom', message: `must be ${expected}, found '${text.slice(0, 40)}'`, input: text });
			return z.NEVER;
		})
		.meta({ description, override });
}

export function parseBoolean(text: string): boolean | undefined {
	const word = text.toLowerCase();
	return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** @throws HttpError `http/badRequest` with the name of the parameter */
export function decodeQuery<Q extends z.ZodObject>(schema: Q, query: unknown, queryText: string): z.output<Q> {
	refuseOtherEncodings(queryText);
	const result = schema.safeParse(query);
	if (result.success) return result.data;
	const faults = result.error.issues.map((issue) => `${String(issue.path[0])} ${faultText(issue)}`);
	throw new HttpError('http/badRequest', faults.join('; '), { details: { faults } });
}

/** What is no UTF-8 would be taken for another text; a percent sign that escapes nothing stands for itself. */
function refuseOtherEncodings(queryText: string): void {
	if (!/%[89a-f]/i.test(queryText)) return;
	const broken = queryText.split('&').find((pair) => !isUtf8(pair));
	if (broken === undefined) return;
	const [name = ''] = broken.split('=');
	throw new HttpError('http/badRequest', `${name.slice(0, 60)} is not UTF-8, percent-encoded: found '${broken.slice(0, 100)}'`);
}

function isUtf8(pair: string): boolean {
	try {
		decodeURIComponent(pair.replace(/%(?![0-9a-f]{2})/gi, ''));
		return true;
	} catch (error) {
		if (!(error instanceof URIError)) throw error;
		return false;
	}
}

function faultText(issue: z.core.$ZodIssue): string {
	if (issue.code !== 'invalid_type' || issue.expected !== 'string') return issue.message;
	return issue.message.endsWith('undefined') ? 'is missing' : 'must be given once';
}
