import type { HttpMethod } from './checked-http-client.ts';
import { tenant } from './http-fixture.ts';

/** People of the tenant beside its administrator: with a predefined role, without any, with all inventory roles for a group. */
export type Person = 'operator' | 'reader' | 'nobody' | 'manager' | 'foreignManager';

/**
 * Who may do what, as statuses. The device is the one that the object belongs to, the foreign one is another of its tenant.
 * What a role may is written here a second time, and not read from the service.
 */
export interface RouteRow extends Partial<Record<Person, number>> {
	readonly method: HttpMethod;
	/**
	 * `{object}`, `{operation}`, `{event}`, `{binary}`, `{certificate}` and `{serial}` are of the device, `{child}` is below it in every kind; each call finds
	 * them as new.
	 */
	readonly url: string;
	/** Of people, who is answered as the administrator is, unless there is a status; all others 403. Nobody when absent. */
	readonly may?: readonly Person[];
	readonly body?: unknown;
	/** The file of a form. */
	readonly form?: string;
	readonly admin: number;
	readonly device: number;
	readonly foreignDevice: number;
	/** A device below the device, with a user of its own; else as `foreignDevice`. */
	readonly childDevice?: number;
	/** The administrator of another tenant. */
	readonly otherAdmin: number;
	/** A device of another tenant; else as its administrator where devices may come in. */
	readonly otherDevice?: number;
	/** The user by which devices ask for their credentials; else 403. */
	readonly bootstrap?: number;
	/** The administrator of the tenant that looks after the others; else as `otherAdmin`. */
	readonly management?: number;
}

const asm = '/service/advanced-software-mgmt';
const software = `${asm}/software?deviceId={object}`;
const everybody = { admin: 200, device: 200, foreignDevice: 200, otherAdmin: 200 };
const own = { admin: 200, device: 200, foreignDevice: 403, otherAdmin: 404 };
const usersOnly = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 404 };
/** Of users and groups: their tenant is named in the path. */
const ownTenant = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 403 };
/** Of everybody's own, which the tenant that looks after the others has as well. */
const people = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 200 };
const managementOnly = { admin: 403, device: 403, foreignDevice: 403, otherAdmin: 403, management: 200 };
const users = `/user/${tenant}/users`;
const groups = `/user/${tenant}/groups`;
const role = { role: { id: 'ROLE_AUDIT_READ' } };
/** Of the own tenant, and for its administrator. */
const trusted = '/tenant/tenants/t1/trusted-certificates';
const trustedOnly = { admin: 200, device: 403, foreignDevice: 403, otherAdmin: 403 };
const newEvent = { source: { id: '{object}' }, type: 't', time: '2026-11-22', text: 'x' };
const packages = [{ name: 'a', version: '1' }];

const managers: readonly Person[] = ['manager'];
const operators: readonly Person[] = ['operator', 'manager'];
const readers: readonly Person[] = ['operator', 'reader', 'manager'];
/** Of lists, which show each one what it may see. */
const listers: readonly Person[] = ['operator', 'reader', 'manager', 'foreignManager'];
/** Of what inventory roles say nothing about. */
const globalReaders: readonly Person[] = ['operator', 'reader'];
const everyone: readonly Person[] = ['operator', 'reader', 'nobody', 'manager', 'foreignManager'];

/** THE table of who may what over HTTP. */
export const routeRows: readonly RouteRow[] = [
	{ method: 'get', url: software, may: readers, ...own },
	{ method: 'post', url: software, may: managers, body: packages, ...own, admin: 201, device: 201 },
	{ method: 'put', url: software, may: managers, body: packages, ...own },
	{ method: 'delete', url: software, may: managers, body: packages, ...own, admin: 204, device: 204 },
	{
		method: 'post',
		url: `${asm}/software/changes?deviceId={object}`,
		may: operators,
		body: [{ name: 'a', version: '1', action: 'install' }],
		...own,
		admin: 201,
		device: 201,
	},
	{ method: 'get', url: `${asm}/devices?software=a`, may: listers, ...everybody },
	{ method: 'get', url: `${asm}/versions?name=a`, may: listers, ...everybody },
	{ method: 'post', url: '/inventory/managedObjects', body: {}, admin: 201, device: 201, foreignDevice: 201, otherAdmin: 201 },
	{ method: 'get', url: '/inventory/managedObjects', may: listers, ...everybody },
	{ method: 'get', url: '/inventory/managedObjects/count', may: listers, ...everybody },
	{ method: 'get', url: '/inventory/managedObjects/{object}', may: readers, ...own },
	{ method: 'put', url: '/inventory/managedObjects/{object}', may: managers, body: { a: 1 }, ...own },
	{ method: 'delete', url: '/inventory/managedObjects/{object}', may: managers, ...own, admin: 204, device: 204 },
	{ method: 'get', url: '/inventory/managedObjects/{object}/supportedMeasurements', may: readers, ...own },
	{ method: 'get', url: '/inventory/managedObjects/{object}/supportedSeries', may: readers, ...own },
	{ method: 'get', url: '/inventory/managedObjects/{object}/availability', may: readers, ...own },
	...['childDevices', 'childAssets', 'childAdditions'].flatMap((kind): RouteRow[] => {
		const url = `/inventory/managedObjects/{object}/${kind}`;
		const reference = { managedObject: { id: '{child}' } };
		return [
			{ method: 'get', url, may: readers, ...own },
			{ method: 'post', url, may: managers, body: { name: 'new' }, ...own, admin: 201, device: 201 },
			{ method: 'post', url, may: managers, body: reference, ...own, admin: 201, device: 201 },
			{ method: 'post', url, may: managers, body: { references: [reference] }, ...own, admin: 201, device: 201 },
			{
				method: 'post',
				url,
				may: managers,
				body: { managedObject: { id: '{foreign}' } },
				...own,
				admin: 201,
				device: 403,
				otherDevice: 404,
			},
			{ method: 'get', url: `${url}/{child}`, may: readers, ...own },
			{ method: 'delete', url: `${url}/{child}`, may: managers, ...own, admin: 204, device: 204 },
		];
	}),
	{
		method: 'post',
		url: '/identity/globalIds/{object}/externalIds',
		may: managers,
		body: { type: 'x', externalId: 'y' },
		...own,
		admin: 201,
		device: 201,
	},
	{ method: 'get', url: '/identity/globalIds/{object}/externalIds', may: readers, ...own },
	{ method: 'get', url: '/identity/externalIds/c8y_Serial/dev1', may: readers, ...own },
	// Its own serial is what a device is found by when it is removed.
	{
		method: 'delete',
		url: '/identity/externalIds/c8y_Serial/dev1',
		may: managers,
		...own,
		admin: 204,
		device: 403,
		otherDevice: 404,
	},
	{
		method: 'post',
		url: '/devicecontrol/operations',
		may: operators,
		body: { deviceId: '{object}', c8y_Restart: {} },
		...own,
		admin: 201,
		device: 201,
	},
	{ method: 'get', url: '/devicecontrol/operations', may: listers, ...everybody },
	{
		method: 'get',
		url: '/devicecontrol/operations?agentId={object}',
		may: listers,
		...everybody,
		foreignDevice: 403,
		otherDevice: 403,
	},
	{
		method: 'delete',
		url: '/devicecontrol/operations?agentId={object}',
		may: operators,
		admin: 204,
		device: 204,
		foreignDevice: 403,
		foreignManager: 204,
		otherAdmin: 204,
		otherDevice: 403,
	},
	{ method: 'get', url: '/devicecontrol/operations/{operation}', may: readers, ...own },
	{ method: 'put', url: '/devicecontrol/operations/{operation}', may: operators, body: { status: 'EXECUTING' }, ...own },
	{
		method: 'post',
		url: '/event/events',
		may: managers,
		body: newEvent,
		...own,
		admin: 201,
		device: 201,
		// The path itself is there; the object is not.
		otherAdmin: 422,
	},
	{ method: 'get', url: '/event/events', may: listers, ...everybody },
	{
		method: 'get',
		url: '/event/events?source={object}',
		may: readers,
		...own,
		otherAdmin: 200,
		otherDevice: 404,
	},
	{
		method: 'delete',
		url: '/event/events?source={object}',
		may: managers,
		admin: 204,
		device: 403,
		foreignDevice: 403,
		otherAdmin: 204,
	},
	{ method: 'get', url: '/event/events/{event}', may: readers, ...own },
	{ method: 'delete', url: '/event/events/{event}', may: managers, ...usersOnly, admin: 204 },
	{ method: 'post', url: '/event/events/{event}/binaries', may: managers, form: 'log', ...own, admin: 201, device: 201 },
	{ method: 'get', url: '/event/events/{eventWithFile}/binaries', may: readers, ...own },
	{ method: 'delete', url: '/event/events/{eventWithFile}/binaries', may: managers, ...usersOnly, admin: 204 },
	{ method: 'post', url: '/devicecontrol/newDeviceRequests', body: { id: 'new' }, ...usersOnly, admin: 201, otherAdmin: 201 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests/expected', ...usersOnly },
	{ method: 'put', url: '/devicecontrol/newDeviceRequests/expected', body: { status: 'ACCEPTED' }, ...usersOnly },
	{ method: 'delete', url: '/devicecontrol/newDeviceRequests/expected', ...usersOnly, admin: 204 },
	{ method: 'get', url: '/devicecontrol/newDeviceRequests/limit', ...usersOnly, otherAdmin: 200 },
	{ method: 'post', url: '/devicecontrol/newDeviceRequests/acceptAll', ...usersOnly, otherAdmin: 200 },
	{ method: 'put', url: '/devicecontrol/newDeviceRequests/acceptAll', ...usersOnly, otherAdmin: 200 },
	{
		method: 'post',
		url: '/devicecontrol/deviceCredentials',
		body: { id: 'expected' },
		admin: 403,
		device: 403,
		foreignDevice: 403,
		otherAdmin: 403,
		bootstrap: 404,
	},
	{ method: 'get', url: '/audit/auditRecords', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/audit/auditRecords/export', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/audit/auditRecords/{record}', ...usersOnly },
	{
		method: 'post',
		url: '/audit/auditRecords',
		body: { type: 'Inventory', time: '2026-11-22', activity: 'a', text: 'b', source: { id: '{object}' } },
		...usersOnly,
		admin: 201,
		otherAdmin: 201,
	},
	{ method: 'get', url: '/tenant/currentTenant', may: everyone, ...everybody },
	{ method: 'get', url: trusted, ...trustedOnly },
	{ method: 'post', url: trusted, body: { certInPemFormat: 'x' }, ...trustedOnly, admin: 422 },
	{ method: 'post', url: `${trusted}/bulk`, body: { certificates: [{ certInPemFormat: 'x' }] }, ...trustedOnly, admin: 422 },
	{ method: 'get', url: `${trusted}/{certificate}`, ...trustedOnly },
	{ method: 'put', url: `${trusted}/{certificate}`, body: { status: 'DISABLED' }, ...trustedOnly },
	{ method: 'delete', url: `${trusted}/{certificate}`, ...trustedOnly, admin: 204 },
	{ method: 'put', url: `${trusted}/{certificate}/crl`, body: 'no list', ...trustedOnly, admin: 422 },
	{ method: 'get', url: `${trusted}/{certificate}/crl`, ...trustedOnly, admin: 404 },
	{ method: 'post', url: `${trusted}-pop/{certificate}/verification-code`, ...trustedOnly },
	{
		method: 'post',
		url: `${trusted}-pop/{certificate}/pop`,
		body: { proofOfPossessionSignedVerificationCode: 'x' },
		...trustedOnly,
		admin: 422,
	},
	// Only for the management tenant.
	{ method: 'post', url: `${trusted}-pop/{certificate}/confirmed`, ...trustedOnly, admin: 403, management: 200 },
	{ method: 'post', url: '/certificate-authority', ...usersOnly, admin: 409, otherAdmin: 409, management: 201 },
	{ method: 'post', url: '/certificate-authority/renew', ...usersOnly, admin: 201, otherAdmin: 201 },
	{ method: 'get', url: '/certificate-authority/certificates', ...usersOnly, otherAdmin: 200 },
	{ method: 'get', url: '/certificate-authority/certificates/{issued}', ...usersOnly },
	{ method: 'put', url: '/certificate-authority/certificates/{issued}', body: { status: 'REVOKED' }, ...usersOnly },
	{ method: 'get', url: '/.well-known/est/cacerts', may: everyone, ...everybody },
	// Only for devices; what they send is no request.
	{
		method: 'post',
		url: '/.well-known/est/simplereenroll',
		body: 'x',
		admin: 403,
		device: 422,
		foreignDevice: 422,
		otherAdmin: 403,
		otherDevice: 422,
	},
	{
		method: 'post',
		url: '/devicecontrol/bulkNewDeviceRequests',
		form: 'ID,AUTH_TYPE\n',
		...usersOnly,
		admin: 201,
		otherAdmin: 201,
	},
	// Only with a client certificate.
	{ method: 'post', url: '/devicecontrol/deviceAccessToken', ...trustedOnly, admin: 403 },
	{ method: 'post', url: '/inventory/binaries', form: 'new', admin: 201, device: 201, foreignDevice: 201, otherAdmin: 201 },
	{ method: 'get', url: '/inventory/binaries', may: listers, ...everybody },
	{ method: 'get', url: '/inventory/binaries/{binary}', may: readers, ...own },
	{ method: 'put', url: '/inventory/binaries/{binary}', may: managers, body: 'other', ...own, admin: 201, device: 201 },
	{ method: 'delete', url: '/inventory/binaries/{binary}', may: managers, ...own, admin: 204, device: 204 },
	{ method: 'get', url: '/user/currentUser', may: everyone, ...everybody },
	{ method: 'put', url: '/user/currentUser', may: everyone, body: { phone: '1' }, ...people },
	{ method: 'get', url: users, ...ownTenant },
	{ method: 'post', url: users, body: { userName: 'made', password: 'long-enough-secret' }, ...ownTenant, admin: 201 },
	{ method: 'get', url: `${users}/member`, ...ownTenant },
	{ method: 'put', url: `${users}/member`, body: { email: 'a@b.c' }, ...ownTenant },
	{ method: 'delete', url: `${users}/member`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `/user/${tenant}/userByName/member`, ...ownTenant },
	{ method: 'get', url: `${users}/member/effectiveRoles`, ...ownTenant },
	{ method: 'get', url: groups, ...ownTenant },
	{ method: 'post', url: groups, body: { name: 'made' }, ...ownTenant, admin: 201 },
	{ method: 'get', url: `${groups}/{group}`, ...ownTenant },
	{ method: 'put', url: `${groups}/{group}`, body: { description: 'd' }, ...ownTenant },
	{ method: 'delete', url: `${groups}/{group}`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `/user/${tenant}/groupByName/readers`, ...ownTenant },
	{ method: 'get', url: `${groups}/{group}/users`, ...ownTenant },
	{ method: 'post', url: `${groups}/{group}/users`, body: { user: { id: 'member' } }, ...ownTenant, admin: 201 },
	{ method: 'delete', url: `${groups}/4/users/member`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `${groups}/{group}/roles`, ...ownTenant },
	{ method: 'post', url: `${groups}/{group}/roles`, body: role, ...ownTenant, admin: 201 },
	{ method: 'delete', url: `${groups}/{group}/roles/ROLE_AUDIT_READ`, ...ownTenant, admin: 204 },
	{ method: 'get', url: '/user/roles', ...people },
	{ method: 'get', url: '/user/roles/ROLE_AUDIT_READ', ...people },
	{ method: 'get', url: '/user/inventoryroles', ...people },
	{ method: 'get', url: '/user/inventoryroles/1', ...people },
	{ method: 'get', url: `${users}/member/groups`, ...ownTenant },
	{ method: 'get', url: `${users}/member/roles/inventory`, ...ownTenant },
	{
		method: 'post',
		url: `${users}/member/roles/inventory`,
		body: { managedObject: '{object}', roles: [{ id: 1 }] },
		...ownTenant,
		admin: 201,
	},
	{ method: 'get', url: `${users}/member/roles/inventory/{devices}`, ...ownTenant },
	{ method: 'put', url: `${users}/member/roles/inventory/{devices}`, body: { roles: [{ id: 2 }] }, ...ownTenant },
	{ method: 'delete', url: `${users}/member/roles/inventory/{devices}`, ...ownTenant, admin: 204 },
	{ method: 'get', url: `${users}/member/roles`, ...ownTenant },
	{ method: 'post', url: `${users}/member/roles`, body: role, ...ownTenant, admin: 201 },
	{ method: 'delete', url: `${users}/member/roles/ROLE_AUDIT_READ`, ...ownTenant, admin: 204 },
	{ method: 'get', url: '/tenant/tenants', ...managementOnly },
	{
		method: 'post',
		url: '/tenant/tenants',
		body: { id: '{newTenant}', adminName: 'a', adminPass: 'long-enough-secret' },
		...managementOnly,
		management: 201,
	},
	{ method: 'get', url: '/tenant/tenants/t2', ...managementOnly },
	{ method: 'put', url: '/tenant/tenants/t2', body: { company: 'c' }, ...managementOnly },
	{ method: 'delete', url: '/tenant/tenants/gone', ...managementOnly, management: 204 },
	{ method: 'get', url: '/tenant/system/options', may: everyone, ...everybody },
	{ method: 'get', url: '/tenant/system/options/system/version', may: everyone, ...everybody },
	{ method: 'get', url: '/tenant/options', may: globalReaders, ...people },
	{ method: 'post', url: '/tenant/options', body: { category: 'c', key: 'k', value: 'v' }, ...people },
	{ method: 'get', url: '/tenant/options/c', may: globalReaders, ...people },
	{ method: 'put', url: '/tenant/options/c', body: { k: 'v' }, ...people },
	{ method: 'get', url: '/tenant/options/own/k', may: globalReaders, ...people, otherAdmin: 404 },
	{ method: 'put', url: '/tenant/options/c/k', body: { value: 'v' }, ...people },
	{ method: 'delete', url: '/tenant/options/own/k', ...people, admin: 204, otherAdmin: 404 },
	{ method: 'get', url: '/application/applications', may: globalReaders, ...people },
	{ method: 'get', url: '/application/applications/1', may: globalReaders, ...people },
	{ method: 'get', url: '/application/applicationsByName/advanced-software-mgmt', may: globalReaders, ...people },
	{ method: 'get', url: '/application/applicationsByUser/admin', may: globalReaders, ...people },
	{ method: 'get', url: '/application/currentApplication', may: globalReaders, ...people },
	{ method: 'get', url: '/application/currentApplication/subscriptions', may: globalReaders, ...people },
	{ method: 'post', url: '/user/logout', may: everyone, body: {}, ...everybody },
	{ method: 'post', url: `/user/logout/${tenant}/allUsers`, body: {}, ...ownTenant },
	{
		method: 'put',
		url: '/user/currentUser/password',
		may: everyone,
		body: {},
		...people,
		admin: 422,
		otherAdmin: 422,
	},
];

/** What answers without credentials, and what it answers to a call without a body. */
export const openRoutes: readonly (readonly [method: HttpMethod, path: string, status: number])[] = [
	// A browser is sent on; there is nothing for others.
	['get', '/', 404],
	['get', '/health', 200],
	['get', '/ready', 200],
	['get', '/metrics', 200],
	['get', '/service/advanced-software-mgmt/openapi.json', 200],
	['get', '/service/advanced-software-mgmt/docs', 200],
	['get', '/service/advanced-software-mgmt/docs/swagger-ui-bundle.js', 200],
	['get', '/service/advanced-software-mgmt/docs/swagger-ui.css', 200],
	['get', '/service/advanced-software-mgmt/docs/start.js', 200],
	['get', '/tenant/loginOptions', 200],
	['get', '/.well-known/jwks.json', 200],
	// To no provider in particular: there is none in this tenant.
	['get', '/tenant/oauth', 404],
	['post', '/tenant/oauth', 415],
	['post', '/tenant/oauth/token', 415],
	// Asks for a one-time password itself.
	['post', '/.well-known/est/simpleenroll', 401],
];
