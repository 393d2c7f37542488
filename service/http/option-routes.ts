import { z } from 'zod';
import type { Principal, TenantOption } from '../../access/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { jsonBody } from './json-decode.ts';
import { pageParameters, pageSchema, readPage } from './paging.ts';
import { noContent, ok, type Reply } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

type Option = Pick<TenantOption, 'category' | 'key' | 'value'>;

const tag = 'Options';
const optionSchema = z
	.object({ category: z.string(), key: z.string(), value: z.string(), self: z.string().optional() })
	.meta({ id: 'Option' });
const categoryParam = { category: 'Category of the option' };
const keyParams = { ...categoryParam, key: 'Key of the option' };

/** The version of Cumulocity's interface that is spoken here: tools ask for it before they begin. */
const spokenVersion = '1020.0.0';

/** Options: of the system, which are fixed, and of the tenant, which keeps them for its tools. */
export function optionRoutes({ access, options: settings, version }: HttpServices): Route[] {
	const { options } = access;
	const one = { 200: { description: 'The option', schema: optionSchema } };
	const systemOptions: readonly Option[] = [
		{ category: 'system', key: 'version', value: spokenVersion },
		{ category: 'advanced-software-mgmt', key: 'version', value: version },
	];

	async function setOne(principal: Principal, { category, key, value }: Option, base: string): Promise<Reply> {
		await options.set(principal.tenant, category, { [key]: value });
		return ok(optionJson({ category, key, value }, base));
	}

	return [
		route({
			method: 'get',
			path: '/tenant/system/options',
			permission: 'own:read',
			summary: 'List the options of the system',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'The options', schema: z.object({ options: z.array(optionSchema), self: z.string() }) } },
			handler: async ({ base }) => ok({ options: systemOptions, self: `${base}/tenant/system/options` }),
		}),
		route({
			method: 'get',
			path: '/tenant/system/options/{category}/{key}',
			permission: 'own:read',
			summary: 'Read an option of the system',
			tag,
			params: keyParams,
			query: noQuery,
			body: noBody,
			answers: one,
			refusals: ['http/notFound'],
			handler: async ({ param }) => {
				const found = systemOptions.find(({ category, key }) => category === param('category') && key === param('key'));
				if (!found) throw new HttpError('http/notFound', 'The system has no such option');
				return ok(found);
			},
		}),
		route({
			method: 'get',
			path: '/tenant/options',
			permission: 'options:read',
			summary: 'List the options of the tenant',
			tag,
			params: noParams,
			query: z.object(pageParameters(settings)),
			body: noBody,
			answers: { 200: { description: 'A page', schema: pageSchema('options', optionSchema) } },
			handler: async (call) => {
				const { tenant } = call.principal;
				const { entries, frame } = await readPage(call, {
					find: (range) => options.list(tenant, range),
					count: () => options.count(tenant),
				});
				return ok({ options: entries.map((option) => optionJson(option, call.base)), ...frame });
			},
		}),
		route({
			method: 'post',
			path: '/tenant/options',
			permission: 'options:write',
			summary: 'Set an option of the tenant',
			tag,
			params: noParams,
			query: noQuery,
			body: jsonBody(z.object({ category: z.string().min(1), key: z.string().min(1), value: z.string() })),
			answers: one,
			refusals: ['access/invalid'],
			handler: async ({ principal, body, base }) => setOne(principal, body, base),
		}),
		route({
			method: 'get',
			path: '/tenant/options/{category}',
			permission: 'options:read',
			summary: 'Read the options of a category',
			tag,
			params: categoryParam,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'Values by their keys', schema: z.record(z.string(), z.string()) } },
			handler: async ({ principal, param }) => {
				const found = await options.ofCategory(principal.tenant, param('category'));
				return ok(Object.fromEntries(found.map(({ key, value }) => [key, value])));
			},
		}),
		route({
			method: 'put',
			path: '/tenant/options/{category}',
			permission: 'options:write',
			summary: 'Set several options of a category',
			description: 'All or none; null takes one away.',
			tag,
			params: categoryParam,
			query: noQuery,
			body: jsonBody(z.record(z.string(), z.string().nullable())),
			answers: { 200: { description: 'Values by their keys', schema: z.record(z.string(), z.string()) } },
			refusals: ['access/invalid'],
			handler: async ({ principal, param, body }) => {
				const category = param('category');
				await options.set(principal.tenant, category, body);
				const found = await options.ofCategory(principal.tenant, category);
				return ok(Object.fromEntries(found.map(({ key, value }) => [key, value])));
			},
		}),
		route({
			method: 'get',
			path: '/tenant/options/{category}/{key}',
			permission: 'options:read',
			summary: 'Read an option of the tenant',
			tag,
			params: keyParams,
			query: noQuery,
			body: noBody,
			answers: one,
			refusals: ['access/notFound'],
			handler: async ({ principal, param, base }) =>
				ok(optionJson(await options.get(principal.tenant, param('category'), param('key')), base)),
		}),
		route({
			method: 'put',
			path: '/tenant/options/{category}/{key}',
			permission: 'options:write',
			summary: 'Change an option of the tenant',
			tag,
			params: keyParams,
			query: noQuery,
			body: jsonBody(z.looseObject({ value: z.string() })),
			answers: one,
			refusals: ['access/invalid'],
			handler: async ({ principal, param, body: { value }, base }) =>
				setOne(principal, { category: param('category'), key: param('key'), value }, base),
		}),
		route({
			method: 'delete',
			path: '/tenant/options/{category}/{key}',
			permission: 'options:write',
			summary: 'Remove an option of the tenant',
			tag,
			params: keyParams,
			query: noQuery,
			body: noBody,
			answers: { 204: { description: 'Removed' } },
			refusals: ['access/notFound'],
			handler: async ({ principal, param }) => {
				await options.remove(principal.tenant, param('category'), param('key'));
				return noContent;
			},
		}),
	];
}

function optionJson({ category, key, value }: Option, base: string) {
	return { category, key, value, self: `${base}/tenant/options/${category}/${key}` };
}
