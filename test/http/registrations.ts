import { expect } from 'chai';
import { basic } from '../support/checked-http-client.ts';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const root = '/devicecontrol/newDeviceRequests';

describe('http/registrations', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	const expectDevice = (body: unknown) => fixture.call('admin', 'post', root, { body });
	const poll = (body: unknown) => fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { body });
	const accept = (id: string, body: unknown = { status: 'ACCEPTED' }) =>
		fixture.call('admin', 'put', `${root}/${encodeURIComponent(id)}`, { body });

	it('leads a device from its registration to credentials that work', async () => {
		const made = await expectDevice({ id: 'new 1' });
		const registration = {
			id: 'new 1',
			status: 'WAITING_FOR_CONNECTION',
			tenantId: 't1',
			creationTime: '2026-11-21T20:23:30.412Z',
			expirationTime: '2026-11-22T20:23:30.412Z',
			self: `${fixture.url}${root}/new%201`,
		};
		expect([made.status, made.body]).to.deep.equal([201, registration]);
		expect((await accept('new 1')).status).to.equal(422);
		expect((await poll({ id: 'new 1' })).status).to.equal(404);
		const pending = await fixture.call('admin', 'get', `${root}/new%201`);
		expect(pending.body).to.deep.equal({ ...registration, status: 'PENDING_ACCEPTANCE' });
		expect((await fixture.call('admin', 'get', root)).body.newDeviceRequests).to.deep.equal([pending.body]);
		expect((await poll({ id: 'new 1' })).status).to.equal(404);
		expect((await accept('new 1')).body.status).to.equal('ACCEPTED');
		const { status, body } = await poll({ id: 'new 1' });
		expect(status).to.equal(201);
		expect(body).to.include({ id: 'new 1', tenantId: 't1', username: 'device_new 1' });
		const again = await poll({ id: 'new 1' });
		expectRefusal(again, 404, /handed out once; where they got lost, have the device registered anew/);
		// Nobody learns by this that the serial is taken.
		const { message } = (await poll({ id: 'never' })).body;
		expect(message.replace('never', 'new 1')).to.equal(again.body.message);
		expect((await fixture.call('admin', 'get', `${root}/new%201`)).status).to.equal(404);
		const headers = { Authorization: basic(`${body.tenantId}/${body.username}:${body.password}`) };
		expect((await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers })).status).to.equal(200);
		expect(fixture.logLines.join('')).not.to.contain(body.password);
	});

	it('gives no credentials while the tenant is suspended', async () => {
		const { tenants } = fixture.services.access;
		expect((await fixture.call('otherAdmin', 'post', root, { body: { id: 'paused' } })).status).to.equal(201);
		await poll({ id: 'paused' });
		expect((await fixture.call('otherAdmin', 'put', `${root}/paused`, { body: { status: 'ACCEPTED' } })).status).to.equal(200);
		await tenants.change('t2', { status: 'SUSPENDED' });
		expect((await poll({ id: 'paused' })).status).to.equal(404);
		await tenants.change('t2', { status: 'ACTIVE' });
		expect((await poll({ id: 'paused' })).body).to.include({ tenantId: 't2', username: 'device_paused' });
	});

	it('takes a registration back', async () => {
		await expectDevice({ id: 'gone' });
		expect((await fixture.call('admin', 'delete', `${root}/gone`)).status).to.equal(204);
		expect((await fixture.call('admin', 'delete', `${root}/gone`)).status).to.equal(404);
		expect((await accept('gone')).status).to.equal(404);
	});

	it('keeps a serial for one registration, whichever tenant asks', async () => {
		await expectDevice({ id: 'once', tenantId: 't1', groupId: null });
		expect((await expectDevice({ id: 'once' })).status).to.equal(409);
		expect((await fixture.call('otherAdmin', 'post', root, { body: { id: 'once' } })).status).to.equal(409);
		expect((await fixture.call('otherAdmin', 'get', root)).body.newDeviceRequests).to.deep.equal([]);
	});

	const bad: readonly (readonly [body: unknown, message: RegExp])[] = [
		[{}, /id must be text, found nothing/],
		[{ id: '' }, /id is empty/],
		[{ id: 5 }, /id must be text, found the number 5/],
		[{ id: 'a/b' }, /id must have 1 to 254 characters/],
		[{ id: 'a:b' }, /id must have/],
		[{ id: 'x'.repeat(300) }, /id must have/],
		[{ id: 'x', tenantId: 't2' }, /tenantId must be 't1'/],
		[{ id: 'x', groupId: '5' }, /groupId must be the id of a group of devices \(c8y_IsDeviceGroup\), found '5'/],
		[{ id: 'x', groupId: 'a/b' }, /groupId must be the id of a group/],
		[{ id: 'x', type: 5 }, /type must be text, found the number 5/],
		[{ id: 'x', securityToken: 'a\nb' }, /securityToken must have 1 to 254 characters, and no control characters/],
		[[], /must be an object/],
	];
	for (const [body, message] of bad) {
		it(`refuses ${JSON.stringify(body).slice(0, 40)}`, async () => {
			const answer = await expectDevice(body);
			expectRefusal(answer, 422, message);
		});
	}

	for (const body of [{}, { status: 'BLOCKED' }, { status: 'ACCEPTED', securityToken: 5 }, []]) {
		it(`does not accept by ${JSON.stringify(body)}`, async () => expect((await accept('once', body)).status).to.equal(422));
	}

	it('never answers 400 to a device that asks for credentials', async () => {
		for (const body of [{}, { id: '' }, { id: 1 }, []]) expect((await poll(body)).status).to.equal(422);
		for (const text of ['', '{', 'x']) {
			expect((await fixture.call('bootstrap', 'post', '/devicecontrol/deviceCredentials', { text })).status).to.equal(422);
		}
		expect((await poll({ id: 'unknown', securityToken: 'x' })).status).to.equal(404);
	});

	async function makeGroup(name: string, fragments: object = { c8y_IsDeviceGroup: {} }): Promise<string> {
		return (await fixture.call('admin', 'post', '/inventory/managedObjects', { body: { name, ...fragments } })).body.id;
	}

	const childrenOf = async (group: string) =>
		(await fixture.call('admin', 'get', `/inventory/managedObjects/${group}/childAssets`)).body.references.map(
			({ managedObject: { id } }: { managedObject: { id: string } }) => id,
		);

	/** From its registration to its credentials. */
	async function register(body: { readonly id: string; readonly [field: string]: unknown }): Promise<Record<string, string>> {
		expect((await expectDevice(body)).status).to.equal(201);
		await poll({ id: body.id });
		expect((await accept(body.id)).status).to.equal(200);
		const { status, body: credentials } = await poll({ id: body.id });
		expect(status).to.equal(201);
		return { Authorization: basic(`${credentials.tenantId}/${credentials.username}:${credentials.password}`) };
	}

	it('ends a registration that leads to nothing after the time that it shows', async () => {
		const early = await expectDevice({ id: 'slow' });
		await poll({ id: 'slow' });
		fixture.time = Date.parse(early.body.expirationTime) - 1;
		expect((await accept('slow')).status).to.equal(200);
		fixture.time += 1;
		expectRefusal(await fixture.call('admin', 'get', `${root}/slow`), 404, /there was none, or it has expired/);
		expect((await accept('slow')).status).to.equal(404);
		expect((await fixture.call('admin', 'post', `${root}/acceptAll`)).body).to.deep.equal([]);
		expect((await poll({ id: 'slow' })).status).to.equal(404);
		// Not swept yet, it is in nobody's way: another tenant may have the device now.
		expect((await fixture.call('otherAdmin', 'post', root, { body: { id: 'slow' } })).status).to.equal(201);
		await expectDevice({ id: 'swept' });
		fixture.time += 86_400_000;
		expect(await fixture.services.access.registration.sweep()).to.be.at.least(2);
		expect(await fixture.services.access.registration.sweep()).to.equal(0);
		expect((await fixture.call('admin', 'get', root)).body.newDeviceRequests).to.deep.equal([]);
		const { body } = await fixture.call('admin', 'get', '/audit/auditRecords?type=DeviceRegistration&source=swept&pageSize=50');
		expect(body.auditRecords.map(({ activity }: { activity: string }) => activity)).to.include('Device registration removed');
	});

	it('puts a device into the group that it was registered for, with its type, when it makes its object', async () => {
		const groupId = await makeGroup('line 1');
		const { body } = await expectDevice({ id: 'grouped', groupId: Number(groupId), type: 'c8y_Linux' });
		expect(body).to.include({ groupId, type: 'c8y_Linux' });
		await fixture.call('admin', 'delete', `${root}/grouped`);
		const headers = await register({ id: 'grouped', groupId, type: 'c8y_Linux' });
		const made = await fixture.call(undefined, 'post', '/inventory/managedObjects', { headers, body: { c8y_IsDevice: {} } });
		expect(await childrenOf(groupId)).to.deep.equal([]);
		const path = `/identity/globalIds/${made.body.id}/externalIds`;
		const bound = await fixture.call(undefined, 'post', path, { headers, body: { type: 'c8y_Serial', externalId: 'grouped' } });
		expect(bound.status).to.equal(201);
		expect(await childrenOf(groupId)).to.deep.equal([made.body.id]);
	});

	it('puts a device that is there already into its group when it is accepted, and lets it in where the group is gone', async () => {
		const [groupId, gone] = [await makeGroup('line 2'), await makeGroup('line 3')];
		const { id } = await fixture.services.inventory.devices.ensure('t1', 'old', () => ({
			owner: 'device_old',
			name: 'old',
			type: 't',
			fragments: { c8y_IsDevice: {} },
		}));
		await register({ id: 'old', groupId });
		expect(await childrenOf(groupId)).to.deep.equal([id]);
		await expectDevice({ id: 'ungrouped', groupId: gone });
		await poll({ id: 'ungrouped' });
		await fixture.call('admin', 'delete', `/inventory/managedObjects/${gone}`);
		expect((await accept('ungrouped')).status).to.equal(200);
		expect((await poll({ id: 'ungrouped' })).status).to.equal(201);
		const dynamic = await makeGroup('query', { c8y_IsDeviceGroup: {}, c8y_IsDynamicGroup: {} });
		expectRefusal(await expectDevice({ id: 'x', groupId: dynamic }), 422, /groupId must be the id of a group of devices/);
	});

	it('accepts all that have asked, and says which could not be accepted', async () => {
		for (const id of ['all 1', 'all 2', 'all 3']) await expectDevice({ id });
		await poll({ id: 'all 1' });
		await poll({ id: 'all 2', securityToken: 'secret' });
		const { status, body } = await fixture.call('admin', 'post', `${root}/acceptAll`);
		expect(status).to.equal(200);
		expect(body.map(({ error, ...rest }: { error?: string }) => ({ ...rest, error: error?.slice(0, 24) }))).to.deep.equal([
			{ id: 'all 1', successful: true, error: undefined },
			{ id: 'all 2', successful: false, error: 'securityToken is missing' },
		]);
		expect((await fixture.call('admin', 'get', `${root}/all%203`)).body.status).to.equal('WAITING_FOR_CONNECTION');
		await poll({ id: 'all 3' });
		expect((await fixture.call('admin', 'put', `${root}/acceptAll`)).body).to.deep.include({ id: 'all 3', successful: true });
		for (const id of ['all 1', 'all 2', 'all 3']) await fixture.call('admin', 'delete', `${root}/${encodeURIComponent(id)}`);
	});

	it('leaves nothing half done where it is cut short while it accepts all', async () => {
		const groupId = await makeGroup('line 4');
		const serials = ['cut 1', 'cut 2', 'cut 3'];
		const ids: string[] = [];
		for (const id of serials) {
			const device = { owner: `device_${id}`, name: id, type: 't', fragments: { c8y_IsDevice: {} } };
			ids.push((await fixture.services.inventory.devices.ensure('t1', id, () => device)).id);
			await expectDevice({ id, groupId });
			await poll({ id });
		}
		const { firstPlaces } = fixture.services;
		const { put } = firstPlaces;
		firstPlaces.put = async (tenant, serial, group) => {
			if (serial === 'cut 2') throw new Error('the process ends here');
			return put(tenant, serial, group);
		};
		expect((await fixture.call('admin', 'post', `${root}/acceptAll`)).status).to.equal(500);
		firstPlaces.put = put;
		const statuses = [];
		for (const id of serials) statuses.push((await fixture.call('admin', 'get', `${root}/${id}`)).body.status);
		expect(statuses).to.deep.equal(['ACCEPTED', 'PENDING_ACCEPTANCE', 'PENDING_ACCEPTANCE']);
		expect(await childrenOf(groupId)).to.deep.equal(ids.slice(0, 1));
		expect((await fixture.call('admin', 'post', `${root}/acceptAll`)).body).to.have.length(2);
		expect(await childrenOf(groupId)).to.deep.equal(ids);
		for (const id of serials) await fixture.call('admin', 'delete', `${root}/${id}`);
	});

	it('tells how many devices the tenant has and may have', async () => {
		const before = (await fixture.call('admin', 'get', `${root}/limit`)).body;
		expect(before).to.deep.equal({ isReached: false, deviceCount: before.deviceCount });
		await fixture.services.access.tenants.change('t1', { limits: { devices: before.deviceCount } });
		const { body } = await fixture.call('admin', 'get', `${root}/limit`);
		expect(body).to.deep.equal({ isReached: true, limit: before.deviceCount, deviceCount: before.deviceCount });
		await fixture.services.access.tenants.change('t1', { limits: { devices: 0 } });
	});

	const setPolicy = (value: string) =>
		fixture.call('admin', 'put', '/tenant/options/device-registration/security-token.policy', { body: { value } });

	it('takes a device with a security token only with the same one, from its operator and from it', async () => {
		await expectDevice({ id: 'secret' });
		// No token: it shows another one then.
		expect((await poll({ id: 'secret', securityToken: 'a\nb' })).status).to.equal(404);
		expect((await poll({ id: 'secret', securityToken: 'right' })).status).to.equal(404);
		expectRefusal(await accept('secret'), 422, /securityToken is missing: 'secret' has shown one/);
		expectRefusal(
			await accept('secret', { status: 'ACCEPTED', securityToken: 'wrong' }),
			422,
			/is not the one that 'secret' has/,
		);
		expect((await accept('secret', { status: 'ACCEPTED', securityToken: 'right' })).body.status).to.equal('ACCEPTED');
		for (const securityToken of [undefined, 'wrong']) expect((await poll({ id: 'secret', securityToken })).status).to.equal(404);
		expect((await poll({ id: 'secret', securityToken: 'right' })).status).to.equal(201);
		expect(fixture.logLines.join('')).not.to.match(/"right"|'right'/);
	});

	it('lets only the device ask that has the token which was given with its registration', async () => {
		await expectDevice({ id: 'given', securityToken: 'right' });
		for (const securityToken of [undefined, 'wrong']) await poll({ id: 'given', securityToken });
		expect((await fixture.call('admin', 'get', `${root}/given`)).body.status).to.equal('WAITING_FOR_CONNECTION');
		expectRefusal(await accept('given'), 422, /has not asked for its credentials with the bootstrap user and its security token/);
		await poll({ id: 'given', securityToken: 'right' });
		expect((await accept('given')).body.status).to.equal('ACCEPTED');
		expect((await poll({ id: 'given', securityToken: 'right' })).status).to.equal(201);
	});

	it('blocks a registration after too many wrong tokens, until it is made anew', async () => {
		await expectDevice({ id: 'guessed' });
		await poll({ id: 'guessed', securityToken: 'right' });
		await poll({ id: 'guessed', securityToken: 'guess' });
		for (const securityToken of ['guess 1', 'guess 2'])
			expect((await accept('guessed', { status: 'ACCEPTED', securityToken })).status).to.equal(422);
		expect((await fixture.call('admin', 'get', `${root}/guessed`)).body.status).to.equal('BLOCKED');
		expectRefusal(
			await accept('guessed', { status: 'ACCEPTED', securityToken: 'right' }),
			409,
			/is blocked after too many wrong security tokens: remove it/,
		);
		expect((await poll({ id: 'guessed', securityToken: 'right' })).status).to.equal(404);
		expect((await fixture.call('admin', 'delete', `${root}/guessed`)).status).to.equal(204);
		expect((await expectDevice({ id: 'guessed' })).body.status).to.equal('WAITING_FOR_CONNECTION');
	});

	it('asks for tokens as the tenant says', async () => {
		expectRefusal(await setPolicy('SOMETIMES'), 422, /must be one of IGNORED, OPTIONAL, REQUIRED, found 'SOMETIMES'/);
		expect((await setPolicy('REQUIRED')).status).to.equal(200);
		await expectDevice({ id: 'policy' });
		await poll({ id: 'policy' });
		expect((await fixture.call('admin', 'get', `${root}/policy`)).body.status).to.equal('WAITING_FOR_CONNECTION');
		expectRefusal(await accept('policy'), 422, /and its security token, which is required here/);
		await poll({ id: 'policy', securityToken: 'right' });
		expect((await accept('policy')).status).to.equal(422);
		await setPolicy('IGNORED');
		expect((await accept('policy')).status).to.equal(200);
		expect((await poll({ id: 'policy' })).status).to.equal(201);
		await setPolicy('OPTIONAL');
	});

	it('refuses a device that asks again and again, and goes on a minute later', async () => {
		fixture.time += 61_000;
		await expectDevice({ id: 'eager' });
		for (let times = 0; times < 20; times++) expect((await poll({ id: 'eager' })).status).to.equal(404);
		expectRefusal(await poll({ id: 'eager' }), 404, /'eager' asks too often: 20 times a minute will do/);
		expect((await poll({ id: 'other' })).status).to.equal(404);
		await accept('eager');
		fixture.time += 61_000;
		expect((await poll({ id: 'eager' })).status).to.equal(201);
	});

	it('expects so many devices of a tenant and no more', async () => {
		const { statistics } = (await fixture.call('admin', 'get', `${root}?pageSize=1&withTotalElements=true`)).body;
		for (let index = statistics.totalElements; index < 20; index++) await expectDevice({ id: `many ${index}` });
		expectRefusal(await expectDevice({ id: 'one more' }), 409, /expects 20 devices already/);
		expect((await fixture.call('otherAdmin', 'post', root, { body: { id: 'one more' } })).status).to.equal(201);
		for (let index = statistics.totalElements; index < 20; index++)
			await fixture.call('admin', 'delete', `${root}/many%20${index}`);
	});

	describe('by a file', () => {
		const send = async (...lines: readonly string[]) => {
			const head = 'ID,AUTH_TYPE,CREDENTIALS,ENROLLMENT_OTP,IDTYPE,PATH';
			const file = fileForm([head, ...lines, ''].join('\n'));
			return (await fixture.call('admin', 'post', '/devicecontrol/bulkNewDeviceRequests', file)).body.lines;
		};
		const findObject = async (serial: string, type = 'c8y_Serial') =>
			(await fixture.call('admin', 'get', `/identity/externalIds/${type}/${serial}`)).body.managedObject?.id;
		const countNamed = async (name: string) =>
			(await fixture.call('admin', 'get', `/inventory/managedObjects?query=name%20eq%20'${name}'`)).body.managedObjects.length;

		it('stores a device with its credentials, other id and group', async () => {
			const [made] = await send('line-1,BASIC,password-1,,imei,plant/hall');
			expect(made.bulkNewDeviceStatus).to.equal('CREATED');
			const id = await findObject('line-1');
			expect(await findObject('line-1', 'imei')).to.equal(id);
			const { body } = await fixture.call('admin', 'get', `/inventory/managedObjects/${id}?withParents=true`);
			expect(body.assetParents.references[0].managedObject.name).to.equal('hall');
			const headers = { Authorization: basic('t1/device_line-1:password-1') };
			expect((await fixture.call(undefined, 'get', '/tenant/currentTenant', { headers })).status).to.equal(200);
			const [again] = await send('line-1,BASIC,password-2,,imei,plant/hall');
			expect(again.bulkNewDeviceStatus).to.equal('CREDENTIAL_UPDATED');
		});

		const refused: readonly (readonly [what: string, before: (id: string) => Promise<unknown>, line: string, reason: RegExp])[] =
			[
				['is expected already', (id) => expectDevice({ id }), ',CERTIFICATES,,password-1,,', /A registration for '.*' exists/],
				[
					'another tenant expects',
					(id) => fixture.call('otherAdmin', 'post', root, { body: { id } }),
					',CERTIFICATES,,password-1,,',
					/exists/,
				],
				[
					'somebody has disabled',
					async (id) => {
						await fixture.services.access.users.set('t1', `device_${id}`, 'password-0', 'device');
						await fixture.call('admin', 'put', `/user/t1/users/device_${id}`, { body: { enabled: false } });
					},
					',BASIC,password-1,,,',
					/was disabled/,
				],
				[
					'has the other id of another one',
					(id) => send(`other-of-${id},BASIC,password-1,,,`).then(async () => bindTo(`other-of-${id}`, 'imei', id)),
					',BASIC,password-1,,imei,',
					/The external id 'imei\/.*' is taken/,
				],
			];
		const bindTo = async (serial: string, type: string, externalId: string) =>
			fixture.call('admin', 'post', `/identity/globalIds/${await findObject(serial)}/externalIds`, {
				body: { type, externalId },
			});
		for (const [index, [what, before, line, reason]] of refused.entries())
			it(`leaves nothing behind of a device that ${what}`, async () => {
				const id = `refused-${index}`;
				await before(id);
				const usersBefore = await fixture.services.access.users.find('t1', `device_${id}`);
				const [made] = await send(`${id}${line}group-of-${id}`);
				expect(made).to.include({ bulkNewDeviceStatus: 'FAILED' });
				expect(made.failureReason).to.match(reason);
				expect(await findObject(id)).to.equal(undefined);
				expect(await countNamed(`group-of-${id}`)).to.equal(0);
				expect(await fixture.services.access.users.find('t1', `device_${id}`)).to.deep.equal(usersBefore);
			});
	});

	describe('of a device whose user was disabled', () => {
		const user = '/user/t1/users/device_off';
		const refusal = /User 'device_off' was disabled, and a registration does not enable it: PUT \/user\/t1\/users\/device_off/;
		const enable = (enabled: boolean) => fixture.call('admin', 'put', user, { body: { enabled } });
		before(async () => {
			fixture.time += 61_000;
			await register({ id: 'off' });
			expect((await enable(false)).status).to.equal(200);
		});

		it('is refused, and leaves it disabled', async () => {
			expectRefusal(await expectDevice({ id: 'off' }), 409, refusal);
			const bulk = await fixture.call(
				'admin',
				'post',
				'/devicecontrol/bulkNewDeviceRequests',
				fileForm(
					'ID,AUTH_TYPE,CREDENTIALS,ENROLLMENT_OTP\noff,BASIC,password-1,\noff,CERTIFICATES,,\noff,CERTIFICATES,,password-2\n',
				),
			);
			expect(bulk.body.lines).to.have.length(3);
			for (const each of bulk.body.lines) expect(each.failureReason).to.match(refusal);
			expect((await fixture.call('admin', 'get', user)).body.enabled).to.equal(false);
		});

		it('does not go on where it was disabled meanwhile, and does when it is enabled', async () => {
			await enable(true);
			await expectDevice({ id: 'off' });
			await poll({ id: 'off' });
			await enable(false);
			expectRefusal(await accept('off'), 409, refusal);
			await enable(true);
			expect((await accept('off')).status).to.equal(200);
			await enable(false);
			expect((await poll({ id: 'off' })).status).to.equal(404);
			expect((await fixture.call('admin', 'get', user)).body.enabled).to.equal(false);
			await enable(true);
			expect((await poll({ id: 'off' })).status).to.equal(201);
		});
	});
});
