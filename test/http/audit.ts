import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { expect } from 'chai';
import { createAuthority } from '../support/certificate-chain.ts';
import { type Caller, credentials, expectRefusal, type HttpFixture, openHttpFixture, tenant } from '../support/http-fixture.ts';

const root = '/audit/auditRecords';

interface Shown {
	readonly id: string;
	readonly type: string;
	readonly activity: string;
	readonly user: string;
	readonly text: string;
	readonly source: { readonly id: string };
	readonly origin: unknown;
	readonly changes: readonly { readonly attribute: string; readonly previousValue?: unknown; readonly newValue?: unknown }[];
}

describe('http/audit', () => {
	let fixture: HttpFixture;
	beforeEach(async () => {
		fixture = await openHttpFixture();
	});
	afterEach(() => fixture.close());

	async function list(query: string, caller: Caller = 'admin'): Promise<Shown[]> {
		const answer = await fixture.call(caller, 'get', `${root}?pageSize=2000${query}`);
		expect(answer.status).to.equal(200);
		return answer.body.auditRecords;
	}

	async function lines(query = ''): Promise<Record<string, unknown>[]> {
		const answer = await fetch(`${fixture.url}${root}/export${query}`, {
			headers: { Authorization: `Basic ${Buffer.from(credentials.admin).toString('base64')}` },
		});
		expect(answer.headers.get('content-type')).to.equal('application/x-ndjson');
		const text = await answer.text();
		return text
			.split('\n')
			.filter((line) => line !== '')
			.map((line) => JSON.parse(line));
	}

	it('tells the life of a device and an operation as users and devices make it', async () => {
		const id = await fixture.createDevice({ name: 'pump', c8y_SupportedOperations: ['c8y_Restart'] });
		const object = `/inventory/managedObjects/${id}`;
		await fixture.call('admin', 'put', object, { body: { name: 'pump 2', c8y_Hardware: { model: 'x' } } });
		await fixture.call('admin', 'post', `/identity/globalIds/${id}/externalIds`, {
			body: { type: 'c8y_Serial', externalId: 'dev1' },
		});
		const operation = await fixture.call('admin', 'post', '/devicecontrol/operations', {
			body: { deviceId: id, c8y_Restart: {} },
		});
		await fixture.call('device', 'put', `/devicecontrol/operations/${operation.body.id}`, { body: { status: 'EXECUTING' } });
		await fixture.call('admin', 'put', `/service/advanced-software-mgmt/software?deviceId=${id}`, {
			body: [{ name: 'a', version: '1' }],
		});
		await fixture.call('admin', 'delete', object);

		const own = (await list(`&source=${id}`)).map(({ activity, user, changes }) => [
			user,
			activity,
			changes.map(({ attribute, previousValue, newValue }) => `${attribute}: ${previousValue ?? '-'} > ${newValue ?? '-'}`),
		]);
		expect(own).to.deep.equal([
			[
				'admin',
				'Managed object created',
				[
					'owner: - > admin',
					'name: - > pump',
					'parents: - > ["root"]',
					'c8y_IsDevice: - > {}',
					'c8y_SupportedOperations: - > ["c8y_Restart"]',
				],
			],
			['admin', 'Managed object changed', ['name: pump > pump 2', 'c8y_Hardware: - > {"model":"x"}']],
			['admin', 'External id created', ['type: - > c8y_Serial', 'externalId: - > dev1', `managedObjectId: - > ${id}`]],
			['admin', 'Managed object changed', own[3]?.[2]],
			['admin', 'Installed software changed', ['1 added: - > a 1']],
			['admin', 'Managed object changed', ['removing: - > true']],
			['admin', 'Managed object removed', own[6]?.[2]],
			['admin', 'External id removed', ['type: c8y_Serial > -', 'externalId: dev1 > -', `managedObjectId: ${id} > -`]],
		]);
		expect(String(own[3]?.[2])).to.match(/^software.mode: - > advanced/);
		const [started] = (await list(`&type=Operation&source=${operation.body.id}`)).filter(({ user }) => user === 'device_dev1');
		expect(started?.changes).to.deep.equal([
			{ attribute: 'status', type: 'String', changeType: 'REPLACED', previousValue: 'PENDING', newValue: 'EXECUTING' },
		]);
		expect(started?.origin).to.deep.equal({ channel: 'http', address: '127.0.0.1', call: 'PUT /devicecontrol/operations/{id}' });
	});

	it('never shows a secret', async () => {
		const secrets = ['admin-password', 'bootstrap-password', 'dev1-password', 'pw-in-fragment', 'pw-in-url', 'signed-in-url'];
		await fixture.createDevice({
			c8y_MqttCredentials: { user: 'u', password: 'pw-in-fragment' },
			c8y_Firmware: { url: 'https://u:pw-in-url@host/f?X-Amz-Signature=signed-in-url' },
		});
		await fixture.call('admin', 'post', '/devicecontrol/newDeviceRequests', { body: { id: 'new1' } });
		await fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { body: { id: 'new1' } });
		await fixture.call('admin', 'put', '/devicecontrol/newDeviceRequests/new1', { body: { status: 'ACCEPTED' } });
		const handed = await fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { body: { id: 'new1' } });
		expect(handed.status).to.equal(201);
		secrets.push(handed.body.password);
		const user = await fixture.services.access.users.find('t1', 'device_new1');
		secrets.push(user?.passwordHash ?? 'no hash');
		await fixture.audit.seal([]);
		const all: string[] = [];
		for (const tenant of ['t1', 't2', 'management'])
			for await (const record of fixture.audit.inOrder(tenant, {}, 1)) all.push(JSON.stringify(record));
		expect(all.length).to.be.above(10);
		for (const secret of secrets)
			expect(
				all.filter((text) => text.includes(secret)),
				secret,
			).to.deep.equal([]);
		expect(all.filter((text) => text.includes('$argon2'))).to.deep.equal([]);
		expect(fixture.logLines.filter((line) => secrets.some((secret) => line.includes(secret)))).to.deep.equal([]);
		expect(all.some((text) => text.includes('(secret)'))).to.equal(true);
		// The device has its credentials by the bootstrap user, of another tenant.
		const [created] = await list('&type=User&source=device_new1');
		expect(created?.user).to.equal('management/devicebootstrap');
	});

	it('pages, filters and links as other lists do', async () => {
		for (let n = 0; n < 12; n++) {
			fixture.time += 1000;
			await fixture.createDevice({ name: `d${n}` });
		}
		const first = await fixture.call('admin', 'get', `${root}?type=Inventory&revert=true&withTotalPages=true`);
		expect(first.body.statistics).to.deep.equal({ currentPage: 1, pageSize: 5, totalPages: 3 });
		const texts = first.body.auditRecords.map(({ text }: Shown) => text);
		expect(texts[0]).to.match(/d11$/);
		const second = await fixture.call('admin', 'get', first.body.next.slice(fixture.url.length));
		expect(first.body.next)
			.to.match(/currentPage=2/)
			.and.match(/afterRecord=\d+-\d+/);
		expect(second.body.auditRecords.map(({ text }: Shown) => text.replace(/.*d/, ''))).to.deep.equal(['6', '5', '4', '3', '2']);
		expect(second.body.statistics.currentPage).to.equal(2);
		const third = await fixture.call('admin', 'get', second.body.next.slice(fixture.url.length));
		expect(third.body.auditRecords).to.have.length(2);
		expect(third.body).not.to.have.property('next');
		// A client that counts pages itself gets the same.
		const counted = await fixture.call('admin', 'get', `${root}?type=Inventory&revert=true&currentPage=2`);
		expect(counted.body.auditRecords).to.deep.equal(second.body.auditRecords);
		const from = new Date(fixture.time - 2500).toISOString();
		expect(await list(`&type=Inventory&dateFrom=${from}`)).to.have.length(3);
		expect(await list(`&type=Inventory&dateTo=${from}`)).to.have.length(9);
		expect(await list('&type=Inventory&user=nobody')).to.deep.equal([]);
		expect(await list('&type=Inventory&application=advanced-software-mgmt')).to.have.length(12);
		expect(await list('&type=Inventory', 'otherAdmin')).to.deep.equal([]);
		const { id } = first.body.auditRecords[0];
		expect((await fixture.call('admin', 'get', `${root}/${id}`)).body).to.deep.equal(first.body.auditRecords[0]);
	});

	it('goes on behind a record whose client says that it is older than 1970', async () => {
		for (const year of ['0001', '1969']) {
			const body = { type: 'Old', time: `${year}-01-01T00:00:00Z`, activity: year, text: 'b', source: { id: '1' } };
			expect((await fixture.call('admin', 'post', root, { body })).status).to.equal(201);
		}
		const seen: string[] = [];
		for (let next = `${root}?type=Old&pageSize=1`; next !== ''; ) {
			const { status, body } = await fixture.call('admin', 'get', next);
			expect(status, next).to.equal(200);
			seen.push(...body.auditRecords.map(({ activity }: { activity: string }) => activity));
			next = body.next?.slice(fixture.url.length) ?? '';
		}
		expect(seen).to.deep.equal(['0001', '1969']);
	});

	it('refuses what is wrong, and says what would be right', async () => {
		const body = { type: 'Inventory', time: '2026-11-22T10:00:00Z', activity: 'a', text: 'b', source: { id: '1' } };
		const bad: [unknown, RegExp][] = [
			[{}, /type must be text/],
			[{ ...body, time: 'soon' }, /time must be a time such as/],
			[{ ...body, severity: 'BAD' }, /severity must be one of CRITICAL/],
			[{ ...body, source: {} }, /source.id must be text/],
			[{ ...body, text: '' }, /text is empty/],
			[[], /The body must be an object/],
		];
		for (const [sent, message] of bad) expectRefusal(await fixture.call('admin', 'post', root, { body: sent }), 422, message);
		for (const [query, message] of [
			['afterRecord=x', /afterRecord must be two numbers/],
			['dateFrom=x', /dateFrom must be a time/],
			['revert=x', /revert must be true or false/],
		] as const)
			expectRefusal(await fixture.call('admin', 'get', `${root}?${query}`), 400, message);
		for (const id of ['0', 'x', '1'.repeat(20), '1%2F2'])
			expectRefusal(await fixture.call('admin', 'get', `${root}/${id}`), 404, /No audit record/);
		for (const method of ['put', 'delete'] as const)
			expect((await fixture.call('admin', method, `${root}/1`)).status).to.equal(405);
	});

	it('takes records of clients, and marks them as such', async () => {
		const answer = await fixture.call('admin', 'post', root, {
			body: {
				type: 'Alarm',
				time: '2026-11-22T10:00:00.000Z',
				activity: 'Cleared',
				text: 'By hand',
				source: { id: '7' },
				severity: 'MAJOR',
				user: 'somebody',
				application: 'tool',
			},
		});
		expect(answer.status).to.equal(201);
		expect(answer.body).to.include({ type: 'Alarm', user: 'admin', application: 'tool', byClient: true, severity: 'MAJOR' });
		expect(answer.body.changes[0]).to.include({ attribute: 'user', newValue: 'somebody' });
		expect((await list('&type=Alarm'))[0]?.id).to.equal(answer.body.id);
	});

	it('exports lines whose hashes anybody can compute again, from any number on', async () => {
		for (let n = 0; n < 5; n++) await fixture.createDevice({ name: `d${n}` });
		await fixture.audit.seal([]);
		await fixture.createDevice({ name: 'not sealed yet' });
		const all = await lines();
		expect(all.map(({ seq }) => seq)).to.deep.equal(all.map((_, n) => n + 1));
		let previousHash = '0'.repeat(64);
		for (const { hash, ...said } of all) {
			expect(said.previousHash).to.equal(previousHash);
			expect(
				createHash('sha256')
					.update(canonicalize(said) ?? '')
					.digest('hex'),
			).to.equal(hash);
			previousHash = String(hash);
		}
		await fixture.audit.seal([]);
		const further = await lines(`?fromSeq=${all.length + 1}`);
		// The export before is on record itself.
		expect(further.map(({ activity }) => activity)).to.deep.equal(['Managed object created', 'Audit records exported']);
		expect(await lines('?type=Inventory&user=admin')).to.have.length(6);
		expect(await lines('?type=Nothing')).to.deep.equal([]);
	});

	it('puts on record what is done with users, roles, options, certificates and tenants, and none of their secrets', async () => {
		const { access } = fixture.services;
		const post = async (path: string, body: object, caller: Caller = 'admin') => {
			const { status, text } = await fixture.call(caller, 'post', path, { body });
			expect(status, `${path}: ${text}`).to.be.lessThan(300);
		};
		await post(`/user/${tenant}/users`, { userName: 'anna', password: 'hush-one-two-three' });
		await fixture.call('admin', 'put', `/user/${tenant}/users/anna`, { body: { password: 'hush-two-three-four' } });
		await post(`/user/${tenant}/groups`, { name: 'testers' });
		await post('/tenant/options', { category: 'c', key: 'k', value: 'hush-five' });
		await post('/certificate-authority', {});
		await access.registration.request(tenant, 'otp-1', { oneTimePassword: 'hush-six-seven' });
		const { trusted } = access.certificates;
		const other = await createAuthority('other', { now: fixture.time });
		const added = await trusted.add(tenant, { name: 'a', pem: other.pem, status: 'ENABLED', autoRegistrationEnabled: false });
		const { verificationCode } = await trusted.createCode(tenant, added.fingerprint);
		if (verificationCode === undefined) throw new Error('there is no code');
		await post('/tenant/tenants', { id: 'made', adminName: 'boss', adminPass: 'hush-eight-nine' }, 'management');
		const [another] = await list('&type=User&source=anna&revert=true');
		expect(another?.changes.map(({ attribute, newValue }) => [attribute, newValue])).to.have.deep.members([
			['passwordHash', '(secret)'],
			['sessionsId', '(secret)'],
			['shouldResetPassword', true],
		]);
		const textOf = async (caller: Caller) => (await fixture.call(caller, 'get', `${root}?pageSize=1000`)).text;
		const own = await textOf('admin');
		for (const said of [
			'anna',
			'testers',
			'c/k',
			'otp-1',
			'User created',
			'Certificate authority created',
			'Trusted certificate created',
		])
			expect(own).to.include(said);
		expect(await textOf('management'))
			.to.include('Tenant created')
			.and.include('made');
		expect(own).to.not.include("'made'");
		for (const text of [own, await textOf('management')]) {
			for (const secret of ['hush', 'argon2', 'PRIVATE KEY', verificationCode]) expect(text).to.not.include(secret);
		}
	});

	it('is told of logins that are refused', async () => {
		await fixture.call('wrongPassword', 'get', root);
		await fixture.call(undefined, 'get', root);
		expect(fixture.refused).to.deep.equal([
			{
				user: 't1/admin',
				host: '127.0.0.1',
				reason: 'http/unauthorized',
				channel: 'http',
				address: '127.0.0.1',
				call: `GET ${root}`,
			},
		]);
	});
});
