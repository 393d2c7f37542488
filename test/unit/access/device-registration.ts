import { expect } from 'chai';
import { accessSettings } from '../../support/access-settings.ts';
import { type AccessBench, openAccessBench } from './access-bench.ts';

describe('access/device-registration', () => {
	let bench: AccessBench;
	beforeEach(async () => {
		bench = await openAccessBench();
	});
	afterEach(() => bench.store.close());

	const { pollsPerMinute } = accessSettings.registration;

	/** How many of so many questions are looked at. */
	async function lookedAt(serial: string, howMany: number): Promise<number> {
		let looked = 0;
		for (let each = 0; each < howMany; each++)
			await bench.access.registration.poll(serial).then(
				() => looked++,
				(error: { code: string }) => expect(error.code).to.equal('access/notFound'),
			);
		return looked;
	}

	it('looks at so many questions of a device a minute, and counts each device for itself', async () => {
		expect(await lookedAt('dev', pollsPerMinute + 2)).to.equal(pollsPerMinute);
		expect(await lookedAt('other', 1)).to.equal(1);
		bench.clock.now += 59_999;
		expect(await lookedAt('dev', 1)).to.equal(0);
		bench.clock.now += 1;
		expect(await lookedAt('dev', 1)).to.equal(1);
	});

	it('remembers nothing of what can be no device', async () => {
		expect(await lookedAt('x'.repeat(255), pollsPerMinute + 2)).to.equal(pollsPerMinute + 2);
	});
});
