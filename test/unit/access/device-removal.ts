import { expect } from 'chai';
import { createDeviceRemoval } from '../../../access/device-removal.ts';
import { openRemovedDevices } from '../../../access/removed-devices.ts';
import { createRequest } from '../../support/certificate-chain.ts';
import { certificateSettings } from '../../support/certificate-settings.ts';
import { useBench } from '../inventory/inventory-bench.ts';
import { openAccessBench } from './access-bench.ts';

const serial = 'pump';
const userName = `device_${serial}`;
const agent = { isAgent: true, withUser: false };

describe('access/device-removal', () => {
	const bench = useBench(openAccessBench);

	/** The removal, with something that happens when it has looked for the user, and not written yet. */
	async function removalWith(between: () => Promise<unknown>) {
		const { access, store, clock } = bench();
		const { users, registration, certificates } = access;
		const removedDevices = await openRemovedDevices({ store, clock });
		const pending = [between];
		const find: typeof users.find = async (...of) => {
			const found = await users.find(...of);
			await pending.pop()?.();
			return found;
		};
		return createDeviceRemoval({ store, users: { ...users, find }, registration, certificates, removedDevices });
	}

	for (const withUser of [false, true]) {
		it(`ends a device that fetches its credentials while it is removed${withUser ? ' with its user' : ''}`, async () => {
			const { registration, users } = bench().access;
			await registration.request('t1', serial);
			await registration.poll(serial);
			await registration.accept('t1', serial);
			let password = '';
			const removal = await removalWith(async () => {
				password = (await registration.poll(serial))?.password ?? '';
			});
			await removal.remove('t1', serial, { isAgent: true, withUser });
			expect(password).not.to.equal('');
			expect(await users.authenticate('t1', userName, password, 'here')).to.deep.equal({
				ok: false,
				reason: withUser ? 'rejected' : 'disabled',
			});
		});
	}

	it('does not give a device its old password back that is registered anew for a certificate', async () => {
		const { registration, users, deviceRemoval } = bench().access;
		const mayCome = async () => (await users.authenticate('t1', userName, 'its password', 'here')).ok;
		await registration.admit('t1', serial, 'its password', {});
		await registration.admit('t1', serial, undefined, {});
		expect(await mayCome(), 'one that was not removed').to.equal(true);
		await deviceRemoval.remove('t1', serial, agent);
		await registration.admit('t1', serial, undefined, {});
		expect(await mayCome()).to.equal(false);
		expect(await users.findPrincipal('t1', userName), 'with a certificate').to.include({ serial });
	});

	it('takes back more certificates than one batch has', async () => {
		const { access, store, clock } = bench();
		await access.registration.admit('t1', serial, undefined, {});
		const { issued } = access.certificates;
		const facts = { tenant: 't1', device: serial, authority: 'a', isRenewal: true, notAfter: clock() + 1_000_000 };
		await store.batch(
			Array.from({ length: 1001 }, (_, index) => issued.issueStep({ ...facts, serialNumber: index.toString(16) })),
		);
		await access.deviceRemoval.remove('t1', serial, agent);
		expect(await issued.count('t1', { device: serial, status: 'VALID' })).to.equal(0);
		expect(await issued.count('t1', { device: serial, status: 'REVOKED' })).to.equal(1001);
	});

	it('renews no certificate of a device that was removed since it logged in', async () => {
		const access = await bench().reopen({ certificates: certificateSettings });
		await access.certificates.authorities.create('t1');
		await access.registration.admit('t1', serial, undefined, {});
		const request = await createRequest(serial);
		await access.certificates.authorities.renewFor('t1', serial, request);
		await access.deviceRemoval.remove('t1', serial, agent);
		const renewal = access.certificates.authorities.renewFor('t1', serial, request);
		expect(await renewal.catch((error: Error) => error.message)).to.equal(
			`The device '${serial}' was removed or disabled meanwhile`,
		);
		expect(await access.certificates.issued.count('t1', { device: serial, status: 'VALID' })).to.equal(0);
	});
});
