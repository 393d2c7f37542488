import { expect } from 'chai';
import { parseOperationId } from '../../operations/index.ts';
import { bytes, binariesPath as root, useBinaryFixture } from '../support/binary-fixture.ts';
import { tenant } from '../support/http-fixture.ts';
import { fileForm } from '../support/multipart.ts';

const objects = '/inventory/managedObjects';
const operations = '/devicecontrol/operations';
const supported = { c8y_SupportedOperations: ['c8y_SoftwareUpdate', 'c8y_Firmware'], com_cumulocity_model_Agent: {} };

describe('http/binary-removal', () => {
	const { fixture, upload } = useBinaryFixture();
	let deviceId: string;
	let binary: string;
	let other: string;
	beforeEach(async () => {
		deviceId = await fixture().createDevice(supported);
		binary = await upload(fileForm(bytes, { name: 'tool.deb' }));
		other = await upload(fileForm('others'));
	});

	const urlOf = (id: string) => `https://c8y.example.com${root}/${id}`;
	const install = (...ids: string[]) => ({
		c8y_SoftwareUpdate: ids.map((id, index) => ({ name: `p${index}`, version: '1', url: urlOf(id), action: 'install' })),
	});

	async function ask(fragments: object, to = deviceId): Promise<string> {
		const answer = await fixture().call('admin', 'post', operations, { body: { deviceId: to, ...fragments } });
		expect(answer.status, answer.text).to.equal(201);
		return answer.body.id;
	}

	async function statusOf(id: string): Promise<[string, string | undefined]> {
		const { body } = await fixture().call('admin', 'get', `${operations}/${id}`);
		return [body.status, body.failureReason];
	}

	const reason = () => `The binary '${binary}' (tool.deb) was removed before the operation reached the device`;

	it('fails what names the binary and has not reached its device, of every device, and nothing else', async () => {
		const second = await fixture().createDevice(supported);
		const waiting = [
			await ask(install(other, binary)),
			await ask({ c8y_Firmware: { name: 'f', version: '1', url: urlOf(binary) } }),
			await ask(install(binary), second),
		];
		const untouched = [await ask(install(other)), await ask(install(other), second)];
		expect((await fixture().call('admin', 'delete', `${root}/${binary}`)).status).to.equal(204);
		for (const id of waiting) expect(await statusOf(id)).to.deep.equal(['FAILED', reason()]);
		for (const id of untouched) expect(await statusOf(id)).to.deep.equal(['PENDING', undefined]);
	});

	it('leaves to the device what it has been given', async () => {
		const [delivered, executing, done] = [await ask(install(binary)), await ask(install(binary)), await ask(install(binary))];
		for (const id of [delivered, executing, done]) await fixture().services.operations.setDelivered(tenant, parseOperationId(id));
		for (const [id, status] of [
			[executing, 'EXECUTING'],
			[done, 'SUCCESSFUL'],
		])
			await fixture().call('admin', 'put', `${operations}/${id}`, { body: { status } });
		await fixture().call('admin', 'delete', `${root}/${binary}`);
		for (const [id, status] of [
			[delivered, 'PENDING'],
			[executing, 'EXECUTING'],
			[done, 'SUCCESSFUL'],
		] as const)
			expect(await statusOf(id)).to.deep.equal([status, undefined]);
	});

	for (const [how, remove] of [
		['as a managed object', () => fixture().call('admin', 'delete', `${objects}/${binary}`)],
		['with the software that it is below', removeWithSoftware],
	] as const) {
		it(`is the same ${how}`, async () => {
			const id = await ask(install(binary));
			expect((await remove()).status).to.equal(204);
			expect(await statusOf(id)).to.deep.equal(['FAILED', reason()]);
			expect((await fixture().call('admin', 'get', `${objects}/${binary}`)).status).to.equal(404);
		});
	}

	async function removeWithSoftware() {
		const { body: software } = await fixture().call('admin', 'post', objects, { body: { type: 'c8y_Software', name: 'tool' } });
		const { body: version } = await fixture().call('admin', 'post', `${objects}/${software.id}/childAdditions`, {
			body: { type: 'c8y_SoftwareBinary', c8y_Software: { version: '1', url: urlOf(binary) } },
		});
		await fixture().call('admin', 'post', `${objects}/${version.id}/childAdditions`, { body: { managedObject: { id: binary } } });
		return fixture().call('admin', 'delete', `${objects}/${software.id}?forceCascade=true`);
	}

	it('fails nothing when the removal is refused', async () => {
		const id = await ask(install(other));
		const refused = await fixture().call('device', 'delete', `${root}/${other}`);
		expect(refused.status).to.equal(403);
		const unmatched = { headers: { 'if-match': '"0"' } };
		expect((await fixture().call('admin', 'delete', `${root}/${other}`, unmatched)).status).to.equal(412);
		expect(await statusOf(id)).to.deep.equal(['PENDING', undefined]);
	});

	it('fails nothing of another tenant that has the same id in its operations', async () => {
		const { body } = await fixture().call('otherAdmin', 'post', objects, { body: { c8y_IsDevice: {}, ...supported } });
		const answer = await fixture().call('otherAdmin', 'post', operations, {
			body: { deviceId: body.id, ...install(binary) },
		});
		expect(answer.status).to.equal(201);
		await fixture().call('admin', 'delete', `${root}/${binary}`);
		const { body: kept } = await fixture().call('otherAdmin', 'get', `${operations}/${answer.body.id}`);
		expect(kept.status).to.equal('PENDING');
	});
});
