import type { IClientOptions } from 'mqtt';
import { createAuthority, createCertificate, type TestCertificate } from './certificate-chain.ts';
import type { FakeDevice } from './fake-device.ts';
import { createHttpClient } from './http-client.ts';
import { adminPassword, bootstrap, management, type ServiceUnderTest } from './service-fixture.ts';
import type { KnownLogins } from './topic-rows.ts';

/** A client of the broker, and what has arrived at it. */
export interface TopicClient {
	readonly who: string;
	readonly device: FakeDevice;
	readonly serial: string;
	/** A device, or its child, that is another's: of the same tenant, or of none where `isElsewhere`. */
	readonly other: string;
	readonly isBootstrap: boolean;
	readonly isElsewhere: boolean;
	/** All messages that have arrived since this was asked for last, once everything sent so far has been handled. */
	readonly arrived: () => Promise<readonly (readonly [topic: string, payload: string])[]>;
}

export const collectionLines = [
	'10,p1,PUT,INVENTORY,false,false,c8y_Serial,acme_Pump.pressure,NUMBER,',
	'11,r1,c8y_Command,c8y_Command,text',
].join('\n');

/** Everything that a device may listen to. */
const listened = [
	's/ds',
	's/e',
	's/dat',
	's/dcr',
	's/dt',
	's/dc/#',
	// Operations come for a collection that is named only.
	's/dc/x',
	's/dd',
	's/dl/#',
	's/ol/#',
	'devicecontrol/notifications',
	'error',
];

const password = 'a-password-of-somebody';

/** Those who are to be let in, and those who are not: devices of two tenants, and people. */
export async function createLogins(service: ServiceUnderTest): Promise<KnownLogins> {
	const { http } = service.operator;
	const asManagement = createHttpClient(service.urls.http, management);
	for (const id of ['t2', 'paused']) await asManagement.post('/tenant/tenants', { id, adminName: 'boss', adminPass: password });
	const [there, inPaused] = ['t2', 'paused'].map((id) => createHttpClient(service.urls.http, { user: `${id}/boss`, password }));
	const people = { operator: 'operators', reader: 'readers', nobody: undefined, manager: undefined };
	for (const [userName, group] of Object.entries(people)) {
		await http.post('/user/t1/users', { userName, password });
		if (group === undefined) continue;
		const { id } = await http.get<{ id: number }>(`/user/t1/groupByName/${group}`);
		await http.post(`/user/t1/groups/${id}/users`, { user: { id: userName } });
	}
	const devices = new Map<string, { readonly user: string; readonly password: string }>();
	for (const serial of ['dev1', 'dev2', 'kid', 'disabled', 'removed']) devices.set(serial, await service.register(serial));
	// A user is unique in its tenant; a serial that waits, in all of them.
	for (const [tenant, client, serials] of [
		['t2', there, ['far', 'dev1']],
		['paused', inPaused, ['paused']],
	] as const)
		for (const serial of serials) {
			await client?.post('/devicecontrol/newDeviceRequests', { id: serial });
			const asDevice = createHttpClient(service.urls.http, bootstrap);
			await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: serial });
			await client?.put(`/devicecontrol/newDeviceRequests/${serial}`, { status: 'ACCEPTED' });
			const given = await asDevice.post<{ password: string }>('/devicecontrol/deviceCredentials', { id: serial });
			const name = serial === 'dev1' ? 'twin' : serial;
			devices.set(name, { user: `${tenant}/device_${serial}`, password: given.password });
		}
	await asManagement.put('/tenant/tenants/paused', { status: 'SUSPENDED' });
	await http.put('/user/t1/users/device_disabled', { enabled: false });
	const { id: removed } = await http.post<{ id: string }>('/inventory/managedObjects', { c8y_IsDevice: {} });
	await http.post(`/identity/globalIds/${removed}/externalIds`, { type: 'c8y_Serial', externalId: 'removed' });
	await http.delete(`/inventory/managedObjects/${removed}?withDeviceUser=true`);
	const form = await fetch(`${service.urls.http}/tenant/oauth/token`, {
		method: 'POST',
		body: new URLSearchParams({
			grant_type: 'PASSWORD',
			username: 't1/device_dev1',
			password: devices.get('dev1')?.password ?? '',
		}),
	});
	const { access_token: token } = (await form.json()) as { access_token: string };
	return {
		...Object.fromEntries(devices),
		token: { user: '', password: token },
		admin: { user: 't1/admin', password: adminPassword },
		boss: { user: 't2/boss', password },
		...Object.fromEntries(Object.keys(people).map((userName) => [userName, { user: `t1/${userName}`, password }])),
	};
}

/** Certificates of devices, by what they are worth. */
export interface DeviceCertificates {
	readonly own: TestCertificate;
	readonly unknown: TestCertificate;
	readonly ca: string;
}

/** @param ca the authority that signed for the service itself */
export async function createDeviceCertificates(service: ServiceUnderTest, ca: string): Promise<DeviceCertificates> {
	const issuer = await createAuthority('factory');
	const trusted = { name: 'factory', certInPemFormat: issuer.pem, status: 'ENABLED', autoRegistrationEnabled: true };
	await service.operator.http.post('/tenant/tenants/t1/trusted-certificates', trusted);
	const own = await createCertificate('cert', { issuer });
	return { own, unknown: await createCertificate('cert', { issuer: await createAuthority('stranger') }), ca };
}

/** Connects with a certificate, and with a password only where one is given. */
export async function connectByCertificate(
	service: ServiceUnderTest,
	certificate: TestCertificate,
	{
		ca,
		clientId,
		...credentials
	}: { readonly ca: string; readonly clientId: string } & Partial<Record<'user' | 'password', string>>,
): Promise<FakeDevice> {
	const mqtt: IClientOptions = { ca, cert: certificate.pem, key: certificate.keyPem };
	const nobody = { user: undefined as unknown as string, password: undefined as unknown as string };
	const url = service.urls.mqtts ?? '';
	return service.connect(certificate.name, { url, ...nobody, ...credentials, clientId, mqtt, topics: [] });
}

/** Clients that stay connected, each listening to all that it may. */
export async function openTopicClients(
	service: ServiceUnderTest,
	known: KnownLogins,
	{ own, ca }: DeviceCertificates,
): Promise<TopicClient[]> {
	const wanted: readonly (readonly [who: string, login: string, serial: string, other: string])[] = [
		['a device', 'dev1', 'dev1', 'dev2'],
		['a foreign device', 'dev2', 'dev2', 'dev1:c'],
		['a child with a user of its own', 'kid', 'kid', 'dev1'],
		['the administrator as a device', 'admin', 'any', 'dev1:c'],
		['a device of the same serial in another tenant', 'twin', 'dev1', 'dev2'],
		['a device by its certificate', 'certificate', 'cert', 'dev1:c'],
		['the bootstrap user', 'bootstrap', 'new', 'dev1'],
	];
	const clients: TopicClient[] = [];
	for (const [who, login, serial, other] of wanted) {
		const isBootstrap = login === 'bootstrap';
		const clientId = `d:${serial}:x`;
		const credentials = isBootstrap ? bootstrap : known[login];
		const device = await (credentials
			? service.connect(serial, { ...credentials, clientId, topics: [] })
			: connectByCertificate(service, own, { ca, clientId }));
		let messages: (readonly [string, string])[] = [];
		device.client.on('message', (topic, payload) => messages.push([topic, payload.toString()]));
		await device.subscribe(listened);
		clients.push({
			who,
			device,
			serial,
			other,
			isBootstrap,
			isElsewhere: login === 'twin',
			arrived: async () => {
				// An answer of its own, behind all that was sent before; the bootstrap user has none, and asks in vain.
				if (isBootstrap) await device.send('', 's/ucr');
				else await device.untaken('s/ds');
				const all = messages.filter(([topic, payload]) => !(topic === 's/ds' && payload.startsWith('601,')));
				messages = [];
				return all;
			},
		});
		if (!isBootstrap) await device.send([`100,${serial},type`, '114,c8y_Command', `101,${serial}:c,Child,type`]);
	}
	const [parent, kid] = [await service.operator.idOf('dev1'), await service.operator.idOf('kid')];
	await service.operator.http.post(`/inventory/managedObjects/${parent}/childDevices`, { managedObject: { id: kid } });
	return clients;
}
