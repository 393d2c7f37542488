import { expect } from 'chai';
import { collections } from '../../service/migrations.ts';
import { removalRules } from '../../service/tenant-removal.ts';
import type { DocumentStore, StoredDocument } from '../../store/index.ts';
import { eventually, within } from '../support/eventually.ts';
import { createHttpClient, type HttpClient } from '../support/http-client.ts';
import { patience } from '../support/named-stores.ts';
import { management, type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { connectDevice, operatorOf, processPassword, useServiceProcess } from '../support/service-process.ts';
import { deafTo, openSharedStore } from '../support/shared-store.ts';

const password = 'long-enough-password';
const jsonOf = (id: string) => ({ id, adminName: 'boss', adminPass: password });
const bossOf = (id: string) => ({ user: `${id}/boss`, password });

async function createTenant({ urls }: Pick<ServiceUnderTest, 'urls'>, id: string): Promise<HttpClient> {
	await createHttpClient(urls.http, management).post('/tenant/tenants', jsonOf(id));
	return createHttpClient(urls.http, bossOf(id));
}

/** Every document of a tenant, wherever it is. */
async function documentsOf(store: DocumentStore, tenant: string): Promise<string[]> {
	const found: string[] = [];
	for (const spec of collections) {
		const collection = await store.collection<StoredDocument & { readonly tenant?: string }>(spec);
		for await (const { _id, tenant: of } of collection.scan({}))
			if (of === tenant || _id === tenant || _id.startsWith(`${tenant}/`)) found.push(`${spec.name}: ${_id}`);
	}
	return found;
}

describe('journeys/tenants', () => {
	let store: DocumentStore;
	let one: ServiceUnderTest;
	let two: ServiceUnderTest;
	const settings = { TENANT_REMOVAL_SECONDS: '1', TENANT_REMOVAL_GRACE_SECONDS: '0', LEASE_SECONDS: '2' };
	before(async () => {
		store = await openSharedStore();
		one = await startService(settings, { store });
		two = await startService(settings, { store });
	});
	after(async () => {
		await Promise.all([one, two].map((service) => service.close()));
		await store.close();
	});

	it('disconnects the devices of a suspended tenant from every process, refuses its logins, and lets it in again', async () => {
		const boss = await createTenant(one, 'paused');
		const [near, far, kept] = [
			await one.connect('near', bossOf('paused')),
			await two.connect('far', bossOf('paused')),
			await two.connect('kept'),
		];
		await far.send('100,Far,type');
		const looking = createHttpClient(one.urls.http, management);
		await looking.put('/tenant/tenants/paused', { status: 'SUSPENDED' });
		await within('the devices are disconnected', Promise.all([near.closed, far.closed]));
		for (const { urls } of [one, two]) {
			const refused = await eventually(
				'nobody logs in',
				() => createHttpClient(urls.http, bossOf('paused')).call<{ message: string }>('GET', '/tenant/currentTenant'),
				({ status }) => status === 401,
			);
			expect(refused.body.message).to.contain('disabled');
		}
		await two.connect('far', bossOf('paused')).then(
			() => expect.fail('a device came in'),
			(error: Error) => expect(error.message).to.contain('Not authorized'),
		);
		await kept.send('100,Kept,type');
		await looking.put('/tenant/tenants/paused', { status: 'ACTIVE' });
		await eventually(
			'the tenant is back',
			() => boss.call('GET', '/tenant/currentTenant'),
			({ status }) => status === 200,
		);
		expect(await boss.get('/inventory/managedObjects/count')).to.equal(1);
	});

	it('disconnects them where no change is heard of, too', async () => {
		const deaf = await startService({ ...settings, MQTT_DELIVERY_SWEEP_SECONDS: '1' }, { store: deafTo(store) });
		try {
			await createTenant(one, 'deaf');
			const device = await deaf.connect('d', bossOf('deaf'));
			await createHttpClient(one.urls.http, management).put('/tenant/tenants/deaf', { status: 'SUSPENDED' });
			await within('the device is disconnected', device.closed, 15_000);
		} finally {
			await deaf.close();
		}
	});

	it('disconnects a device with a former password or a disabled user, and a user whose role is taken, from another process', async () => {
		const credentials = await one.register('disabled-1');
		const stolen = await two.connect('disabled-1', credentials);
		await one.operator.http.put('/user/t1/users/device_disabled-1', { password });
		await within('the device with the former password is disconnected', stolen.closed);
		const device = await two.connect('disabled-1', { ...credentials, password });
		await one.operator.http.put('/user/t1/users/device_disabled-1', { enabled: false });
		await within('the device is disconnected', device.closed);
		await one.operator.http.post('/user/t1/users', { userName: 'second', password });
		await one.operator.http.post('/user/t1/groups/1/users', { user: { id: 'second' } });
		const second = await two.connect('second-1', { user: 't1/second', password });
		await one.operator.http.delete('/user/t1/groups/1/users/second');
		await within('the user is disconnected', second.closed);
		await two.connect('second-1', { user: 't1/second', password }).then(
			() => expect.fail('the user came in'),
			(error: Error) => expect(error.message).to.contain('Not authorized'),
		);
	});

	it('answers on s/e what would exceed a limit of the tenant, and stores what fits', async () => {
		const boss = await createTenant(one, 'small');
		const limits = { devices: 1, packages: 2 };
		await createHttpClient(one.urls.http, management).put('/tenant/tenants/small', { limits });
		const device = await one.connect('first', bossOf('small'));
		await device.send(['100,First,type', '141,a,1,,,b,1,,', '101,child,Child,type', '141,c,1,,']);
		const refused = [await device.nextLine('s/e'), await device.nextLine('s/e')];
		expect(refused[0]).to.match(/^41,101,.*as many devices as it may have/);
		expect(refused[1]).to.match(/^41,141,.*as many packages as it may have/);
		expect(await boss.get('/inventory/managedObjects/count?query=has(c8y_IsDevice)')).to.equal(1);
	});

	it('removes everything of a deleted tenant, and nothing of another one whose id begins alike', async () => {
		const ids = ['gone', 'gone0', 'gonezero'];
		for (const id of ids) {
			const boss = await createTenant(one, id);
			const device = await one.connect('device', bossOf(id));
			await device.send(['100,Device,type', '114,c8y_Restart', '140,a,1,b,2', '101,child,Child,type']);
			const { id: object } = await boss
				.get<{ managedObjects: { id: string }[] }>('/inventory/managedObjects?text=Device')
				.then(({ managedObjects: [found] }) => found ?? expect.fail('no device'));
			await boss.post('/devicecontrol/operations', { deviceId: object, c8y_Restart: {} });
			await boss.post('/devicecontrol/newDeviceRequests', { id: `expected-${id}` });
			await boss.post(`/user/${id}/groups`, { name: 'own' });
			await boss.post('/tenant/options', { category: 'c', key: 'k', value: 'v' });
			const form = new FormData();
			form.append('object', JSON.stringify({ name: 'file', type: 'text/plain' }));
			form.append('file', new Blob(['bytes']), 'file.txt');
			const authorization = `Basic ${btoa(`${id}/boss:${password}`)}`;
			const about = { source: { id: object }, type: 't', time: '2026-11-22', text: 'x' };
			const event = await boss.post<{ readonly id: string }>('/event/events', about);
			for (const path of ['/inventory/binaries', `/event/events/${event.id}/binaries`]) {
				const upload = await fetch(one.urls.http + path, { method: 'POST', body: form, headers: { authorization } });
				expect(upload.status).to.equal(201);
			}
			await device.close();
		}
		// Records are sealed meanwhile.
		const keptOf = async () => (await documentsOf(store, 'gone0')).filter((text) => !text.startsWith('auditChains'));
		const before = await keptOf();
		expect((await documentsOf(store, 'gone')).map((text) => text.split(':')[0])).to.include.members([
			'users',
			'registrations',
			'globalRoles',
			'tenantOptions',
			'operations',
			'events',
			'externalIds',
			'packages',
			'children',
			'managedObjects',
			'binaries',
			'tenants',
		]);
		const looking = createHttpClient(one.urls.http, management);
		await looking.delete('/tenant/tenants/gone');
		expect((await createHttpClient(one.urls.http, bossOf('gone')).call('GET', '/tenant/currentTenant')).status).to.equal(401);
		await eventually(
			'nothing of it is left',
			() => documentsOf(store, 'gone'),
			(left) => left.length === 0,
			20_000,
		);
		expect(await keptOf()).to.deep.equal(before);
		expect((await looking.call('GET', '/tenant/tenants/gone')).status).to.equal(404);
		// The id can be used again, and nothing of the former tenant is there.
		const boss = await createTenant(two, 'gone');
		expect(await boss.get('/inventory/managedObjects/count')).to.equal(0);
	});

	it('knows how each collection is left', () => {
		expect(Object.keys(removalRules).sort()).to.deep.equal(collections.map(({ name }) => name).sort());
	});
});

describe('journeys/tenants killed', function () {
	this.timeout(120_000 * patience);
	const { start } = useServiceProcess();
	const passwords = {
		ADMIN_PASSWORD: processPassword,
		BOOTSTRAP_PASSWORD: processPassword,
		MANAGEMENT_ADMIN_PASSWORD: processPassword,
		TENANT_REMOVAL_GRACE_SECONDS: '0',
	};

	it('goes on with a deletion that was killed in the middle', async () => {
		const first = await start({ ...passwords, TENANT_REMOVAL_SECONDS: '1' });
		const looking = createHttpClient(first.http, { user: 'management/admin', password: processPassword });
		await looking.post('/tenant/tenants', jsonOf('large'));
		const boss = createHttpClient(first.http, bossOf('large'));
		for (const serial of ['a', 'b', 'c']) {
			const device = await connectDevice(first, serial, { user: 'large/boss', password });
			await device.send('100,Device,type');
			await device.close();
			const { managedObject } = await boss.get<{ managedObject: { id: string } }>(`/identity/externalIds/c8y_Serial/${serial}`);
			const packages = Array.from({ length: 8000 }, (_, index) => ({ name: `package-${index}`, version: '1' }));
			await boss.put(`/service/advanced-software-mgmt/software?deviceId=${managedObject.id}`, packages);
		}
		const kept = await connectDevice(first, 'kept');
		await kept.send(['100,Kept,type', '140,kept,1']);
		await kept.close();
		await looking.delete('/tenant/tenants/large');
		const removedFrom = ({ output }: typeof first) =>
			output.flatMap((line) => (line.includes('"deleted":"large"') ? (JSON.parse(line).collection ?? []) : []));
		await eventually(
			'it has begun',
			() => removedFrom(first),
			(collections) => collections.includes('users'),
		);
		await first.kill();
		// How far it came by then is up to the machine.
		const removedByFirst = removedFrom(first);
		expect(first.output.filter((line) => line.includes('tenant deleted'))).to.deep.equal([]);

		const second = await start({ ...passwords, TENANT_REMOVAL_SECONDS: '1' });
		const asked = createHttpClient(second.http, { user: 'management/admin', password: processPassword });
		expect((await asked.get<{ status: string }>('/tenant/tenants/large')).status).to.equal('DELETING');
		expect((await createHttpClient(second.http, bossOf('large')).call('GET', '/tenant/currentTenant')).status).to.equal(401);
		await eventually(
			'it is gone',
			() => asked.call('GET', '/tenant/tenants/large'),
			({ status }) => status === 404,
			60_000,
		);
		// What a process says comes by another way than its answers.
		const removedBySecond = await eventually(
			'it has told so',
			() => removedFrom(second),
			() => second.output.some((line) => line.includes('tenant deleted')),
		);
		expect(removedByFirst).to.include('users');
		expect(removedBySecond.filter((each) => removedByFirst.includes(each))).to.deep.equal([]);
		expect(await operatorOf(second).namesOf('kept')).to.deep.equal(['kept 1']);
	});
});
