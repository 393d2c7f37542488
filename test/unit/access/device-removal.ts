import { expect } from 'chai';
import { issuedCertificateSpec } from '../../../access/certificates/issued-certificates.ts';
import { createRequest } from '../../support/certificate-chain.ts';
import { type AccessBench, openAccessBench } from './access-bench.ts';

describe('access/device-removal', () => {
	let bench: AccessBench;
	beforeEach(async () => {
		bench = await openAccessBench();
		await bench.access.certificates.authorities.create('t1');
		await bench.access.registration.admit('t1', 'dev', undefined, {});
	});
	afterEach(() => bench.store.close());

	const remove = (withUser: boolean) => bench.access.deviceRemoval.remove('t1', 'dev', { isAgent: true, withUser });
	const valid = () => bench.access.certificates.issued.count('t1', { device: 'dev', status: 'VALID' });

	async function issue(howMany: number): Promise<void> {
		const facts = { tenant: 't1', device: 'dev', authority: 'a', isRenewal: true, status: 'VALID', issueTime: bench.clock() };
		const serialNumbers = Array.from({ length: howMany }, (_, index) => index.toString(16));
		await bench.store.batch(
			serialNumbers.map((serialNumber) => {
				const document = { ...facts, _id: `t1/${serialNumber}`, serialNumber, notAfter: bench.clock() + 86_400_000 };
				return { kind: 'insert', collection: issuedCertificateSpec.name, document };
			}),
		);
	}

	for (const withUser of [false, true])
		it(`takes back every certificate of a device, however many it has${withUser ? ', where its user goes, too' : ''}`, async () => {
			await issue(1100);
			expect(await valid()).to.equal(1100);
			await remove(withUser);
			expect(await valid()).to.equal(0);
		});

	it('locks out of what is no agent only what has a user, or is expected', async () => {
		const { registration, deviceRemoval } = bench.access;
		await registration.request('t1', 'expected');
		const locked: boolean[] = [];
		for (const serial of ['dev', 'expected', 'child']) {
			await deviceRemoval.remove('t1', serial, { isAgent: false, withUser: true });
			locked.push(await deviceRemoval.isRemoved('t1', serial));
		}
		expect(locked).to.deep.equal([true, true, false]);
	});

	it('holds while its user is changed by others, until it is enabled by name', async () => {
		const { access, store } = bench;
		await access.users.create('t1', 'boss', 'password-of-the-boss', 'admin');
		const boss = await access.users.findPrincipal('t1', 'boss');
		if (!boss) throw new Error('there is no boss');
		// As far as a removal has come that meets the change.
		await store.batch(await access.deviceRemoval.steps('t1', 'dev'));
		await access.directory.change(boss, 'device_dev', { email: 'dev@example.com' });
		expect(await access.deviceRemoval.isRemoved('t1', 'dev')).to.equal(true);
		await access.directory.change(boss, 'device_dev', { enabled: true });
		expect(await access.deviceRemoval.isRemoved('t1', 'dev')).to.equal(false);
	});

	it('takes them all back where the user of the device is removed', async () => {
		await issue(1100);
		await bench.access.users.create('t1', 'boss', 'password-of-the-boss', 'admin');
		const boss = await bench.access.users.findPrincipal('t1', 'boss');
		if (!boss) throw new Error('there is no boss');
		await bench.access.directory.remove(boss, 'device_dev');
		expect(await valid()).to.equal(0);
	});

	for (const withUser of [false, true])
		it(`signs nothing for a device that was ${withUser ? 'removed with its user' : 'locked'} meanwhile`, async () => {
			const request = await createRequest('dev');
			await bench.access.certificates.renewFor('t1', 'dev', request);
			expect(await valid()).to.equal(1);
			await remove(withUser);
			const code = await bench.access.certificates.renewFor('t1', 'dev', request).catch((error: { code: string }) => error.code);
			expect([code, await valid()]).to.deep.equal(['access/conflict', 0]);
		});
});
