import { createHash, randomBytes } from 'node:crypto';
import { BasicAuth, Client } from '@c8y/client';
import { expect } from 'chai';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

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

	it('keeps a package in the repository, with its file', async () => {
		const binary = await upload({});
		const software = await client.inventory.create({
			type: 'c8y_Software',
			name: 'tool',
			description: 'a tool',
			softwareType: 'apt',
			c8y_Filter: { type: 'c8y_Linux' },
			c8y_Global: {},
		});
		const version = await client.inventory.create({
			type: 'c8y_SoftwareBinary',
			c8y_Software: { version: '1.0', url: binary.data.self },
			c8y_Global: {},
		});
		for (const { res } of [software, version]) expect(res.status).to.equal(201);
		const found = await client.inventory.list({ type: 'c8y_SoftwareBinary' });
		expect(found.data.map(({ c8y_Software }) => c8y_Software)).to.deep.equal([{ version: '1.0', url: binary.data.self }]);
		const renamed = await client.inventory.update({ ...software.data, description: 'the tool' });
		expect(renamed.data.description).to.equal('the tool');
		for (const { data } of [version, binary, software])
			expect((await client.inventory.delete(String(data.id), { forceCascade: true })).res.status).to.equal(204);
		expect((await client.inventoryBinary.list()).data).to.deep.equal([]);
	});
});
