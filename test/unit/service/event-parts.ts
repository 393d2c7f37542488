import { expect } from 'chai';
import { pino } from 'pino';
import { load } from '../../../config/index.ts';
import { composeEvents } from '../../../service/event-parts.ts';
import { openInventoryBench, startTime, tenant, useBench } from '../inventory/inventory-bench.ts';

const binaries = { attach: () => Promise.reject(new Error('no file comes here')) };

describe('service/event-parts', () => {
	const bench = useBench(openInventoryBench);

	it('removes events when they are as old as the setting says, and logs how many', async () => {
		const { store, clock, device } = bench();
		const lines: string[] = [];
		const log = pino({}, { write: (line: string) => void lines.push(line) });
		const config = load({ EVENTS_RETENTION_DAYS: '7' });
		const { events, jobs } = await composeEvents({ config, store, binaries, isShared: false, clock, log });
		const event = { source: await device(), type: 't', text: 't', time: startTime, fragments: {} };
		for (let index = 0; index < 3; index++) await events.create(tenant, event);
		const [retention, ...others] = jobs;
		expect([others, retention?.once]).to.deep.equal([[], true]);
		clock.now += 7 * 86_400_000;
		await retention?.run();
		expect([await events.count(tenant, {}), lines]).to.deep.equal([3, []]);
		clock.now += 1;
		await retention?.run();
		expect(await events.count(tenant, {})).to.equal(0);
		expect(lines.map((line) => JSON.parse(line))).to.have.nested.property('[0].removed', 3);
	});
});
