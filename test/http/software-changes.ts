import { expect } from 'chai';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const root = '/service/advanced-software-mgmt/software';

describe('http/software-changes', () => {
	let fixture: HttpFixture;
	let device: string;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());
	beforeEach(async () => {
		device = await fixture.createDevice({});
	});

	const install = (body: unknown) => fixture.call('admin', 'post', `${root}?deviceId=${device}`, { body });
	const wanted = [
		{ name: 'b', version: '2', softwareType: 'apt', url: 'u', action: 'install' },
		{ name: 'a', version: '1', softwareType: 'apt', action: 'delete' },
	];
	const change = (body: unknown) => fixture.call('admin', 'post', `${root}/changes?deviceId=${device}`, { body });

	it('become an update where the device supports it', async () => {
		device = await fixture.createDevice({ c8y_SupportedOperations: ['c8y_SoftwareUpdate'], c8y_SupportedSoftwareTypes: ['apt'] });
		const { status, body } = await change(wanted);
		expect([status, body.status, body.c8y_SoftwareUpdate]).to.deep.equal([201, 'PENDING', wanted]);
		expect(body.description).to.equal('Apply software changes: install "b" (version: 2), delete "a" (version: 1)');
		expectRefusal(await change([{ ...wanted[0], softwareType: 'rpm' }]), 422, /does not support 'rpm'/);
	});

	it('become the complete list where the device supports only that', async () => {
		device = await fixture.createDevice({ c8y_SupportedOperations: ['c8y_SoftwareList'] });
		await install([
			{ name: 'a', version: '1' },
			{ name: 'b', version: '1' },
			{ name: 'c', version: '1', url: 'u' },
		]);
		const { status, body } = await change(wanted);
		const expected = [
			{ name: 'b', version: '2', url: 'u', softwareType: 'apt' },
			{ name: 'c', version: '1', url: 'u' },
		];
		expect([status, body.c8y_SoftwareList]).to.deep.equal([201, expected]);
	});

	it('are refused where they are wrong, or the device supports neither', async () => {
		expectRefusal(await change(wanted), 422, /supports neither/);
		device = await fixture.createDevice({ c8y_SupportedOperations: ['c8y_SoftwareUpdate'] });
		const rows: readonly (readonly [body: unknown, message: RegExp])[] = [
			[{}, /must be an array/],
			[[], /is empty/],
			[[wanted[0], { ...wanted[1], action: 'remove' }], /\[1\]\.action must be one of install, delete, found 'remove'/],
			[[{ name: 'a', version: '1' }], /\[0\]\.action must be one of install, delete, found nothing/],
			[[{ action: 'install' }], /\[0\]\.name must be text/],
			[[{ ...wanted[0], url: [] }], /\[0\]\.url must be text/],
			[Array.from({ length: 1001 }, () => wanted[0]), /1001 packages: at most 1000/],
		];
		for (const [body, message] of rows) expectRefusal(await change(body), 422, message);
		expect((await fixture.call('admin', 'get', `/devicecontrol/operations?deviceId=${device}`)).body.operations).to.deep.equal(
			[],
		);
	});
});
