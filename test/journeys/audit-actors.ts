import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { createHttpClient } from '../support/http-client.ts';
import { sized } from '../support/named-stores.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

interface Shown {
	readonly user: string;
	readonly activity: string;
	readonly type: string;
	readonly text: string;
	readonly origin: { readonly channel: string; readonly device?: string; readonly call?: string; readonly address?: string };
	readonly source: { readonly id: string };
	readonly changes: readonly { readonly newValue?: string; readonly previousValue?: string }[];
}

describe('journeys/audit-actors', function () {
	this.timeout(120_000);
	let service: ServiceUnderTest;
	afterEach(() => service.close());

	async function records(query: string): Promise<Shown[]> {
		const path = `/audit/auditRecords?pageSize=2000${query}`;
		return (await service.operator.http.get<{ auditRecords: Shown[] }>(path)).auditRecords;
	}

	it('names whoever made each change, however many devices and users are at work at once', async () => {
		service = await startService();
		const serials = Array.from({ length: sized(30, 6) }, (_, n) => `who-${n}`);
		const rounds = sized(8, 3);
		await Promise.all(
			serials.map(async (serial) => {
				const credentials = await service.register(serial);
				const device = await service.connect(serial, credentials);
				const asDevice = createHttpClient(service.urls.http, credentials);
				await device.send('100');
				const id = await service.operator.idOf(serial);
				for (let n = 0; n < rounds; n++) {
					await Promise.all([
						device.send([`110,${serial},${n},1`, `141,a,${n},apt,`, `111,imei${n},i,i`]),
						asDevice.put(`/inventory/managedObjects/${id}`, { fromDevice: n }),
						service.operator.http.put(`/inventory/managedObjects/${id}`, { fromAdmin: n }),
					]);
				}
			}),
		);
		for (const serial of serials) {
			const id = await service.operator.idOf(serial);
			const own = await records(`&type=Inventory&source=${id}`);
			const users = new Set(own.map(({ user }) => user));
			expect(users).to.deep.equal(new Set(['admin', `device_${serial}`]));
			for (const { user, origin, activity } of own) {
				expect(origin.address).to.equal('127.0.0.1');
				if (origin.channel !== 'mqtt') continue;
				expect([user, origin.device]).to.deep.equal([`device_${serial}`, serial]);
				if (activity === 'Installed software changed') expect(origin.call).to.equal('141');
			}
			const byAdmin = own.filter(({ user }) => user === 'admin');
			expect(byAdmin).to.have.length(rounds);
			for (const { origin } of byAdmin) expect(origin.call).to.equal('PUT /inventory/managedObjects/{id}');
			expect(new Set(own.map(({ origin }) => origin.call))).to.include.keys('100', '110', '111', '141');
		}
	});

	it('tells what devices report of their software, by every template, and nothing of what is as it was', async () => {
		service = await startService();
		const device = await service.connect('reporter');
		await device.send('116,a,1,');
		await device.send('140,a,1,apt,,b,1,apt,');
		await device.send('141,c,1,apt,');
		await device.send('141,c,1,apt,');
		await device.send('141,c,1,apt,https://h/c');
		await device.send('142,c,1,never-there,2');
		await device.send('142,never-there,2');
		await device.send('140,b,1,apt,');
		await device.send(['141,d,1,apt,', '142,d,1']);
		const own = await records(`&type=Inventory&source=${await service.operator.idOf('reporter')}`);
		const told = own
			.filter(({ activity }) => activity === 'Installed software changed')
			.map(({ origin, changes }) => [
				origin.call,
				changes.map(({ newValue, previousValue }) => [previousValue, newValue].map((value) => value ?? '').join(' > ')),
			]);
		const apt = '{"softwareType":"apt"}';
		expect(told).to.deep.equal([
			['116', [' > a 1']],
			['140', [` > b 1 ${apt}`, `{} > ${apt}`]],
			['141', [` > c 1 ${apt}`]],
			['141', [`${apt} > {"softwareType":"apt","url":"https://h/c"}`]],
			['142', ['c 1 {"softwareType":"apt","url":"https://h/c"} > ']],
			['140', [`a 1 ${apt} > `]],
			['141 142', [` > d 1 ${apt}`, `d 1 ${apt} > `]],
		]);
	});

	it('leaves out what devices report of their software where it shall, and nothing else', async () => {
		service = await startService({ AUDIT_DEVICE_REPORTS: 'false' });
		const device = await service.connect('quiet');
		await device.send(['140,a,1,apt,', '141,b,1,apt,', '110,s,m,1', '125', '101,quiet-child,Child,type', '114,c8y_Restart']);
		const id = await service.operator.idOf('quiet');
		const child = await service.operator.idOf('quiet-child');
		const { id: operation } = await service.operator.createOperation('quiet', { c8y_Restart: {} });
		await device.send(['501,c8y_Restart', '503,c8y_Restart']);
		const statuses = (await records(`&source=${operation}`)).map(({ text, origin }) => `${origin.channel}: ${text}`);
		const operationIs = (status: string) => `Operation changed: ${operation}, ${status}, device ${id}`;
		expect(statuses).to.deep.equal([
			`http: Operation created: ${operation}, PENDING, device ${id}`,
			`mqtt: ${operationIs('EXECUTING')}`,
			`mqtt: ${operationIs('SUCCESSFUL')}`,
		]);
		const childActivities = (await records(`&source=${child}`)).map(({ activity, user }) => `${user}: ${activity}`);
		expect(childActivities).to.deep.equal(['admin: Managed object created', 'admin: External id created']);
		await service.operator.http.put(`/service/advanced-software-mgmt/software?deviceId=${id}`, [{ name: 'c', version: '1' }]);
		const activities = (await records(`&source=${id}`)).map(({ activity, origin }) => `${origin.channel}: ${activity}`);
		expect(activities).to.deep.equal([
			'mqtt: Managed object created',
			'mqtt: External id created',
			// It has a list from now on.
			'mqtt: Managed object changed',
			// 110 and 114.
			'mqtt: Managed object changed',
			'mqtt: Managed object changed',
			'http: Installed software changed',
		]);
	});

	it('notes refused logins, so many a minute, and counts the others', async () => {
		service = await startService({ AUDIT_REFUSED_LOGINS_PER_MINUTE: '3' });
		const guess = 'what-somebody-guessed';
		const wrong = createHttpClient(service.urls.http, { user: 't1/admin', password: guess });
		await wrong.call('GET', '/inventory/managedObjects');
		await createHttpClient(service.urls.http, { user: 'elsewhere/bob', password: 'x' }).call('GET', '/inventory/managedObjects');
		expect(await service.connect('dev', { password: guess }).catch(String)).to.match(/Bad User Name or Password|refused/i);
		await wrong.call('GET', '/inventory/managedObjects');
		const found = await eventually(
			'they are on record',
			() => records('&type=UserAuthentication'),
			(list) => list.length === 2,
		);
		expect(found.map(({ user, activity, origin }) => [user, activity, origin.channel])).to.have.deep.members([
			['admin', 'Login refused', 'http'],
			['admin', 'Login refused', 'mqtt'],
		]);
		expect(JSON.stringify(found)).not.to.include(guess);
	});
});
