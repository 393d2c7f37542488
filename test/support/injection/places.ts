/** One place of the description of the API where text comes in: a parameter, or a field of a body. */
export interface Place {
	readonly method: string;
	readonly path: string;
	readonly in: 'query' | 'path';
	readonly name: string;
	/** A number, a word of a list, yes or no: every other text is refused before anything is done. */
	readonly isTyped: boolean;
	/** Places of the same name and description are read by the same code: which of how many it is. */
	readonly twin: number;
	readonly twins: number;
}

/** Of several places that are read by the same code, each gets a part of the texts, and all of them together get all. */
export function shareOf<T>({ twin, twins }: Place, texts: readonly T[]): T[] {
	const parts = Math.min(twins, 4);
	return texts.filter((_, index) => index % parts === twin % parts);
}

export interface BodyRoute {
	readonly method: string;
	readonly path: string;
	/** Names of the fields that the description has. */
	readonly fields: readonly string[];
}

interface Schema {
	readonly $ref?: string;
	readonly anyOf?: readonly Schema[];
	readonly items?: Schema;
	readonly properties?: Readonly<Record<string, Schema>>;
}

interface Described {
	readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedRoute>>>>;
	readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface ParameterSchema {
	readonly type?: string;
	readonly enum?: readonly string[];
}

interface DescribedRoute {
	readonly parameters?: readonly {
		readonly name: string;
		readonly in: 'query' | 'path';
		readonly schema: ParameterSchema;
		readonly description?: string;
	}[];
	readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** Every parameter of every route, as the service describes them: a new one is among them by itself. */
export function placesIn(description: unknown): Place[] {
	const places = routesIn(description).flatMap(({ method, path, route }) =>
		(route.parameters ?? []).map(({ name, in: where, schema, description: meaning = '' }) => {
			const isTyped = schema.type === 'integer' || schema.type === 'boolean' || schema.enum !== undefined;
			const kind = method === 'GET' ? 'read' : 'change';
			return { method, path, in: where, name, isTyped, code: `${kind} ${where} ${name} ${meaning}` };
		}),
	);
	const byCode = new Map<string, number>();
	const numbered = places.map(({ code, ...place }) => {
		const twin = byCode.get(code) ?? 0;
		byCode.set(code, twin + 1);
		return { ...place, twin, code };
	});
	return numbered.map(({ code, ...place }) => ({ ...place, twins: byCode.get(code) ?? 1 }));
}

/** Every route that takes JSON, or a form in the way of a query string. */
export function bodyRoutesIn(description: unknown): BodyRoute[] {
	const { schemas } = (description as Described).components;
	const fieldsOf = (schema: Schema): string[] => {
		if (schema.$ref) return fieldsOf(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
		if (schema.anyOf) return schema.anyOf.flatMap(fieldsOf);
		if (schema.items) return fieldsOf(schema.items);
		return Object.keys(schema.properties ?? {});
	};
	return routesIn(description).flatMap(({ method, path, route }) => {
		const schema = route.requestBody?.content['application/json']?.schema;
		return schema ? [{ method, path, fields: [...new Set(fieldsOf(schema))] }] : [];
	});
}

function routesIn(description: unknown): { method: string; path: string; route: DescribedRoute }[] {
	const { paths } = description as Described;
	return Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, route]) => ({ method: method.toUpperCase(), path, route })),
	);
}

/** What the places need to be there. */
export interface Ids {
	readonly device: string;
	readonly group: string;
	readonly child: string;
	readonly operation: string;
	readonly event: string;
	readonly role: string;
	readonly fingerprint: string;
	/** Of the certificate of that fingerprint. */
	readonly pem: string;
}

/** What stands for a parameter of a path that is not the one under test; the first row that fits. */
const goodValues: readonly (readonly [path: RegExp, parameter: string, value: (ids: Ids) => string])[] = [
	[/^\/inventory\/managedObjects\/.*\/child/, 'id', ({ group }) => group],
	[/^\/inventory|^\/identity/, 'id', ({ device }) => device],
	[/./, 'childId', ({ child }) => child],
	[/^\/devicecontrol\/operations/, 'id', ({ operation }) => operation],
	[/^\/event/, 'id', ({ event }) => event],
	[/^\/devicecontrol\/newDeviceRequests/, 'id', () => 'waiting'],
	[/groups\/\{id\}/, 'id', ({ role }) => role],
	[/^\/user\/inventoryroles/, 'id', () => '1'],
	[/^\/user/, 'id', () => 'victim'],
	[/./, 'userId', () => 'victim'],
	[/./, 'user', () => 'victim'],
	[/./, 'group', ({ group }) => group],
	[/./, 'role', () => 'ROLE_INVENTORY_READ'],
	[/^\/user\/\{tenant\}\/groupByName/, 'name', () => 'readers'],
	[/^\/user\/roles/, 'name', () => 'ROLE_INVENTORY_READ'],
	[/^\/application/, 'name', () => 'devicemanagement'],
	[/^\/application/, 'id', () => '1'],
	[/^\/tenant\/tenants\/\{id\}/, 'id', () => 'other'],
	[/./, 'fingerprint', ({ fingerprint }) => fingerprint],
	[/^\/certificate-authority/, 'serialNumber', () => '0a'],
	[/./, 'category', () => 'kept'],
	[/./, 'key', () => 'kept'],
	[/./, 'type', () => 'c8y_Serial'],
	[/./, 'externalId', () => 'serial-1'],
	[/^\/audit/, 'id', () => '1'],
	[/./, 'tenant', () => 't1'],
	[/./, 'tenantId', () => 't1'],
];

/** A path with good values, but for one parameter. */
export function pathWith(path: string, ids: Ids, hostile: Readonly<Record<string, string>> = {}): string {
	return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
		const good = goodValues.find(([pattern, parameter]) => parameter === name && pattern.test(path));
		if (!good) throw new Error(`say in places.ts what {${name}} of ${path} may be`);
		return hostile[name] ?? good[2](ids);
	});
}

export type Caller = 'admin' | 'management' | 'bootstrap';

/** Who may do it, so that the text gets as far as it can. */
export function callerOf(path: string): Caller {
	if (path === '/devicecontrol/deviceCredentials') return 'bootstrap';
	return path === '/tenant/tenants' || path === '/tenant/tenants/{id}' ? 'management' : 'admin';
}

const packageItem = { name: 'a', version: '1', softwareType: 'apt', url: 'http://x' };
const person = {
	email: 'a@b.example',
	firstName: 'a',
	lastName: 'a',
	displayName: 'a',
	phone: '1',
	customProperties: { a: 'b' },
};
const company = {
	domain: 'x.example',
	company: 'a',
	contactName: 'a',
	contactPhone: '1',
	adminEmail: 'a@b.example',
	limits: { devices: 1 },
};

/** A good body of each route, in which a field after the other becomes hostile. */
const goodBodies: Readonly<Record<string, (ids: Ids) => unknown>> = {
	'POST /service/advanced-software-mgmt/software': () => [packageItem],
	'PUT /service/advanced-software-mgmt/software': () => [packageItem],
	'DELETE /service/advanced-software-mgmt/software': () => [{ name: 'not there', version: '1' }],
	'POST /service/advanced-software-mgmt/software/changes': () => [{ ...packageItem, action: 'install' }],
	'POST /inventory/managedObjects': () => ({ name: 'a', type: 'a', x_Fragment: { a: { b: 'c' } } }),
	'PUT /inventory/managedObjects/{id}': () => ({ name: 'a', x_Fragment: { a: { b: 'c' } } }),
	'POST /inventory/managedObjects/{id}/childDevices': () => ({ name: 'a', x_Fragment: { a: 'b' } }),
	'POST /inventory/managedObjects/{id}/childAssets': ({ child }) => ({ managedObject: { id: child } }),
	'POST /inventory/managedObjects/{id}/childAdditions': ({ child }) => ({ references: [{ managedObject: { id: child } }] }),
	'POST /identity/globalIds/{id}/externalIds': () => ({ type: 'x_Type', externalId: 'a' }),
	'POST /devicecontrol/operations': ({ device }) => ({ deviceId: device, description: 'a', x_Fragment: { a: { b: 'c' } } }),
	'PUT /devicecontrol/operations/{id}': () => ({ description: 'a', failureReason: 'a', x_Fragment: { a: 'b' } }),
	'POST /event/events': ({ device }) => ({
		source: { id: device },
		type: 'a',
		time: '2026-11-22T10:00:00Z',
		text: 'a',
		x_Fragment: { a: { b: 'c' } },
	}),
	'POST /devicecontrol/newDeviceRequests': () => ({ id: 'a' }),
	'PUT /devicecontrol/newDeviceRequests/{id}': () => ({ status: 'ACCEPTED' }),
	'POST /devicecontrol/deviceCredentials': () => ({ id: 'a' }),
	'PUT /user/currentUser/password': () => ({ currentUserPassword: 'wrong-password', newPassword: 'long-enough-for-us' }),
	'PUT /user/currentUser': () => person,
	'POST /user/{tenant}/users': () => ({ ...person, userName: 'fresh', password: 'long-enough-for-us', enabled: true }),
	'PUT /user/{tenant}/users/{id}': () => ({ ...person, enabled: true }),
	'POST /user/{tenant}/groups': () => ({ name: 'fresh', description: 'a', roles: ['ROLE_INVENTORY_READ'] }),
	'PUT /user/{tenant}/groups/{id}': () => ({ description: 'a' }),
	'POST /user/{tenant}/groups/{id}/users': () => ({ user: { id: 'victim' } }),
	'POST /user/{tenant}/groups/{id}/roles': () => ({ role: { id: 'ROLE_INVENTORY_READ' } }),
	'POST /user/{tenant}/users/{id}/roles/inventory': ({ group }) => ({ managedObject: group, roles: [{ id: 1 }] }),
	'PUT /user/{tenant}/users/{id}/roles/inventory/{group}': () => ({ roles: [{ id: 1 }] }),
	'POST /user/{tenant}/users/{id}/roles': () => ({ role: { id: 'ROLE_INVENTORY_READ' } }),
	'POST /tenant/tenants': () => ({
		...company,
		domain: 'fresh.example',
		id: 'fresh',
		adminName: 'a',
		adminPass: 'long-enough-for-us',
	}),
	'PUT /tenant/tenants/{id}': () => company,
	'POST /tenant/options': () => ({ category: 'a', key: 'a', value: 'a' }),
	'PUT /tenant/options/{category}': () => ({ a: 'b' }),
	'PUT /tenant/options/{category}/{key}': () => ({ value: 'a' }),
	'POST /tenant/tenants/{tenantId}/trusted-certificates': ({ pem }) => ({ certInPemFormat: pem, name: 'a', status: 'ENABLED' }),
	'POST /tenant/tenants/{tenantId}/trusted-certificates/bulk': ({ pem }) => ({
		certificates: [{ certInPemFormat: pem, name: 'a' }],
	}),
	'PUT /tenant/tenants/{tenantId}/trusted-certificates/{fingerprint}': () => ({ name: 'a', status: 'ENABLED' }),
	'POST /tenant/tenants/{tenantId}/trusted-certificates-pop/{fingerprint}/pop': () => ({
		proofOfPossessionSignedVerificationCode: 'a',
	}),
	'PUT /certificate-authority/certificates/{serialNumber}': () => ({ status: 'REVOKED' }),
	'POST /audit/auditRecords': ({ device }) => ({
		type: 'User',
		time: '2026-11-22T10:00:00Z',
		activity: 'a',
		text: 'a',
		source: { id: device },
		user: 'a',
		application: 'a',
	}),
};

export function goodBodyOf(method: string, path: string, ids: Ids): unknown {
	const body = goodBodies[`${method} ${path}`];
	if (!body) throw new Error(`say in places.ts what a body of ${method} ${path} is`);
	return body(ids);
}

/** Bodies in which one value is hostile: each field of the good one at any depth, and each that the description has. */
export function bodiesWith(
	good: unknown,
	fields: readonly string[],
	json: string,
): { readonly field: string; readonly body: string }[] {
	const marked = markedBodies(good, '');
	const first = Array.isArray(good) ? good[0] : good;
	const others = fields
		.filter((field) => !Object.hasOwn(first, field))
		.map((field) => ({ field, body: inList(good, { ...first, [field]: marker }) }));
	return [...marked, ...others].map(({ field, body }) => ({
		field,
		body: JSON.stringify(body).replace(JSON.stringify(marker), () => json),
	}));
}

/** Bodies in which each object at any depth has one more, hostile, name. */
export function bodiesWithKey(good: unknown, json: string): { readonly field: string; readonly body: string }[] {
	return keyedBodies(good, '').map(({ field, body }) => ({
		field,
		body: JSON.stringify(body).replace(JSON.stringify(marker), () => json),
	}));
}

const marker = 'HOSTILE';

function markedBodies(value: unknown, at: string): { field: string; body: unknown }[] {
	if (Array.isArray(value)) return markedBodies(value[0], at).map(({ field, body }) => ({ field, body: [body] }));
	if (typeof value !== 'object' || value === null) return [{ field: at, body: marker }];
	return Object.entries(value).flatMap(([key, item]) => {
		const path = at === '' ? key : `${at}.${key}`;
		const inside =
			typeof item === 'object' ? [{ field: path, body: marker }, ...markedBodies(item, path)] : [{ field: path, body: marker }];
		return inside.map(({ field, body }) => ({ field, body: { ...value, [key]: body } }));
	});
}

function inList(good: unknown, body: unknown): unknown {
	return Array.isArray(good) ? [body] : body;
}

function keyedBodies(value: unknown, at: string): { field: string; body: unknown }[] {
	if (Array.isArray(value)) return keyedBodies(value[0], at).map(({ field, body }) => ({ field, body: [body] }));
	if (typeof value !== 'object' || value === null) return [];
	const inside = Object.entries(value).flatMap(([key, item]) =>
		keyedBodies(item, at === '' ? key : `${at}.${key}`).map(({ field, body }) => ({ field, body: { ...value, [key]: body } })),
	);
	return [{ field: at, body: { ...value, [marker]: { polluted: true } } }, ...inside];
}
