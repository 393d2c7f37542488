import { expect } from 'chai';
import { basic, type CallOptions, type HttpMethod } from '../support/checked-http-client.ts';
import { type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { multipart } from '../support/multipart.ts';

const objects = '/inventory/managedObjects';
const binaries = '/inventory/binaries';
const software = '/service/advanced-software-mgmt/software';
const vendor = 'application/vnd.com.nsn.cumulocity.managedObject+json';

/** What go-c8y-cli sends, and what its commands read of the answers: spec/clients.md 3.3, 3.4, 3.5, 6.1 and 11.9. */
describe('http/go-c8y-cli', () => {
	let fixture: HttpFixture;
	let deviceId: string;
	beforeEach(async () => {
		fixture = await openHttpFixture();
		deviceId = await fixture.createDevice({ name: 'device', c8y_SupportedOperations: ['c8y_SoftwareUpdate', 'c8y_Firmware'] });
	});
	afterEach(() => fixture.close());

	/** With its headers; it leaves out the tenant. */
	async function send(method: HttpMethod, path: string, options: CallOptions = {}) {
		const headers = {
			Authorization: basic('admin:admin-password'),
			Accept: 'application/json',
			'User-Agent': 'go-client',
			'X-APPLICATION': 'go-client',
			Host: 'c8y.test',
		};
		const answer = await fixture.call(undefined, method, path, { ...options, headers: { ...headers, ...options.headers } });
		expect(answer.status, `${method} ${path} ${answer.text}`).to.be.below(300);
		return answer;
	}

	/** Spaces are plus signs in its addresses. */
	async function find(query: string, parameters: Readonly<Record<string, string>> = {}) {
		const { body } = await send('get', `${objects}?${new URLSearchParams({ query, ...parameters })}`);
		return body.managedObjects;
	}

	const namesOf = (found: readonly { readonly name: string }[]) => found.map(({ name }) => name);

	async function upload(fileName: string, content: string) {
		const file = { name: 'file', fileName, type: 'application/octet-stream', content };
		const object = { name: 'object', content: JSON.stringify({ name: fileName, type: 'application/octet-stream' }) };
		const { status, body } = await send('post', binaries, multipart(file, object));
		expect(status).to.equal(201);
		expect(body).to.include({ name: fileName, length: content.length, self: `http://c8y.test${binaries}/${body.id}` });
		return body;
	}

	/** `software create` and `versions create --file`: ids of the package, its version and the file. */
	async function publish(name: string, version: string) {
		const { body: created } = await send('post', objects, {
			body: {
				type: 'c8y_Software',
				name,
				description: '',
				softwareType: 'apt',
				c8y_Filter: { type: 'c8y_Linux' },
				c8y_Global: {},
			},
		});
		return { id: created.id as string, ...(await publishVersion(created.id, name, version)) };
	}

	async function publishVersion(id: string, name: string, version: string) {
		const file = await upload(`${name}_${version}.deb`, `${name} ${version}`);
		const made = await send('post', `${objects}/${id}/childAdditions`, {
			body: { type: 'c8y_SoftwareBinary', c8y_Software: { version, url: file.self }, c8y_Global: {} },
			type: vendor,
		});
		expect([made.status, made.body.c8y_Software]).to.deep.equal([201, { version, url: file.self }]);
		const linked = await send('post', `${objects}/${made.body.id}/childAdditions`, { body: { managedObject: { id: file.id } } });
		expect([linked.status, linked.body.managedObject.id]).to.deep.equal([201, file.id]);
		return { version: made.body.id as string, file: file.id as string, url: file.self as string };
	}

	it('lists, reads and creates audit records as `auditrecords` does', async () => {
		await send('put', `${objects}/${deviceId}`, { body: { name: 'renamed' } });
		const list = async (parameters: Readonly<Record<string, string>>) =>
			(await send('get', `/audit/auditRecords?${new URLSearchParams({ pageSize: '20', ...parameters })}`)).body;
		const [dateFrom, dateTo] = ['2026-11-20T21:23:30.412+01:00', '2026-11-22T00:00:00Z'];
		const found = await list({ source: deviceId, type: 'Inventory', user: 'admin', dateFrom, dateTo, revert: 'true' });
		expect(found.auditRecords.map(({ text }: { text: string }) => text)).to.deep.equal([
			`Managed object changed: ${deviceId}, renamed`,
			`Managed object created: ${deviceId}, device`,
		]);
		const paged = await list({ source: deviceId, pageSize: '1', currentPage: '2', withTotalPages: 'true' });
		expect([paged.auditRecords.length, paged.statistics.totalPages]).to.deep.equal([1, 2]);
		expect((await list({ application: 'none' })).auditRecords).to.deep.equal([]);
		const { id } = found.auditRecords[0];
		expect((await send('get', `/audit/auditRecords/${id}`)).body).to.deep.equal(found.auditRecords[0]);
		const { body } = await send('post', '/audit/auditRecords', {
			body: {
				type: 'Inventory',
				time: '2026-11-21T21:00:00.123456789+01:00',
				text: 'Managed object updated: my custom object',
				source: { id: deviceId },
				activity: 'Object updated',
				severity: 'information',
			},
		});
		expect(body).to.include({ user: 'admin', byClient: true, severity: 'INFORMATION' });
	});

	it('looks at the tenant of its session without naming it', async () => {
		expect((await send('get', '/tenant/currentTenant')).body.name).to.equal('t1');
	});

	it('creates, finds, lists, edits and deletes software', async () => {
		for (const name of ['python3-requests', 'python3-yaml', 'nginx']) await publish(name, '1.0');
		const listed = await find(
			"$filter=(type eq 'c8y_Software') and (name eq 'python3*') and (softwareType eq 'apt') and (c8y_Filter.type eq 'c8y_Linux') $orderby=name",
		);
		expect(namesOf(listed)).to.deep.equal(['python3-requests', 'python3-yaml']);
		const [nginx] = await find("(type eq 'c8y_Software') and name eq 'nginx'");
		const { body: edited } = await send('put', `${objects}/${nginx.id}`, { body: { description: 'a server' } });
		expect(edited).to.include({ description: 'a server', softwareType: 'apt' });
		expect((await send('delete', `${objects}/${nginx.id}?forceCascade=true`)).status).to.equal(204);
		const all = await find("$filter=(_id gt '0') and (type eq 'c8y_Software') $orderby=_id asc", { pageSize: '2000' });
		expect(namesOf(all)).to.deep.equal(['python3-requests', 'python3-yaml']);
		expect(await find(`$filter=(_id gt '${all[1].id}') and (type eq 'c8y_Software') $orderby=_id asc`)).to.deep.equal([]);
	});

	it('lists the versions of a package with what they are below, patches left out', async () => {
		const { id } = await publish('tool', '1.0');
		fixture.time += 1000;
		await publishVersion(id, 'tool', '1.1');
		await send('post', `${objects}/${id}/childAdditions`, {
			body: { type: 'c8y_SoftwareBinary', c8y_Software: { version: '1.1', url: '' }, c8y_Patch: { dependency: '1.1' } },
			type: vendor,
		});
		const versions = `$filter=bygroupid(${id}) and not(has(c8y_Patch)) and type eq 'c8y_SoftwareBinary'`;
		const order = '$orderby=creationTime.date desc,creationTime desc';
		const listed = await find(`${versions} ${order}`, { withParents: 'true' });
		const versionsOf = (found: readonly { readonly c8y_Software: { readonly version: string } }[]) =>
			found.map(({ c8y_Software }) => c8y_Software.version);
		expect(versionsOf(listed)).to.deep.equal(['1.1', '1.0']);
		for (const { additionParents } of listed)
			expect(additionParents.references[0].managedObject).to.include({ id, name: 'tool' });
		expect(versionsOf(await find(`${versions} and (c8y_Software.version eq '1.0*') ${order}`))).to.deep.equal(['1.0']);
		const patches = await find(`$filter=bygroupid(${id}) and has(c8y_Patch) and (c8y_Patch.dependency eq '1.1')`);
		expect(patches).to.have.length(1);
	});

	it('installs what it looks up, waits for it, and uninstalls by the name alone', async () => {
		const { id, file, url } = await publish('tool', '1.0');
		const [version] = await find(
			`$filter=(c8y_Software.version eq '1.0') and bygroupid(${id}) $orderby=c8y_Software.version,creationTime`,
			{ withParents: 'true' },
		);
		expect(version.additionParents.references[0].managedObject).to.include({ id, name: 'tool' });
		expect(version.c8y_Software).to.deep.equal({ version: '1.0', url });
		for (const item of [
			{ action: 'install', name: 'tool', version: '1.0', url, softwareType: 'apt' },
			{ action: 'install', name: 'tool', version: '', url },
			{ action: 'delete', name: 'tool', softwareType: 'apt' },
		]) {
			const body = { deviceId, description: 'Install software package', c8y_SoftwareUpdate: [item] };
			const created = await send('post', '/devicecontrol/operations', { body });
			expect(created.status).to.equal(201);
			const waiting = await send('get', `/devicecontrol/operations/${created.body.id}`);
			expect(waiting.body).to.deep.include({ status: 'PENDING', c8y_SoftwareUpdate: [item] });
		}
		const download = await send('get', `${binaries}/${file}`);
		expect(download.headers['content-disposition']).to.equal('attachment; filename="tool_1.0.deb"');
	});

	it('deletes a version with its file, and the rest with the package', async () => {
		const { id, version, file } = await publish('tool', '1.0');
		const second = await publishVersion(id, 'tool', '2.0');
		const statusOf = async (path: string) => (await fixture.call('admin', 'get', path)).status;
		await send('delete', `${objects}/${version}?forceCascade=true`);
		expect(await Promise.all([statusOf(`${binaries}/${file}`), statusOf(`${objects}/${id}`)])).to.deep.equal([404, 200]);
		await send('delete', `${objects}/${id}?forceCascade=true`);
		for (const path of [`${objects}/${id}`, `${objects}/${second.version}`, `${binaries}/${second.file}`])
			expect(await statusOf(path)).to.equal(404);
		expect((await send('get', `${binaries}?pageSize=2000&withTotalPages=true`)).body.statistics.totalPages).to.equal(0);
	});

	it('keeps firmware with patches, and configurations', async () => {
		const { body: firmware } = await send('post', objects, {
			body: { type: 'c8y_Firmware', name: 'iot-linux', description: '', c8y_Filter: { type: 'c8y_Linux' }, c8y_Global: {} },
		});
		const add = (fragments: object) =>
			send('post', `${objects}/${firmware.id}/childAdditions`, {
				body: { type: 'c8y_FirmwareBinary', c8y_Global: {}, ...fragments },
				type: vendor,
			});
		await add({ c8y_Firmware: { version: '1.0', url: 'https://example.com/1' } });
		await add({ c8y_Firmware: { version: '1.0.1', url: 'https://example.com/2' }, c8y_Patch: { dependency: '1.0' } });
		const below = `$filter=(type eq 'c8y_FirmwareBinary') and bygroupid(${firmware.id})`;
		const [version, ...others] = await find(`${below} and not(has(c8y_Patch)) $orderby=creationTime.date desc`);
		expect([version.c8y_Firmware.version, others]).to.deep.equal(['1.0', []]);
		const [patch] = await find(`${below} and has(c8y_Patch) and (c8y_Patch.dependency eq '1.0')`);
		expect(patch.c8y_Firmware.version).to.equal('1.0.1');

		const file = await upload('agent.toml', 'a = 1');
		const { body: dump } = await send('post', objects, {
			body: {
				type: 'c8y_ConfigurationDump',
				name: 'agent',
				configurationType: 'agent',
				deviceType: 'c8y_Linux',
				url: file.self,
				c8y_Global: {},
			},
		});
		await send('post', `${objects}/${dump.id}/childAdditions`, { body: { managedObject: { id: file.id } } });
		const found = await find(
			"$filter=(type eq 'c8y_ConfigurationDump') and (name eq 'a*') and (deviceType eq 'c8y_Linux') $orderby=name,creationTime",
		);
		expect(namesOf(found)).to.deep.equal(['agent']);
		await send('put', `${objects}/${dump.id}`, { body: { configurationType: 'main' } });
		for (const id of [dump.id, firmware.id]) await send('delete', `${objects}/${id}?forceCascade=true`);
		expect(await find("type eq 'c8y_ConfigurationDump' or type eq 'c8y_Firmware' or type eq 'c8y_FirmwareBinary'")).to.deep.equal(
			[],
		);
		expect((await send('get', binaries)).body.managedObjects).to.deep.equal([]);
	});

	it('replaces a file by its bytes', async () => {
		const { id } = await upload('tool.deb', 'old');
		const { status, body } = await send('put', `${binaries}/${id}`, { text: 'newer', type: 'application/octet-stream' });
		expect([status, body.length]).to.deep.equal([201, 5]);
	});

	it('lists, sets, adds and deletes installed software', async () => {
		const path = `${software}?deviceId=${deviceId}`;
		const item = (name: string, version: string) => ({ name, version, url: '', softwareType: 'apt' });
		const installed = async () =>
			(await send('get', path)).body.softwareList.map(({ name, version }: Record<string, string>) => `${name} ${version}`);
		await send('post', path, { body: [item('a', '1'), item('b', '2')], type: vendor });
		expect(await installed()).to.deep.equal(['a 1', 'b 2']);
		await send('put', path, { body: [item('c', '3')], type: vendor });
		await send('delete', path, {
			body: [
				{ name: 'a', version: '1' },
				{ name: 'b', version: 'other' },
			],
			type: vendor,
		});
		expect(await installed()).to.deep.equal(['b 2', 'c 3']);
	});
});
