import type { z } from 'zod';
import { HttpError } from './http-error.ts';
import type { JsonBody } from './route.ts';

const maxFaults = 10;

/** A body that is exactly what its schema says. */
export function jsonBody<S extends z.ZodType>(schema: S): JsonBody<z.output<S>> {
	return { schema, decode: (value) => decodeJson(schema, value) };
}

/** A body whose schema is for readers, and which a function of the domain reads. */
export function describedBody<T>(schema: z.ZodType, decode: (value: unknown) => T): JsonBody<T> {
	return { schema, decode };
}

/** An array, read item by item, so that a long list of nonsense costs no more than its first faults. */
export function arrayBody<S extends z.ZodType>(
	schema: z.ZodArray<S>,
	options: { readonly maxItems: number; readonly fault: (item: z.output<S>) => { field: string; reason: string } | undefined },
): JsonBody<z.output<S>[]> {
	const item = schema.element;
	return {
		schema,
		decode: (value) => {
			if (!Array.isArray(value)) throw new HttpError('http/invalidBody', `The body must be an array, found ${kindOf(value)}`);
			if (value.length > options.maxItems)
				throw new HttpError('http/invalidBody', `The body has ${value.length} items: at most ${options.maxItems} are allowed`);
			const faults: string[] = [];
			const items: z.output<S>[] = [];
			for (const [index, candidate] of value.entries()) {
				const result = item.safeParse(candidate);
				if (!result.success) faults.push(...faultsOf(result.error, candidate, `[${index}]`));
				else {
					const fault = options.fault(result.data);
					if (fault) faults.push(`[${index}].${fault.field} ${fault.reason}`);
					else items.push(result.data);
				}
				if (faults.length >= maxFaults) break;
			}
			if (faults.length > 0) throw invalidBody(faults);
			return items;
		},
	};
}

/** @throws HttpError `http/invalidBody` with the path of each field that is wrong */
export function decodeJson<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
	const result = schema.safeParse(value);
	if (!result.success) throw invalidBody(faultsOf(result.error, value, ''));
	return result.data;
}

function invalidBody(found: readonly string[]): HttpError {
	const faults = found.slice(0, maxFaults);
	return new HttpError('http/invalidBody', faults.join('; '), { details: { faults } });
}

function faultsOf(error: z.ZodError, value: unknown, root: string): string[] {
	return error.issues.slice(0, maxFaults).map((issue) => `${pathText(root, issue.path)} ${reasonOf(issue, value)}`);
}

function pathText(root: string, path: readonly PropertyKey[]): string {
	const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
	const text = root + steps;
	return text === '' ? 'The body' : text.replace(/^\./, '');
}

function reasonOf(issue: z.core.$ZodIssue, root: unknown): string {
	const found = () => kindOf(valueAt(root, issue.path));
	if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
		return `must be ${kindNames[issue.expected] ?? issue.expected}, found ${found()}`;
	if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}, found ${found()}`;
	if (issue.code === 'too_small' && issue.origin === 'string') return 'is empty: it needs a text';
	if (issue.code === 'too_big') return `is too long: at most ${issue.maximum} are allowed`;
	return issue.message;
}

const kindNames: Readonly<Record<string, string>> = {
	string: 'text',
	object: 'an object',
	array: 'an array',
	boolean: 'true or false',
};

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
	let value = root;
	for (const step of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
	return value;
}

/** What a JSON value is, in words. */
export function kindOf(value: unknown): string {
	if (value === undefined) return 'nothing';
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'an array';
	if (typeof value === 'object') return 'an object';
	return typeof value === 'string' ? `'${value.slice(0, 40)}'` : `the ${typeof value} ${String(value)}`;
}
