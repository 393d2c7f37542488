import { createHash, randomBytes } from 'node:crypto';
import { BasicAuth, Client, EventBinaryService } from '@c8y/client';
import { expect } from 'chai';
import { createBinaryClient } from '../support/binary-client.ts';
import { bootstrap, type ServiceUnderTest, startService } from '../support/service-fixture.ts';

describe('clients/c8y-client', () => {
	let service: ServiceUnderTest;
	let client: Client;
	before(async () => {
		service = await startService();
		const [tenant, user] = service.admin.user.split('/');
		client = new Client(
			new BasicAuth({ tenant: tenant ?? '', user: user ?? '', password: service.admin.password }),
			service.urls.http,
		);
	});
	after(() => service?.close());

	const content = randomBytes(100_000);
	// In Node, the library takes a Buffer in place of a browser's File, with its name in the description.
	const upload = (fragments: object) => client.inventoryBinary.create(content, { fileName: 'tool_1.0.deb', ...fragments });

	it('uploads, lists, downloads and removes a file', async () => {
		const { res, data } = await upload({ c8y_Global: {} });
		expect(res.status).to.equal(201);
		expect(data).to.include({ name: 'tool_1.0.deb', length: content.length, owner: 'admin' });
		expect(data.self).to.equal(`${service.urls.http}/inventory/binaries/${data.id}`);
		expect(client.inventoryBinary.getIdFromUrl(String(data.self))).to.equal(data.id);

		const id = String(data.id);
		const list = await client.inventoryBinary.list({ pageSize: 10, withTotalPages: true });
		expect(list.data.map((each) => each.id)).to.deep.equal([id]);
		expect(list.paging?.totalPages).to.equal(1);

		const answer = await client.inventoryBinary.download(id);
		expect(Buffer.from(await answer.arrayBuffer()).equals(content)).to.equal(true);

		const detail = await client.inventory.detail(id);
		expect(detail.data).to.deep.include({
			c8y_Global: {},
			c8y_Digest: { sha256: createHash('sha256').update(content).digest('hex') },
		});

		expect((await client.inventoryBinary.delete(id)).res.status).to.equal(204);
		const gone = await client.inventoryBinary.download(id).catch((fault: { res: Response }) => fault.res);
		expect(gone.status).to.equal(404);
	});

	it('adds an event, gives it a file, reads both and removes them', async () => {
		const { data: device } = await client.inventory.create({ name: 'talks', c8y_IsDevice: {} });
		const about = { source: { id: String(device.id) }, type: 'x_Log', time: '2026-11-22T10:00:00Z', text: 'a log' };
		const { res, data: event } = await client.event.create(about);
		expect([res.status, event.text]).to.deep.equal([201, 'a log']);
		const files = new EventBinaryService(client.core);
		const { data: file } = await files.upload(content, event);
		expect(file).to.include({ source: event.id, length: content.length });

		const { data, paging } = await client.event.list({ source: String(device.id), type: 'x_Log', withTotalPages: true });
		expect(data.map(({ id }) => id)).to.deep.equal([event.id]);
		expect(data[0]?.c8y_IsBinary).to.include({ length: content.length });
		expect(paging?.totalPages).to.equal(1);
		const answer = await files.download(event);
		expect(Buffer.from(await answer.arrayBuffer()).equals(content)).to.equal(true);

		expect((await files.delete(event)).res.status).to.equal(204);
		expect((await client.event.delete(String(event.id))).res.status).to.equal(204);
		expect((await client.event.list({ source: String(device.id) })).data).to.deep.equal([]);
	});

	type Found = Readonly<Record<string, unknown>> & { readonly id: string };

	type Query = Exclude<Extract<Parameters<Client['inventory']['listQuery']>[0], { __filter?: unknown }>, readonly unknown[]>;
	type Filter = NonNullable<Query['__filter']>;

	async function find(
		filter: Filter,
		more: object = {},
		order?: Record<string, 1 | -1>,
	): Promise<{ data: Found[]; paging: unknown }> {
		const query = { __filter: filter, ...(order && { __orderby: [order] }) };
		const { data, paging } = await client.inventory.listQuery(query, { pageSize: 50, ...more });
		return { data: data.map((each) => ({ ...each, id: String(each.id) })), paging };
	}

	const versionsBelow = (id: string) => ({ __and: [{ __not: { __has: 'c8y_Patch' } }, { __bygroupid: id }] });

	/** As the web application publishes: file, package unless it is there, version below it, file below the version. */
	async function publish({ type, binaryType, fragment, own }: (typeof kinds)[number], name: string, version: string) {
		const { data: file } = await upload({});
		const known = await find({ type, name });
		const id =
			known.data[0]?.id ??
			String(
				(
					await client.inventory.create({
						type,
						name,
						description: 'd',
						c8y_Filter: { type: 'c8y_Linux' },
						c8y_Global: {},
						...own,
					})
				).data.id,
			);
		const { res, data } = await client.inventory.childAdditionsCreate(
			{ type: binaryType, [fragment]: { version, url: file.self }, c8y_Global: {} },
			id,
		);
		expect(res.status).to.equal(201);
		const linked = await client.inventory.childAdditionsAdd(String(file.id), String(data.id));
		expect(linked.res.status).to.equal(201);
		return { id, version: String(data.id), file: String(file.id), url: String(file.self) };
	}

	const kinds = [
		{ type: 'c8y_Software', binaryType: 'c8y_SoftwareBinary', fragment: 'c8y_Software', own: { softwareType: 'apt' } },
		{ type: 'c8y_Firmware', binaryType: 'c8y_FirmwareBinary', fragment: 'c8y_Firmware', own: {} },
	] as const;
	for (const kind of kinds) {
		const { type, binaryType, fragment, own } = kind;
		it(`publishes, chooses, edits and removes a ${type} with versions and patches`, async () => {
			const one = await publish(kind, "O'Brien (x)", '1.0');
			const two = await publish(kind, "O'Brien (x)", '2.0');
			expect(two.id).to.equal(one.id);
			const { id } = one;
			await client.inventory.childAdditionsCreate(
				{ type: binaryType, [fragment]: { version: '2.0.1', url: one.url }, c8y_Patch: { dependency: '2.0' } },
				id,
			);

			const forDevice = {
				__or: [{ 'c8y_Filter.type': 'c8y_Linux' }, { 'c8y_Filter.type': '' }, { __not: { __has: 'c8y_Filter.type' } }],
			};
			const listed = await find(
				{ __and: [{ type }, { name: '*Brien*' }, forDevice, own] },
				{ withTotalPages: true },
				{ name: 1 },
			);
			expect([listed.data.map((each) => each.id), listed.paging]).to.deep.include([id]);
			expect(listed.paging).to.include({ totalPages: 1, nextPage: null });
			const versions = await find(versionsBelow(id), { withTotalElements: true }, { 'creationTime.date': -1 });
			expect(versions.data.map((each) => each.id)).to.have.members([one.version, two.version]);
			const patches = await find({ __and: [{ 'c8y_Patch.dependency': '2.0' }, { __bygroupid: id }] });
			expect(patches.data.map((each) => each[fragment])).to.deep.equal([{ version: '2.0.1', url: one.url }]);
			const content = { type: binaryType, [`${fragment}.version`]: '1.0', [`${fragment}.url`]: one.url };
			const [exact] = (await find(content, { withParents: true, withChildren: false })).data;
			const parents = exact?.additionParents as { references: { managedObject: { id: string; name: string } }[] };
			expect(parents.references[0]?.managedObject).to.include({ id, name: "O'Brien (x)" });

			// The whole object goes back, as it came.
			const { data: whole } = await client.inventory.detail(id);
			const { data: renamed } = await client.inventory.update({ ...whole, name: 'tool', description: 'the tool' });
			expect([renamed.name, renamed.description, renamed.type]).to.deep.equal(['tool', 'the tool', type]);
			const { data: additions } = await client.inventory.childAdditionsList(id, { pageSize: 100 });
			expect(additions).to.have.length(3);

			const remove = async (each: string) => (await client.inventory.delete(each, { forceCascade: true })).res.status;
			expect(await remove(one.version)).to.equal(204);
			const left = await client.inventoryBinary.list();
			expect(left.data.map((each) => each.id)).to.deep.equal([two.file]);
			expect(await remove(id)).to.equal(204);
			expect((await client.inventoryBinary.list()).data).to.deep.equal([]);
			expect((await find({ __or: [{ type }, { type: binaryType }] })).data).to.deep.equal([]);
		});
	}

	it('keeps a configuration with its file', async () => {
		const { data: file } = await upload({});
		const { data: dump } = await client.inventory.create({
			type: 'c8y_ConfigurationDump',
			name: 'agent',
			url: file.self,
			deviceType: 'c8y_Linux',
			configurationType: 'agent',
			c8y_Global: {},
		});
		await client.inventory.childAdditionsAdd(String(file.id), String(dump.id));
		const found = await find({ type: 'c8y_ConfigurationDump', configurationType: 'agent' });
		expect(found.data.map((each) => each.url)).to.deep.equal([file.self]);
		await client.inventory.delete(String(dump.id), { forceCascade: true });
		expect((await client.inventoryBinary.list()).data).to.deep.equal([]);
	});

	it('installs what it published on a device, which downloads it with its own credentials', async () => {
		const credentials = await service.register('installs-1');
		const device = await service.connect('installs-1', credentials);
		await device.send(['100,Device,c8y_Linux', '114,c8y_SoftwareUpdate', '143,apt']);
		const { data: external } = await client.identity.detail({ type: 'c8y_Serial', externalId: 'installs-1' });
		const deviceId = String(external.managedObject?.id);
		const { data: page } = await client.inventory.detail(deviceId);
		expect(page.c8y_SupportedOperations).to.include('c8y_SoftwareUpdate');

		const published = await publish(kinds[0], 'tool', '1.0');
		const item = { name: 'tool', version: '1.0', url: published.url, softwareType: 'apt', action: 'install' };
		const { res, data: created } = await client.operation.create({
			deviceId,
			description: 'Apply software changes: install "tool" (version: 1.0)',
			c8y_SoftwareUpdate: [item],
		});
		expect([res.status, created.status]).to.deep.equal([201, 'PENDING']);
		expect(await device.nextLine()).to.equal(`529,installs-1,tool,1.0,apt,${published.url},install`);
		await device.send('501,c8y_SoftwareUpdate');
		expect((await createBinaryClient(service.urls.http, credentials).download(published.file)).equals(content)).to.equal(true);
		await device.send(['141,tool,1.0,apt', '503,c8y_SoftwareUpdate']);
		expect((await client.operation.detail(String(created.id))).data.status).to.equal('SUCCESSFUL');
		const last = await client.operation.list({
			deviceId,
			fragmentType: 'c8y_SoftwareUpdate',
			dateFrom: '1970-01-01T00:00:00.000Z',
			dateTo: new Date().toISOString(),
			revert: true,
			pageSize: 1,
		});
		expect(last.data.map(({ id }) => id)).to.deep.equal([created.id]);

		const list = `/service/advanced-software-mgmt/software?deviceId=${deviceId}&currentPage=1&pageSize=50&withTotalPages=true`;
		for (const filter of ['', '&name=*oo*', '&type=apt', '&name=tool&version=1.0']) {
			const { softwareList } = await (await client.core.fetch(list + filter)).json();
			expect(
				softwareList.map(({ name, version }: typeof item) => [name, version]),
				filter,
			).to.deep.equal([['tool', '1.0']]);
		}
		await client.inventory.delete(published.id, { forceCascade: true });
	});

	it('finds that an operation failed whose version was removed before it reached the device', async () => {
		const device = await service.connect('late-1');
		await device.send(['100,Device,c8y_Linux', '114,c8y_SoftwareUpdate', '143,apt']);
		await device.close();
		const published = await publish(kinds[0], 'gone', '1.0');
		const { data: created } = await client.operation.create({
			deviceId: await service.operator.idOf('late-1'),
			c8y_SoftwareUpdate: [{ name: 'gone', version: '1.0', url: published.url, softwareType: 'apt', action: 'install' }],
		});
		expect((await client.inventory.delete(published.version, { forceCascade: true })).res.status).to.equal(204);
		const { data } = await client.operation.detail(String(created.id));
		expect(data.status).to.equal('FAILED');
		expect(data.failureReason).to.match(/^The binary '\d+' \(tool_1\.0\.deb\) was removed before the operation reached/);
		await client.inventory.delete(published.id, { forceCascade: true });
	});

	it('registers devices, one by one with a security token, all at once, and by a file', async () => {
		const { deviceRegistration, deviceRegistrationBulk } = client;
		const [tenantAndUser, password] = [bootstrap.user, bootstrap.password];
		const ask = (id: string, token?: string) =>
			deviceRegistration
				.bootstrap(id, { basicAuth: { user: tenantAndUser, pass: password } }, token)
				.catch((fault: { res: Response }) => ({ res: fault.res, data: undefined }));
		const { data: made } = await deviceRegistration.create({ id: 'js 1' });
		expect(made).to.include({ id: 'js 1', status: 'WAITING_FOR_CONNECTION', tenantId: 't1' });
		expect((await ask('js 1', 'secret')).res.status).to.equal(404);
		expect((await deviceRegistration.detail('js 1')).data.status).to.equal('PENDING_ACCEPTANCE');
		const refused = await deviceRegistration.accept('js 1').catch((fault: { res: Response }) => fault.res.status);
		expect(refused).to.equal(422);
		await deviceRegistration.create({ id: 'js 2' });
		await ask('js 2');
		const { data: all } = await deviceRegistration.acceptAll();
		expect(all.map(({ id, successful }) => ({ id, successful }))).to.deep.equal([
			{ id: 'js 1', successful: false },
			{ id: 'js 2', successful: true },
		]);
		expect((await deviceRegistration.accept('js 1', 'secret')).data.status).to.equal('ACCEPTED');
		expect((await deviceRegistration.list()).data.map(({ id }) => id)).to.deep.equal(['js 1', 'js 2']);
		expect((await ask('js 1', 'secret')).data).to.include({ id: 'js 1', tenantId: 't1', username: 'device_js 1' });
		expect((await deviceRegistration.delete('js 2')).res.status).to.equal(204);
		expect((await deviceRegistration.limit()).data).to.include({ isReached: false });
		// In Node, the library takes a Buffer in place of a browser's File.
		const file = Buffer.from('ID\tCREDENTIALS\tPATH\njs-3\tpassword-3\tPlant/Line\njs-4\tshort\t\n') as unknown as File;
		const { data: bulk } = await deviceRegistrationBulk.create(file);
		expect(bulk).to.include({ numberOfAll: 2, numberOfCreated: 1, numberOfFailed: 1, numberOfSuccessful: 1 });
	});
});
