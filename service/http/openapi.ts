import { z } from 'zod';
import { createDocument, type ZodOpenApiObject } from 'zod-openapi';
import { type ProblemCode, problems, statusOf } from './problem.ts';
import { statuses } from './reply.ts';
import type { AnswerSpec, Route } from './route.ts';

type Paths = NonNullable<ZodOpenApiObject['paths']>;
type Operation = NonNullable<Paths[string]['get']>;

const problemSchema = z
	.object({
		error: z.string().meta({ description: 'A code' }),
		message: z.string().meta({ description: 'What was wrong, where, and what would be right' }),
		info: z.string().meta({ description: 'Where to read more' }),
		details: z.looseObject({}).optional(),
	})
	.meta({ id: 'Error' });

/** The OpenAPI 3.1 description of the routes, made from the schemas that check their requests. */
export function describeApi(routes: readonly Route[], version: string): unknown {
	const paths: Paths = {};
	for (const each of routes) paths[each.path] = { ...paths[each.path], [each.method]: operationOf(each) };
	return createDocument(
		{
			openapi: '3.1.0',
			info: {
				title: 'Device software management',
				version,
				description: 'The software on devices: what is installed, what shall change, and what became of it.',
				license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
			},
			servers: [{ url: '/' }],
			tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
			security: [{ basic: [] }, { bearer: [] }, { cookie: [], xsrf: [] }],
			paths,
			components: {
				securitySchemes: {
					basic: { type: 'http', scheme: 'basic', description: 'tenant/user and password; the tenant may be left out' },
					bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
					cookie: { type: 'apiKey', in: 'cookie', name: 'authorization', description: 'Set by `POST /tenant/oauth`' },
					xsrf: {
						type: 'apiKey',
						in: 'header',
						name: 'X-XSRF-TOKEN',
						description: 'The value of the cookie `XSRF-TOKEN`, where a request with cookies changes something',
					},
				},
			},
		},
		{ allowEmptySchema: { undefined: true } },
	);
}

function operationOf(each: Route): Operation {
	const { path, params } = each;
	const pathSchema = z.object(
		Object.fromEntries(Object.entries(params).map(([name, description]) => [name, z.string().meta({ description })])),
	);
	return {
		operationId: operationIdOf(each),
		summary: each.summary,
		...(each.description && { description: each.description }),
		tags: [each.tag],
		...(each.permission === 'public' && { security: [] }),
		requestParams: { query: each.query, ...(path.includes('{') && { path: pathSchema }) },
		...(each.body && { requestBody: { required: true, content: { 'application/json': { schema: each.body } } } }),
		...(each.form && { requestBody: { required: true, content: contentOf({ 'application/x-www-form-urlencoded': each.form }) } }),
		...(each.upload && { requestBody: { required: true, content: contentOf(each.upload) } }),
		responses: responsesOf(each),
	};
}

function contentOf(schemas: NonNullable<Route['upload']>) {
	return Object.fromEntries(Object.entries(schemas).map(([mediaType, schema]) => [mediaType, { schema }]));
}

function operationIdOf({ method, path }: Route): string {
	const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
	return [method, ...words].map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
}

function responsesOf(each: Route): Operation['responses'] {
	const responses: Operation['responses'] = {};
	for (const status of statuses) {
		const codes = refusalsOf(each).filter((code) => statusOf(code, each) === status);
		const answer = each.answers[status];
		if (answer) responses[`${status}`] = answerOf(answer);
		else if (codes.length > 0)
			responses[`${status}`] = {
				description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('. '),
				content: { 'application/json': { schema: problemSchema } },
			};
	}
	return responses;
}

function answerOf({ description, schema, mediaType = 'application/json' }: AnswerSpec): Operation['responses']['200'] {
	return { description, ...(schema && { content: { [mediaType]: { schema } } }) };
}

function refusalsOf({ permission, body, form, refusals = [] }: Route): ProblemCode[] {
	return [
		...refusals,
		'http/badRequest',
		...forAll,
		...(permission === 'public' ? [] : forUsers),
		...(body || form ? forBodies : []),
		'http/internal',
		'http/unavailable',
	];
}

const forUsers: readonly ProblemCode[] = ['http/unauthorized', 'http/forbidden'];
const forAll: readonly ProblemCode[] = ['http/urlTooLong', 'http/throttled', 'http/headersTooLarge'];
const forBodies: readonly ProblemCode[] = [
	'http/malformedJson',
	'http/missingBody',
	'http/requestTimeout',
	'http/bodyTooLarge',
	'http/unsupportedMediaType',
	'http/invalidBody',
];
