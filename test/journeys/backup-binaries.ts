import { randomBytes } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from '../../config/index.ts';
import { backUp as backUpInto, restore as restoreInto } from '../../service/backup-commands.ts';
import { createBinaryClient, sha256Of } from '../support/binary-client.ts';
import { eventually } from '../support/eventually.ts';
import { runMain } from '../support/main-process.ts';
import { startService } from '../support/service-fixture.ts';
import { processLogin, processPassword, type ServiceProcess, useServiceProcess } from '../support/service-process.ts';

describe('journeys/backup-binaries', function () {
	this.timeout(120_000);
	const { folder, start } = useServiceProcess();
	const at = (name: string) => join(folder(), name);
	const serve = (name: string) => start({ ADMIN_PASSWORD: processPassword, DATA_DIR: at(name), BINARIES_SWEEP_SECONDS: '1' });
	const binariesOf = ({ http }: ServiceProcess) =>
		createBinaryClient(http, { user: processLogin.username, password: processPassword });
	const backUp = (name: string) => runMain(['backup', at(name)], { settings: { DATA_DIR: at('store') } });
	const restore = (name: string) => runMain(['restore', at(name), at('restored')]);

	/** The file that has this content, wherever it is in a folder. */
	async function fileOf(content: Buffer, name: string): Promise<string> {
		const found = (await readdir(at(name), { recursive: true })).find((path) => path.includes(`/${sha256Of(content)}`));
		if (found === undefined) throw new Error(`no file of that content in ${name}`);
		return join(at(name), found);
	}

	it('has the file of every binary and event, whole, while others come and go', async () => {
		const service = await serve('store');
		const binaries = binariesOf(service);
		const kept = await Promise.all(['equal', 'equal', 'other'].map((text) => binaries.upload(text)));
		const event = await binaries.attach('log');
		const going = { on: true, turns: 0 };
		const coming = (async () => {
			while (going.on) {
				const { id } = await binaries.upload(randomBytes(200_000));
				if (going.turns++ % 3 > 0) await binaries.remove(id);
			}
		})();
		await eventually(
			'files come and go',
			async () => going.turns,
			(turns) => turns > 50,
		);
		const written = await backUp('backup.db');
		going.on = false;
		await coming;
		expect(written.code, written.output).to.equal(0);
		const [, count] =
			/\nbinaries .*backup\.db\.binaries: (\d+) files, \d+ bytes, each with the SHA-256 that it had$/.exec(written.output) ?? [];
		expect((await readdir(folder())).sort()).to.deep.equal(['backup.db', 'backup.db.binaries', 'store']);
		expect((await stat(await fileOf(Buffer.from('equal'), 'backup.db.binaries'))).mode & 0o777).to.equal(0o600);
		await service.kill();

		const restored = await restore('backup.db');
		expect(restored.code, restored.output).to.equal(0);
		const next = await serve('restored');
		const list = await binariesOf(next).list();
		expect(list.map(({ id }) => id)).to.include.members(kept.map(({ id }) => id));
		expect(await binariesOf(next).listWhole()).to.deep.equal(list.map(({ id }) => id));
		expect((await binariesOf(next).downloadOf(event)).toString()).to.equal('log');
		// Two of them share one file; what has been removed may still have its own.
		expect(Number(count)).to.be.at.least(list.length - 1);
		await next.end();
	});

	describe('with files that are not what they were', () => {
		const written = () => backUpInto(load({ DATA_DIR: at('store') }), at('backup.db'));
		const restored = () => restoreInto(load({}), at('backup.db'), at('restored'));
		const refusal = (work: Promise<string>) =>
			work.then(
				() => 'not refused',
				(error: Error) => error.message,
			);
		const content = Buffer.from('content');
		let id: string;
		beforeEach(async () => {
			const service = await startService({ DATA_DIR: at('store') });
			const binaries = createBinaryClient(service.urls.http, service.admin);
			await binaries.upload('first');
			({ id } = await binaries.upload(content));
			await service.close();
		});

		for (const [what, spoil, message] of [
			['damaged', (file: string) => writeFile(file, 'damaged'), /is damaged: its SHA-256 is [0-9a-f]{64}/],
			['missing', (file: string) => rm(file), /is missing/],
		] as const) {
			it(`writes nothing where one is ${what}, and names its binary`, async () => {
				await spoil(await fileOf(content, 'store/binaries'));
				expect(await refusal(written()))
					.to.match(message)
					.and.include(`It belongs to t1/${id} (tenant/id)`);
				expect(await readdir(folder())).to.deep.equal(['store']);
			});

			it(`restores nothing where one is ${what}`, async () => {
				await written();
				const file = await fileOf(content, 'backup.db.binaries');
				await spoil(file);
				expect(await refusal(restored()))
					.to.match(message)
					.and.include(file);
				expect(await readdir(folder())).to.not.include('restored');
				await writeFile(file, content);
				expect(await restored()).to.include('2 files, 12 bytes');
			});
		}

		it('overwrites no files of another backup', async () => {
			await written();
			await rm(at('backup.db'));
			expect(await refusal(written())).to.equal(`${at('backup.db.binaries')} exists: a backup overwrites nothing`);
			await fileOf(content, 'backup.db.binaries');
		});
	});
});
