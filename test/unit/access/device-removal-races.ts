import { expect } from 'chai';
import { createDeviceRemoval } from '../../../access/device-removal.ts';
import { openRemovedDevices } from '../../../access/removed-devices.ts';
import { useBench } from '../inventory/inventory-bench.ts';
import { openAccessBench } from './access-bench.ts';

const serial = 'pump';
const userName = `device_${serial}`;
const agent = { isAgent: true, withUser: false };

describe('access/device-removal with others at work', () => {
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
				reason: withUser ? 'rejected' : 'removed',
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
});
