import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Response } from 'supertest';

interface Described {
	readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>>;
}

const error = '#/components/schemas/Error';

/** Checks answers against the API description: nothing may be answered that it does not tell. */
export function createAnswerCheck(description: unknown) {
	const { paths } = description as Described;
	const ajv = new Ajv2020({ strict: false, allErrors: true });
	formats.default(ajv);
	ajv.addSchema(description as object, 'api');
	const patterns = Object.keys(paths).map((path) => ({ path, pattern: patternOf(path) }));
	// The paths without parameters come first, as in the router.
	patterns.sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));
	const validators = new Map<string, ValidateFunction>();

	/** What is wrong with an answer, or `undefined`. */
	return function faultOf(method: string, url: string, response: Response): string | undefined {
		const path = (url.split('?')[0] ?? '').replace(/(?<=.)\/$/, '');
		const found = patterns.find(({ pattern }) => pattern.test(path));
		if (!found || response.error instanceof URIError)
			return response.status === 404 ? schemaFault(error, response.body) : `${response.status}`;
		const verb = method === 'head' ? 'get' : method;
		const operation = paths[found.path]?.[verb];
		if (!operation) return response.status === 405 ? schemaFault(error, response.body) : `${response.status}, not 405`;
		const answer = operation.responses[response.status] as { content?: Record<string, unknown> } | undefined;
		if (!answer) return `${verb} ${found.path} does not describe status ${response.status}`;
		return method === 'head' ? undefined : bodyFault(found.path, verb, response, answer.content);
	};

	function bodyFault(path: string, verb: string, response: Response, content: Record<string, unknown> | undefined) {
		const type = response.headers['content-type']?.split(';')[0];
		if (!content)
			return response.text === '' || response.text === undefined ? undefined : `a body where none is described: ${response.text}`;
		if (type === undefined || !(type in content || '*/*' in content)) return `Content-Type ${type} is not described`;
		if (type !== 'application/json' || !(type in content)) return undefined;
		const pointer = ['paths', path, verb, 'responses', String(response.status), 'content', type, 'schema'];
		return schemaFault(
			`#/${pointer.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`,
			response.body,
		);
	}

	function schemaFault(pointer: string, body: unknown): string | undefined {
		const validate = validators.get(pointer) ?? ajv.compile({ $ref: `api${pointer}` });
		validators.set(pointer, validate);
		return validate(body) ? undefined : `${ajv.errorsText(validate.errors)} in ${JSON.stringify(body).slice(0, 500)}`;
	}
}

function patternOf(path: string): RegExp {
	return new RegExp(`^${path.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
