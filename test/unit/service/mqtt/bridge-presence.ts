import { expect } from 'chai';
import { pino } from 'pino';
import type { ManagedObjectId } from '../../../../inventory/index.ts';
import { availabilityOf } from '../../../../service/http/managed-object-json.ts';
import { createPresenceNotes } from '../../../../service/mqtt/bridge-presence.ts';
import { availability } from '../../../../service/mqtt/template-handlers.ts';
import { StoreError } from '../../../../store/index.ts';
import { openInventoryBench, refusal, smallLimits, tenant, useBench } from '../../inventory/inventory-bench.ts';

describe('service/mqtt/bridge-presence', () => {
	const bench = useBench(openInventoryBench);
	const log = pino({ level: 'silent' });
	const promised = { c8y_RequiredAvailability: { responseInterval: 10 } };

	function note(isThere: boolean, serial = 'dev1'): Promise<void> {
		const { inventory, clock } = bench();
		return createPresenceNotes({ inventory, clock, log })(tenant, serial, isThere);
	}

	async function stateOf(id: ManagedObjectId) {
		const { inventory, clock } = bench();
		return availabilityOf(await inventory.objects.get(tenant, id), clock());
	}

	function countAvailable(status: string): Promise<number> {
		return bench().inventory.objects.count(tenant, { query: `$filter=(c8y_Availability.status eq '${status}')` });
	}

	it('makes a device unavailable from when it is gone until it is back, and keeps when it was heard of', async () => {
		const { device, clock } = bench();
		const heard = availability(clock());
		const id = await device('dev1', { ...promised, ...heard });
		clock.now += 1000;
		await note(false);
		expect(await stateOf(id)).to.deep.include({ status: 'UNAVAILABLE', ...heard.c8y_Availability });
		expect([await countAvailable('AVAILABLE'), await countAvailable('UNAVAILABLE')]).to.deep.equal([0, 1]);
		await note(true);
		expect(await stateOf(id)).to.deep.include({ status: 'AVAILABLE', ...availability(clock()).c8y_Availability });
		expect([await countAvailable('AVAILABLE'), await countAvailable('UNAVAILABLE')]).to.deep.equal([1, 0]);
		clock.now += 11 * 60_000;
		expect(await stateOf(id)).to.deep.include({ status: 'UNAVAILABLE' });
	});

	it('takes a heartbeat for a sign that it is back', async () => {
		const { device, clock, inventory } = bench();
		const id = await device('dev1', promised);
		await note(false);
		expect(await stateOf(id)).to.deep.include({ status: 'UNAVAILABLE' });
		await inventory.objects.update(tenant, id, { fragments: availability(clock()) });
		expect(await stateOf(id)).to.deep.include({ status: 'AVAILABLE' });
	});

	it('writes nothing of a device that has promised nothing, or is not known', async () => {
		const { device, writes } = bench();
		const id = await device('dev1');
		const before = await writes();
		for (const isThere of [false, true]) for (const serial of ['dev1', 'nobody']) await note(isThere, serial);
		expect(await writes()).to.equal(before);
		expect(await stateOf(id)).to.equal(undefined);
	});

	it('refuses nothing because an object is as large as it may be, and passes on what the store says', async () => {
		const { device, store } = bench();
		const id = await device('dev1', { ...promised, large: 'x'.repeat(smallLimits.objectMaxBytes - 130) });
		await note(false);
		expect(await stateOf(id)).to.equal(undefined);
		await device('dev2', promised);
		store.beforeBatch = () => {
			throw new StoreError('away');
		};
		expect((await refusal(note(false, 'dev2'))).message).to.equal('away');
	});
});
