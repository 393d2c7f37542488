import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { within } from '../support/eventually.ts';
import { connectDevice, failedStart, operatorOf, processPassword, useServiceProcess } from '../support/service-process.ts';

describe('journeys/damaged-store', function () {
	this.timeout(120_000);
	const { folder, start } = useServiceProcess();
	const settings = () => ({ ADMIN_PASSWORD: processPassword, DATA_DIR: folder() });

	/** A store that a device with 500 packages has used, after a clean end; its file. */
	async function fill(): Promise<string> {
		const service = await start(settings());
		const device = await connectDevice(service, 'damaged-1');
		await device.send(`140${Array.from({ length: 500 }, (_, n) => `,package-${n},1,apt,http://h/${n}`).join('')}`);
		await device.close();
		expect(await service.end()).to.equal(0);
		return join(folder(), 'store.db');
	}

	for (const [what, keep] of [
		['cut off', (size: number) => size / 2],
		['empty', () => 0],
	] as const) {
		it(`ends with 1 and says what to do when the database is ${what}`, async () => {
			const file = await fill();
			truncateSync(file, keep(readFileSync(file).length));
			const said = await failedStart(settings());
			expect(said).to.match(/the process ended with 1/);
			expect(said).to.match(
				new RegExp(`DATA_DIR: the database file ${file} is damaged: it is ${what}.*npm run restore -- FILE DATA_DIR`),
			);
		});
	}

	it('ends with 1 when damage comes to light while it runs', async () => {
		const file = await fill();
		const bytes = readFileSync(file);
		for (let at = 4096; at < bytes.length; at += 4096) {
			if (bytes.subarray(at, at + 4096).includes('"name":"package-')) bytes.fill(0xa5, at, at + 8);
		}
		writeFileSync(file, bytes);
		const service = await start({ ...settings(), STORE_CHECK_MAX_BYTES: '0' });
		const operator = operatorOf(service);
		// The answer may or may not get through before the process is gone.
		await operator.softwareOf('damaged-1').catch(() => {});
		expect(await within('the process has ended', service.ended)).to.equal(1);
		expect(service.output.join('\n'))
			.to.include('the store has failed')
			.and.match(new RegExp(`the database file ${file} is damaged: .*npm run restore`));
		expect(await failedStart(settings())).to.match(/the process ended with 1\n[\s\S]*is damaged/);
	});
});
