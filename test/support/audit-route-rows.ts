import { sign } from 'node:crypto';
import type { Response } from 'supertest';
import { createRequest, createRevocationList, type TestCertificate } from './certificate-chain.ts';
import { basic, type CallOptions } from './checked-http-client.ts';
import { type Caller, type HttpFixture, tenant } from './http-fixture.ts';
import { fileForm } from './multipart.ts';

/** A route that changes something, and what its call leaves on record; rows are called in this order, in one service. */
export interface AuditRow {
	/** Method and path as the route has them; braces stand for what an earlier row has kept, or the row says itself. */
	readonly call: string;
	readonly url?: string;
	readonly by?: Caller;
	/** Who it is on record as; else the caller, by its name in its tenant. */
	readonly user?: string;
	readonly send?: (kept: Kept) => CallOptions | Promise<CallOptions>;
	readonly keep?: (body: Response['body'], kept: Record<string, string>) => void;
	/** What is on record, in any order, with one of the changed fields: `activity: field`. */
	readonly records: readonly string[];
	/** Why there is nothing on record. */
	readonly none?: string;
}
export type Kept = Record<string, string>;

export const password = 'long-enough-secret';
const json = (body: unknown) => () => ({ body });
export const form = (user: string, pass: string) => () => ({
	text: new URLSearchParams({ grant_type: 'PASSWORD', username: user, password: pass }).toString(),
	type: 'application/x-www-form-urlencoded',
});
const asm = '/service/advanced-software-mgmt';
const object = '/inventory/managedObjects/{id}';
const users = '/user/{tenant}/users';
const groups = '/user/{tenant}/groups';
const trusted = '/tenant/tenants/{tenantId}/trusted-certificates';
const keepId = (name: string) => (body: Response['body'], kept: Record<string, string>) => {
	kept[name] = String(body.id);
};

const event = '/event/events/{id}';
const newEvent: AuditRow = {
	call: 'POST /event/events',
	send: ({ id }) => ({ body: { source: { id }, type: 't', time: '2026-11-22', text: 'x' } }),
	keep: keepId('event'),
	records: [],
	none: 'an event is what a device tells, and no change that anybody makes',
};

/** The rows, called in this order, in one service. */
export function auditRows(fixture: () => HttpFixture, authority: () => TestCertificate): readonly AuditRow[] {
	return [
		{
			call: 'POST /inventory/managedObjects',
			send: json({ name: 'pump', c8y_IsDevice: {}, com_cumulocity_model_Agent: {}, c8y_SupportedOperations: ['c8y_Restart'] }),
			keep: keepId('id'),
			records: ['Managed object created: name'],
		},
		{ call: `PUT ${object}`, send: json({ name: 'pump 2' }), records: ['Managed object changed: name'] },
		{
			call: 'POST /identity/globalIds/{id}/externalIds',
			send: json({ type: 'c8y_Serial', externalId: 'pump-1' }),
			records: ['External id created: externalId'],
		},
		{
			call: 'DELETE /identity/externalIds/{type}/{externalId}',
			url: '/identity/externalIds/c8y_Serial/pump-1',
			records: ['External id removed: externalId'],
		},
		{
			call: `POST ${asm}/software`,
			url: `${asm}/software?deviceId={id}`,
			send: json([{ name: 'a', version: '1' }]),
			records: ['Installed software changed: 1 added', 'Managed object changed: software.mode'],
		},
		{
			call: `PUT ${asm}/software`,
			url: `${asm}/software?deviceId={id}`,
			send: json([{ name: 'b', version: '1' }]),
			records: ['Installed software changed: 1 added'],
		},
		{
			call: `DELETE ${asm}/software`,
			url: `${asm}/software?deviceId={id}`,
			send: json([{ name: 'b', version: '1' }]),
			records: ['Installed software changed: 1 removed'],
		},
		{
			call: `PUT ${object}`,
			send: json({ c8y_SupportedOperations: ['c8y_Restart', 'c8y_SoftwareUpdate'] }),
			records: ['Managed object changed: c8y_SupportedOperations'],
		},
		{
			call: `POST ${asm}/software/changes`,
			url: `${asm}/software/changes?deviceId={id}`,
			send: json([{ name: 'a', version: '1', action: 'install' }]),
			records: ['Operation created: c8y_SoftwareUpdate'],
		},
		{
			call: 'POST /devicecontrol/operations',
			send: ({ id }) => ({ body: { deviceId: id, c8y_Restart: {} } }),
			keep: keepId('operation'),
			records: ['Operation created: c8y_Restart'],
		},
		{
			call: 'PUT /devicecontrol/operations/{id}',
			url: '/devicecontrol/operations/{operation}',
			send: json({ status: 'FAILED', failureReason: 'Cancelled' }),
			records: ['Operation changed: status'],
		},
		{
			call: 'DELETE /devicecontrol/operations',
			url: '/devicecontrol/operations?deviceId={id}',
			records: ['Operation removed: status', 'Operation removed: status'],
		},
		newEvent,
		{
			...newEvent,
			call: `POST ${event}/binaries`,
			url: '/event/events/{event}/binaries',
			send: () => fileForm('log'),
			keep: () => {},
		},
		{ call: `DELETE ${event}/binaries`, url: '/event/events/{event}/binaries', records: ['File of an event removed'] },
		{ call: `DELETE ${event}`, url: '/event/events/{event}', records: ['Event removed'] },
		newEvent,
		{ call: 'DELETE /event/events', url: '/event/events?source={id}', records: ['Events removed'] },
		...['childDevices', 'childAssets', 'childAdditions'].flatMap((kind): AuditRow[] => [
			{
				call: `POST ${object}/${kind}`,
				send: json({ name: kind }),
				keep: (body, all) => {
					all.childId = body.id ?? body.managedObject.id;
				},
				records: ['Managed object created: parents'],
			},
			{ call: `DELETE ${object}/${kind}/{childId}`, records: ['Managed object changed: parents'] },
		]),
		{
			call: 'POST /inventory/binaries',
			send: () => fileForm('bytes', { name: 'tool.deb', type: 'application/x-deb' }),
			keep: keepId('binary'),
			records: ['Managed object created: binary'],
		},
		{
			call: 'PUT /inventory/binaries/{id}',
			url: '/inventory/binaries/{binary}',
			send: () => ({ text: 'other bytes', type: 'application/octet-stream' }),
			records: ['Managed object changed: binary'],
		},
		{
			call: 'DELETE /inventory/binaries/{id}',
			url: '/inventory/binaries/{binary}',
			records: ['Managed object changed: removing', 'Managed object removed: binary'],
		},
		{ call: `DELETE ${object}`, records: ['Managed object changed: removing', 'Managed object removed: name'] },
		{
			call: 'POST /devicecontrol/newDeviceRequests',
			send: json({ id: 'expected' }),
			records: ['Device registration created: status'],
		},
		{
			call: 'POST /devicecontrol/deviceCredentials',
			by: 'bootstrap',
			url: '/devicecontrol/deviceCredentials#404',
			send: json({ id: 'expected' }),
			user: 'management/devicebootstrap',
			records: ['Device registration changed: status'],
		},
		{
			call: 'PUT /devicecontrol/newDeviceRequests/{id}',
			url: '/devicecontrol/newDeviceRequests/expected',
			send: json({ status: 'ACCEPTED' }),
			records: ['Device registration changed: status'],
		},
		{
			call: 'DELETE /devicecontrol/newDeviceRequests/{id}',
			url: '/devicecontrol/newDeviceRequests/expected',
			records: ['Device registration removed: status'],
		},
		...(['POST', 'PUT'] as const).flatMap((method): AuditRow[] => [
			{
				call: 'POST /devicecontrol/newDeviceRequests',
				send: json({ id: `expected-${method}` }),
				records: ['Device registration created: status'],
			},
			{
				call: 'POST /devicecontrol/deviceCredentials',
				by: 'bootstrap',
				url: '/devicecontrol/deviceCredentials#404',
				send: json({ id: `expected-${method}` }),
				user: 'management/devicebootstrap',
				records: ['Device registration changed: status'],
			},
			{
				call: `${method} /devicecontrol/newDeviceRequests/acceptAll`,
				records: ['Device registration changed: status'],
			},
		]),
		{
			call: 'POST /certificate-authority',
			records: ['Certificate authority created: fingerprint', 'Trusted certificate created: status'],
		},
		{
			call: 'POST /certificate-authority/renew',
			records: ['Certificate authority changed: fingerprint', 'Trusted certificate created: status'],
		},
		{
			call: 'POST /devicecontrol/bulkNewDeviceRequests',
			send: () => fileForm(`ID,AUTH_TYPE,ENROLLMENT_OTP\nenrolled,CERTIFICATES,${password}\n`),
			records: [
				'Device registration created: oneTimePasswordHash',
				'External id created: externalId',
				'Managed object created: owner',
			],
		},
		{
			call: 'POST /.well-known/est/simpleenroll',
			user: 'device_enrolled',
			send: async () => ({
				text: (await createRequest('enrolled')).toString('base64'),
				type: 'application/pkcs10',
				headers: { Authorization: basic(`enrolled:${password}`) },
			}),
			records: ['Device certificate created: notAfter', 'Device registration removed: oneTimePasswordHash', 'User created: role'],
		},
		{
			call: 'POST /.well-known/est/simplereenroll',
			by: 'device',
			send: async () => ({ text: (await createRequest('dev1')).toString('base64'), type: 'application/pkcs10' }),
			records: ['Device certificate created: notAfter'],
		},
		{
			call: 'PUT /certificate-authority/certificates/{serialNumber}',
			send: async (all) => {
				const { body } = await fixture().call('admin', 'get', '/certificate-authority/certificates');
				all.serialNumber = body.certificates[0].serialNumber;
				return { body: { status: 'REVOKED' } };
			},
			records: ['Device certificate changed: status', 'User changed: sessionsId'],
		},
		{
			call: `POST ${trusted}`,
			send: () => ({ body: { name: 'a', certInPemFormat: authority().pem, status: 'ENABLED' } }),
			keep: (body, all) => {
				all.fingerprint = body.fingerprint;
			},
			records: ['Trusted certificate created: status'],
		},
		{
			call: `PUT ${trusted}/{fingerprint}`,
			send: json({ status: 'DISABLED' }),
			records: ['Trusted certificate changed: status'],
		},
		{
			call: `PUT ${trusted}/{fingerprint}/crl`,
			send: async () => ({
				text: await createRevocationList(authority(), ['0a'], { now: fixture().time }),
				type: 'application/pkix-crl',
			}),
			records: ['Revocation list created: entries'],
		},
		{
			call: `POST ${trusted}-pop/{fingerprint}/verification-code`,
			keep: (body, all) => {
				all.code = body.proofOfPossessionUnsignedVerificationCode;
			},
			records: ['Trusted certificate changed: verificationCode'],
		},
		{
			call: `POST ${trusted}-pop/{fingerprint}/pop`,
			send: ({ code = '' }) => ({
				body: {
					proofOfPossessionSignedVerificationCode: sign('sha256', Buffer.from(code), authority().keyPem).toString('base64'),
				},
			}),
			records: ['Trusted certificate changed: isProven'],
		},
		{
			call: `DELETE ${trusted}/{fingerprint}`,
			records: ['Revocation list removed: entries', 'Trusted certificate removed: status'],
		},
		{
			call: `POST ${trusted}/bulk`,
			send: () => ({ body: { certificates: [{ name: 'again', certInPemFormat: authority().pem, status: 'ENABLED' }] } }),
			records: ['Trusted certificate created: status'],
		},
		{
			call: `POST ${trusted}-pop/{fingerprint}/confirmed`,
			by: 'management',
			user: 'management/admin',
			records: ['Trusted certificate changed: isProven'],
		},
		{
			call: `POST ${users}`,
			send: json({ userName: 'anna', password }),
			records: ['User created: passwordHash'],
		},
		{ call: `PUT ${users}/{id}`, url: `${users}/anna`, send: json({ email: 'a@b.c' }), records: ['User changed: email'] },
		{
			call: `PUT ${users}/{id}`,
			url: `${users}/anna`,
			send: json({ password: 'another-long-secret' }),
			records: ['User changed: passwordHash'],
		},
		{ call: `POST ${groups}`, send: json({ name: 'testers' }), keep: keepId('group'), records: ['Global role created: name'] },
		{
			call: `PUT ${groups}/{id}`,
			url: `${groups}/{group}`,
			send: json({ description: 'd' }),
			records: ['Global role changed: description'],
		},
		{
			call: `POST ${groups}/{id}/roles`,
			url: `${groups}/{group}/roles`,
			send: json({ role: { id: 'ROLE_AUDIT_READ' } }),
			records: ['Global role changed: roles'],
		},
		{
			call: `DELETE ${groups}/{id}/roles/{role}`,
			url: `${groups}/{group}/roles/ROLE_AUDIT_READ`,
			records: ['Global role changed: roles'],
		},
		{
			call: `POST ${groups}/{id}/users`,
			url: `${groups}/{group}/users`,
			send: json({ user: { id: 'anna' } }),
			records: ['User changed: globalRoles'],
		},
		{
			call: `DELETE ${groups}/{id}/users/{userId}`,
			url: `${groups}/{group}/users/anna`,
			records: ['User changed: globalRoles'],
		},
		{ call: `DELETE ${groups}/{id}`, url: `${groups}/{group}`, records: ['Global role removed: name'] },
		{
			call: `POST ${users}/{id}/roles`,
			url: `${users}/anna/roles`,
			send: json({ role: { id: 'ROLE_AUDIT_READ' } }),
			records: ['User changed: grants'],
		},
		{
			call: `DELETE ${users}/{id}/roles/{role}`,
			url: `${users}/anna/roles/ROLE_AUDIT_READ`,
			records: ['User changed: grants'],
		},
		{
			call: 'POST /inventory/managedObjects',
			send: json({ name: 'line', c8y_IsDeviceGroup: {} }),
			keep: keepId('line'),
			records: ['Managed object created: name'],
		},
		{
			call: `POST ${users}/{id}/roles/inventory`,
			url: `${users}/anna/roles/inventory`,
			send: ({ line }) => ({ body: { managedObject: line, roles: [{ id: 1 }] } }),
			records: ['User changed: inventory'],
		},
		{
			call: `PUT ${users}/{id}/roles/inventory/{group}`,
			url: `${users}/anna/roles/inventory/{line}`,
			send: json({ roles: [{ id: 2 }] }),
			records: ['User changed: inventory'],
		},
		{
			call: `DELETE ${users}/{id}/roles/inventory/{group}`,
			url: `${users}/anna/roles/inventory/{line}`,
			records: ['User changed: inventory'],
		},
		{ call: `DELETE ${users}/{id}`, url: `${users}/anna`, records: ['User removed: userName'] },
		{ call: 'PUT /user/currentUser', send: json({ phone: '1' }), records: ['User changed: phone'] },
		{
			call: 'PUT /user/currentUser/password',
			by: 'reader',
			send: json({ currentUserPassword: 'reader-password', newPassword: password }),
			records: ['User changed: passwordHash'],
		},
		{
			call: 'POST /tenant/tenants',
			by: 'management',
			send: json({ id: 'made', adminName: 'boss', adminPass: password }),
			user: 'admin',
			records: ['Tenant created: status'],
		},
		{
			call: 'PUT /tenant/tenants/{id}',
			url: '/tenant/tenants/made',
			by: 'management',
			send: json({ status: 'SUSPENDED' }),
			records: ['Tenant changed: status'],
		},
		{
			call: 'DELETE /tenant/tenants/{id}',
			url: '/tenant/tenants/made',
			by: 'management',
			records: ['Tenant changed: status'],
		},
		{
			call: 'POST /tenant/options',
			send: json({ category: 'c', key: 'k', value: 'v' }),
			records: ['Tenant option created: value'],
		},
		{
			call: 'PUT /tenant/options/{category}',
			url: '/tenant/options/c',
			send: json({ k: 'w' }),
			records: ['Tenant option changed: value'],
		},
		{
			call: 'PUT /tenant/options/{category}/{key}',
			url: '/tenant/options/c/k',
			send: json({ value: 'x' }),
			records: ['Tenant option changed: value'],
		},
		{
			call: 'DELETE /tenant/options/{category}/{key}',
			url: '/tenant/options/c/k',
			records: ['Tenant option removed: value'],
		},
		{
			call: 'POST /tenant/oauth/token',
			send: form(`${tenant}/admin`, 'admin-password'),
			keep: (body, all) => {
				all.token = body.access_token;
			},
			records: ['logged in'],
		},
		{ call: 'POST /tenant/oauth', send: form(`${tenant}/admin`, 'admin-password'), records: ['logged in'] },
		{
			call: 'POST /user/logout',
			send: ({ token }) => ({ body: {}, headers: { Authorization: `Bearer ${token}` } }),
			records: ['logged out'],
		},
		{
			call: 'POST /user/logout/{tenant}/allUsers',
			send: json({}),
			records: ['logged everybody out'],
		},
		{
			call: 'POST /audit/auditRecords',
			send: json({ type: 'Alarm', time: '2026-11-22', activity: 'Cleared', text: 'b', source: { id: '1' } }),
			records: ['Cleared'],
		},
		{ call: 'GET /audit/auditRecords/export', records: ['Audit records exported'] },
		{
			call: 'POST /devicecontrol/deviceAccessToken',
			url: '/devicecontrol/deviceAccessToken#403',
			by: 'device',
			records: [],
			none: 'a device with a certificate gets a token every hour, as it does over MQTT (s/uat): nothing changes, and what it does with it is on record',
		},
	];
}
