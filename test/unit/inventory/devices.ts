import { expect } from 'chai';
import { agentFragments } from '../../../inventory/index.ts';
import { expectRefusal, idOf, openInventoryBench, tenant, useBench } from './inventory-bench.ts';

const fresh = () => ({ owner: 'o', name: 'n', type: 't', fragments: agentFragments });

describe('inventory/devices', () => {
	const bench = useBench(openInventoryBench);
	const devices = () => bench().inventory.devices;

	it('creates a device once, with its serial', async () => {
		const first = await devices().ensure(tenant, 's', fresh);
		const second = await devices().ensure(tenant, 's', () => {
			throw new Error('not asked for');
		});
		expect([first.created, second.created, second.id]).to.deep.equal([true, false, first.id]);
		expect(await devices().find(tenant, 's')).to.equal(first.id);
		const object = await bench().inventory.objects.get(tenant, first.id);
		expect(object).to.include({ owner: 'o', name: 'n', type: 't' });
		expect(object.fragments).to.have.property('com_cumulocity_model_Agent');
	});

	it('gives ten callers at once one device', async () => {
		const found = await Promise.all(Array.from({ length: 10 }, () => devices().ensure(tenant, 's', fresh)));
		expect(new Set(found.map(({ id }) => id)).size).to.equal(1);
		expect(found.filter(({ created }) => created)).to.have.length(1);
		expect(await bench().inventory.objects.count(tenant, {})).to.equal(1);
	});

	it('gives each tenant its own device of a serial', async () => {
		const [one, two] = [await devices().ensure('t1', 's', fresh), await devices().ensure('t2', 's', fresh)];
		expect(one.id).to.not.equal(two.id);
		expect(await devices().find('t3', 's')).to.equal(undefined);
	});

	it('creates a device anew after it was removed', async () => {
		const first = await devices().ensure(tenant, 's', fresh);
		await bench().inventory.objects.remove(tenant, first.id, []);
		const second = await devices().ensure(tenant, 's', fresh);
		expect(second.created).to.equal(true);
		expect(second.id).to.not.equal(first.id);
	});

	it('stores nothing where what goes with it is refused, and asks for the device anew', async () => {
		let asked = 0;
		const { id } = await devices().ensure(tenant, 's', async () => {
			asked++;
			expect(await bench().inventory.objects.count(tenant, {})).to.equal(0);
			const step = { kind: 'require', collection: 'managedObjects', id: `${tenant}/${asked === 1 ? '1' : ''}` } as const;
			return { ...fresh(), also: (own) => [asked === 1 ? step : { ...step, id: step.id + own }] };
		});
		expect([asked, await devices().find(tenant, 's')]).to.deep.equal([2, id]);
	});

	it('refuses a child of nobody, and a serial that cannot be one, and creates nothing', async () => {
		const child = { ...fresh(), parent: { id: idOf('1'), kind: 'childDevices' as const } };
		await expectRefusal(
			devices().ensure(tenant, 's', () => child),
			'inventory/notFound',
		);
		await expectRefusal(devices().ensure(tenant, 'a\nb', fresh), 'inventory/invalid', 'externalId');
		expect(await bench().inventory.objects.count(tenant, {})).to.equal(0);
	});

	it('lists serials of child devices only, in the order of creation, whatever other children there are', async () => {
		const { id } = await devices().ensure(tenant, 'parent', fresh);
		for (const [serial, kind] of [
			['service1', 'childAdditions'],
			['service2', 'childAdditions'],
			['z', 'childDevices'],
			['a', 'childDevices'],
		] as const)
			await devices().ensure(tenant, serial, () => ({ ...fresh(), parent: { id, kind } }));
		expect(await devices().childSerials(tenant, id, 2)).to.deep.equal(['z', 'a']);
		expect(await devices().childSerials(tenant, id, 1)).to.deep.equal(['z']);
		expect(await devices().childSerials(tenant, idOf('1'), 5)).to.deep.equal([]);
	});
});
