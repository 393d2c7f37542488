import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { DocumentStore } from '../../store/index.ts';
import { eventually } from '../support/eventually.ts';
import { createHttpClient } from '../support/http-client.ts';
import { adminPassword, type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { type DeafStore, deafTo, openSharedStore } from '../support/shared-store.ts';

async function getToken({ urls }: ServiceUnderTest, user: string, password: string): Promise<string> {
	const body = new URLSearchParams({ grant_type: 'PASSWORD', username: user, password });
	const answer = await fetch(`${urls.http}/tenant/oauth/token`, { method: 'POST', body });
	expect(answer.status).to.equal(200);
	const { access_token: token } = (await answer.json()) as { access_token: string };
	return token;
}

const asTokenAt = ({ urls }: ServiceUnderTest, token: string) => createHttpClient(urls.http, { token });
const statusAt = async (service: ServiceUnderTest, token: string) =>
	(await asTokenAt(service, token).call('GET', '/tenant/currentTenant')).status;

describe('journeys/logins', function () {
	this.timeout(60_000);
	let store: DocumentStore;
	let deafStore: DeafStore;
	let one: ServiceUnderTest;
	let two: ServiceUnderTest;
	let deaf: ServiceUnderTest;
	before(async () => {
		store = await openSharedStore();
		deafStore = deafTo(store);
		const settings = { AUTH_TOKEN_ALGORITHM: 'ES256' };
		one = await startService(settings, { store });
		two = await startService(settings, { store });
		deaf = await startService(settings, { store: deafStore });
	});
	after(async () => {
		await Promise.all([one, two, deaf].map((service) => service?.close()));
		await store.close();
	});

	it('lets a token of one process in at the others, and publishes one set of keys', async () => {
		const token = await getToken(one, 't1/admin', adminPassword);
		for (const service of [one, two, deaf]) expect(await statusAt(service, token)).to.equal(200);
		const keys = await Promise.all(
			[one, two, deaf].map(async ({ urls }) => (await fetch(`${urls.http}/.well-known/jwks.json`)).text()),
		);
		expect(new Set(keys).size).to.equal(1);
		expect(JSON.parse(keys[0] ?? '').keys).to.have.length(1);
		expect(jwt.decode(token, { complete: true })?.header).to.include({ alg: 'ES256', kid: '1' });
	});

	it('ends a session in all processes, also in one that hears of no change', async () => {
		const [ended, other] = [await getToken(one, 't1/admin', adminPassword), await getToken(one, 't1/admin', adminPassword)];
		for (const service of [one, two, deaf]) expect(await statusAt(service, ended)).to.equal(200);
		expect((await asTokenAt(two, ended).call('POST', '/user/logout', {})).status).to.equal(200);
		for (const service of [two, one, deaf]) {
			await eventually(
				'the session is ended',
				() => statusAt(service, ended),
				(status) => status === 401,
			);
			expect(await statusAt(service, other)).to.equal(200);
		}
	});

	it('ends the sessions and the password of a user in all processes when the password changes', async () => {
		const device = await one.register('changing-1');
		const token = await getToken(two, device.user, device.password);
		for (const service of [one, two, deaf]) expect(await statusAt(service, token)).to.equal(200);
		const again = await one.register('changing-1');
		for (const service of [one, two, deaf]) {
			await eventually(
				'the token is ended',
				() => statusAt(service, token),
				(status) => status === 401,
			);
			const old = createHttpClient(service.urls.http, device);
			await eventually(
				'the old password is',
				async () => (await old.call('GET', '/tenant/currentTenant')).status,
				(status) => status === 401,
			);
			await createHttpClient(service.urls.http, again).get('/tenant/currentTenant');
		}
	});

	it('gives a device a token for the host that it used, for itself and no other, signed by the newest key', async () => {
		const [own, other] = [await one.register('own-1'), await one.register('other-1')];
		const otherDevice = await one.connect('other-1', other);
		await otherDevice.send('100,Other,type');
		const device = await two.connect('own-1', { ...own });
		await device.send('100,Own,type');
		await device.send('', 's/uat');
		const [code, token = ''] = (await device.nextLine('s/dat')).split(',');
		expect(code).to.equal('71');
		expect(jwt.decode(token, { json: true })).to.deep.include({ iss: '127.0.0.1', sub: 'device_own-1', ten: 't1' });
		const find = async (serial: string) => (await one.operator.objectOf(serial)).id;
		for (const service of [one, two, deaf]) {
			const http = asTokenAt(service, token);
			expect((await http.call('GET', `/inventory/managedObjects/${await find('own-1')}`)).status).to.equal(200);
			expect((await http.call('GET', `/inventory/managedObjects/${await find('other-1')}`)).status).to.equal(403);
			expect((await http.call('GET', '/devicecontrol/newDeviceRequests')).status).to.equal(403);
		}
	});

	it('slows down guessing over MQTT and HTTP together', async () => {
		const service = await startService({ AUTH_WRONG_PASSWORDS_PER_MINUTE: '3' });
		try {
			const { user, password } = await service.register('guessed-1');
			const guess = createHttpClient(service.urls.http, { user, password: 'guess' });
			const connack = async (secret: string) =>
				(await service.openRaw()).logIn({ clientId: 'guessed-1', username: user, password: secret });
			expect((await guess.call('GET', '/tenant/currentTenant')).status).to.equal(401);
			for (let i = 0; i < 2; i++) expect(await connack(`guess${i}`)).to.equal(4);
			expect(await connack(password)).to.equal(3);
			expect((await guess.call('GET', '/tenant/currentTenant')).status).to.equal(429);
		} finally {
			await service.close();
		}
	});
});
