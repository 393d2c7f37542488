import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { createLedger } from '../support/ledger.ts';
import { createPackageStream } from '../support/package-stream.ts';
import { connectDevice, operatorOf, processLogin, processPassword, useServiceProcess } from '../support/service-process.ts';

const main = fileURLToPath(new URL('../../service/main.ts', import.meta.url));
const settings = { ADMIN_PASSWORD: processPassword };
const listLength = 400;

describe('journeys/backup', function () {
	this.timeout(120_000);
	const { folder, start } = useServiceProcess();

	/** Runs the program with these arguments on the test's store: what it prints, or its fault. */
	async function run(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
		const { PATH = '', HOME = '' } = process.env;
		const env = { PATH, HOME, DATA_DIR: join(folder(), 'store') };
		return promisify(execFile)(process.execPath, ['--import=tsx', main, ...args], { env }).then(
			({ stdout }) => ({ code: 0, text: stdout }),
			(error: { readonly code: number; readonly stderr: string }) => ({ code: error.code, text: error.stderr }),
		);
	}

	it('has everything that was acknowledged before it began, and lists whole, while the service goes on', async () => {
		const [store, backup, restored] = ['store', 'backup.db', 'restored'].map((name) => join(folder(), name)) as [
			string,
			string,
			string,
		];
		const service = await start({ ...settings, DATA_DIR: store });
		const ledger = createLedger();
		const streams = ['stream-1', 'stream-2'].map((serial) => createPackageStream({ serial, login: processLogin, ledger }));
		const clients = await Promise.all(streams.map(({ connect }) => connect(service.mqtt)));
		const replaced = await connectDevice(service, 'replaced-1');
		const replacing = { goesOn: true };
		const replacements = Promise.race([replaced.closed, replaceLists(replaced.send, replacing)]);
		const count = () => ledger.balance().acknowledged;
		await eventually('the streams flow', count, (acknowledged) => acknowledged > 5000, 30_000);

		const before = ledger.balance().acknowledged;
		const acknowledgedBefore = streams.map(({ countAcknowledged }) => countAcknowledged());
		const written = await run('backup', backup);
		expect(written.text).to.match(/^backup .*backup\.db: \d+ bytes, written in \d+\.\d s, checked in \d+\.\d s\n$/);
		expect(ledger.balance().acknowledged, 'the service goes on meanwhile').to.be.above(before);
		expect((await stat(backup)).mode & 0o777).to.equal(0o600);
		expect((await readdir(folder())).sort()).to.deep.equal(['backup.db', 'store']);
		await service.kill();
		for (const { client } of clients) client.close();
		replacing.goesOn = false;
		replaced.drop();
		await replacements;

		expect((await run('restore', backup, restored)).code).to.equal(0);
		const next = await start({ ...settings, DATA_DIR: restored });
		const operator = operatorOf(next);
		for (const { noteStored } of streams) await noteStored(operator);
		const { stored, strangers, doubled } = ledger.balance();
		expect({ strangers, doubled }).to.deep.equal({ strangers: [], doubled: [] });
		expect(stored).to.be.at.least(before);
		for (const [index, { serial }] of streams.entries()) {
			// In order: so those that were acknowledged before are the first ones.
			const numbers = (await operator.softwareOf(serial)).map(({ name }) => Number(name.slice('package-'.length)));
			const first = new Set(numbers.filter((number) => number < (acknowledgedBefore[index] ?? 0)));
			expect(first.size).to.equal(acknowledgedBefore[index]);
		}
		const versions = (await operator.softwareOf('replaced-1')).map(({ version }) => version);
		expect(versions).to.have.length(listLength);
		expect(new Set(versions).size, 'one list, whole').to.equal(1);
		expect(await next.end()).to.equal(0);
	});

	it('backs up a store that nobody has open, also after a crash', async () => {
		const service = await start({ ...settings, DATA_DIR: join(folder(), 'store') });
		const device = await connectDevice(service, 'left-1');
		await device.send('140,a,1,apt,http://a');
		await service.kill();
		const bytes = () => readFile(join(folder(), 'store', 'store.db'), 'base64');
		const before = await bytes();
		const { code, text } = await run('backup', join(folder(), "it's a backup.db"));
		expect(text).to.include("it's a backup.db");
		expect(code).to.equal(0);
		expect(await bytes()).to.equal(before);
		await run('restore', join(folder(), "it's a backup.db"), join(folder(), 'new'));
		const next = await start({ ...settings, DATA_DIR: join(folder(), 'new') });
		expect(await operatorOf(next).namesOf('left-1')).to.deep.equal(['a 1']);
		await next.end();
	});

	it('refuses what would overwrite, and what is no whole backup', async () => {
		const service = await start({ ...settings, DATA_DIR: join(folder(), 'store') });
		await service.end();
		const at = (name: string) => join(folder(), name);
		await writeFile(at('taken'), 'mine');
		expect(await run('backup', at('taken')))
			.to.deep.include({ code: 1 })
			.and.property('text')
			.that.includes('taken exists');
		expect(await readFile(at('taken'), 'utf8')).to.equal('mine');
		expect((await run('backup', at('nowhere/file'))).text).to.match(/there is no folder .*nowhere to write the backup into/);
		expect((await run('backup')).code).to.equal(1);
		expect((await run('backup', at('good'))).code).to.equal(0);
		expect((await run('restore', at('good'), at('store'))).text).to.match(/store is not empty/);
		expect((await run('restore', at('good'))).text).to.match(/restore needs the backup and the folder/);
		expect((await run('restore', at('none'), at('new'))).text).to.match(/none does not exist/);
		expect((await run('restore', at('taken'), at('new'))).text).to.match(/the backup .*taken is damaged, or no database/);
		await truncate(at('good'), (await stat(at('good'))).size - 8192);
		expect((await run('restore', at('good'), at('new'))).text).to.match(/is damaged/);
		expect((await run('restore', at('good'), at('new/inside'))).text).to.match(/is damaged/);
		expect(await readdir(folder())).to.not.include('new');
		await mkdir(at('empty'));
		expect((await run('restore', at('good'), at('empty'))).text).to.match(/is damaged/);
		expect(await readdir(at('empty'))).to.deep.equal([]);
	});
});

/** Replaces one list again and again, each time with another version of all its packages, until told or cut off. */
async function replaceLists(send: (payload: string) => Promise<void>, replacing: { goesOn: boolean }): Promise<void> {
	try {
		for (let version = 1; replacing.goesOn; version++) {
			await send(`140${Array.from({ length: listLength }, (_, n) => `,p${n},${version},apt,`).join('')}`);
		}
	} catch {
		// The process was killed.
	}
}
