import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { createBinaryClient } from '../support/binary-client.ts';
import { eventually } from '../support/eventually.ts';
import { connectFakeDevice } from '../support/fake-device.ts';
import { type Credentials, createHttpClient } from '../support/http-client.ts';
import { type CommandRun, runMigrate } from '../support/main-process.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { createOperator } from '../support/operator.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { didNotRun } from '../support/skip.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

const password = 'password-of-migrate-tests';
const admin: Credentials = { user: 't1/admin', password };
const bootstrap: Credentials = { user: 'management/devicebootstrap', password };
const passwords = { ADMIN_PASSWORD: password, BOOTSTRAP_PASSWORD: password };

describe('journeys/migrate', function () {
	this.timeout(240_000);
	let folder: string;
	const running = new Set<ServiceProcess>();
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'migrate-'));
	});
	afterEach(async () => {
		for (const service of running) await service.kill();
		running.clear();
		rmSync(folder, { recursive: true, force: true });
	});

	async function start(settings: Readonly<Record<string, string>>): Promise<ServiceProcess> {
		const service = await startServiceProcess({ LEASE_SECONDS: '1', ...settings });
		running.add(service);
		return service;
	}

	async function stop(service: ServiceProcess): Promise<void> {
		expect(await service.end()).to.equal(0);
		running.delete(service);
	}

	const operatorOf = ({ http }: ServiceProcess) => createOperator(createHttpClient(http, admin));

	/** Credentials of a device, by the way that devices take. */
	async function register(service: ServiceProcess, serial: string): Promise<Credentials> {
		const [asDevice, operator] = [createHttpClient(service.http, bootstrap), operatorOf(service)];
		await operator.http.post('/devicecontrol/newDeviceRequests', { id: serial });
		await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: serial });
		await operator.http.put(`/devicecontrol/newDeviceRequests/${serial}`, { status: 'ACCEPTED' });
		type Given = Record<'tenantId' | 'username' | 'password', string>;
		const given = await asDevice.post<Given>('/devicecontrol/deviceCredentials', { id: serial });
		return { user: `${given.tenantId}/${given.username}`, password: given.password };
	}

	/** What clients see of everything, without the addresses of the process that answers. */
	async function seenOf(service: ServiceProcess): Promise<string> {
		const { http, softwareOf, namesOf } = operatorOf(service);
		const paths = [
			'/inventory/managedObjects?pageSize=2000',
			'/devicecontrol/operations?pageSize=2000',
			'/devicecontrol/newDeviceRequests',
		];
		const lists = [await softwareOf('move-1'), await namesOf('many-1'), await softwareOf('move-1:child')];
		const pages = await Promise.all(paths.map((path) => http.get(path)));
		return JSON.stringify([lists, pages]).replaceAll(/http:\/\/127[^"/]*/g, '');
	}

	describe('without MongoDB', () => {
		const secret = 's3cret-of-the-url';
		const url = `mongodb://user:${secret}@127.0.0.1:1/db`;

		it('ends with 2 when the words are wrong, and shows no password', async () => {
			const { code, output } = await runMigrate(['sqlite:a', url]);
			expect([code, output]).to.deep.equal([
				2,
				'a word stands alone: right is migrate --from <store> --to <store>; --help tells more',
			]);
		});

		it('is explained', async () => {
			const { code, output } = await runMigrate(['--help']);
			expect([code, output]).to.deep.equal([0, output]);
			expect(output).to.include('--verify').and.include('Ends with 0');
		});

		it('refuses a source that is not there, and does not make it', async () => {
			const missing = join(folder, 'missing');
			const { code, output } = await runMigrate(['--from', `sqlite:${missing}`, '--to', url]);
			expect([code, existsSync(missing)]).to.deep.equal([1, false]);
			expect(output).to.equal(`--from: there is no store in ${missing}`);
		});

		it('refuses a source that a service has open, and a target that does not answer', async () => {
			const service = await start({ DATA_DIR: folder, ...passwords });
			const settings = { MONGODB_SERVER_SELECTION_TIMEOUT_SECONDS: '1' };
			const open = await runMigrate(['--from', `sqlite:${folder}`, '--to', url], { settings });
			expect(open.code).to.equal(1);
			expect(open.output).to.match(/--from: another process has the database open/);
			await stop(service);
			const silent = await runMigrate(['--from', `sqlite:${folder}`, '--to', url], { settings });
			expect(silent.code).to.equal(1);
			expect(silent.output)
				.to.match(/--to: the database did not answer within 1000 ms \(127\.0\.0\.1:1\/db\)/)
				.and.not.include(secret);
		});
	});

	if (!isOnMongoDb) {
		didNotRun('journeys/migrate on MongoDB', 'STORES does not name mongodb');
		return;
	}
	describe('on MongoDB', () => {
		let database: MongoDatabase;
		let url: string;
		let onMongoDb: Readonly<Record<string, string>>;
		beforeEach(() => {
			database = freshMongoDatabase();
			const named = new URL(database.url);
			named.pathname = `/${database.database}`;
			url = named.href;
			onMongoDb = { MONGODB_URL: url };
		});
		afterEach(() => database.drop());

		/** A service on the embedded store with a bit of everything; the credentials of a device. */
		async function fill(
			packages: number,
		): Promise<{ readonly credentials: Credentials; readonly seen: string; readonly pending: string; readonly event: string }> {
			const service = await start({ DATA_DIR: folder, ...passwords });
			const operator = operatorOf(service);
			const credentials = await register(service, 'move-1');
			const device = await connectFakeDevice({ url: service.mqtt, serial: 'move-1', ...credentials });
			await device.send([
				'100,Moving,type',
				'114,c8y_Command,c8y_SoftwareList',
				'140,a,1,apt,http://a,b,2,deb,',
				'101,move-1:child,Child,t',
			]);
			const { id: done } = await operator.createOperation('move-1', { c8y_Command: { text: 'done' } });
			await device.nextLine();
			await device.send(['501,c8y_Command', '503,c8y_Command,result']);
			await operator.reaches(done, 'SUCCESSFUL');
			await device.close();
			const { id: pending } = await operator.createOperation('move-1', { c8y_Command: { text: 'later' } });
			await operator.http.post('/devicecontrol/newDeviceRequests', { id: 'expected-1' });
			const many = await connectFakeDevice({ url: service.mqtt, serial: 'many-1', ...admin });
			await many.send('100,Many,type');
			for (let from = 0; from < packages; from += 500) {
				await many.send(Array.from({ length: 500 }, (_, n) => `141,package-${from + n},1,apt,`));
			}
			await many.close();
			const binaries = createBinaryClient(service.http, admin);
			for (const content of ['equal', 'equal', randomBytes(3_000_000)]) await binaries.upload(content);
			const event = await binaries.attach('log');
			const seen = await seenOf(service);
			await stop(service);
			return { credentials, seen, pending, event };
		}

		async function target() {
			return openMongoStore({ url, now: Date.now });
		}

		async function copied(): Promise<number> {
			const store = await target();
			try {
				return await (await store.collection({ name: 'packages', indexes: [] })).count({});
			} finally {
				await store.close();
			}
		}

		/** Ends the command when it has copied some packages. */
		async function interrupt(signal: 'SIGKILL' | 'SIGTERM'): Promise<CommandRun> {
			const store = await target();
			const packages = await store.collection({ name: 'packages', indexes: [] });
			const before = await packages.count({});
			try {
				let end = (_: 'SIGKILL' | 'SIGTERM') => {};
				const words = ['--from', `sqlite:${folder}`];
				const ended = runMigrate(words, {
					settings: onMongoDb,
					hear: (_, endProcess) => {
						end = endProcess;
					},
				});
				await eventually(
					'packages are copied',
					() => packages.count({}),
					(count) => count > before,
					120_000,
				);
				end(signal);
				return await ended;
			} finally {
				await store.close();
			}
		}

		it('moves everything, killed once in between; devices and operators go on as before', async () => {
			const packages = 15_000;
			const { credentials, seen, pending, event } = await fill(packages);
			expect((await interrupt('SIGKILL')).code).to.equal(null);
			expect(await copied())
				.to.be.greaterThan(0)
				.and.lessThan(packages);
			const refused = await startServiceProcess(onMongoDb).catch((error: Error) => error.message);
			expect(refused).to.include(`this store is an unfinished copy of ${folder}: run the same migrate command again`);

			const stopped = await interrupt('SIGTERM');
			expect(stopped.code).to.equal(4);
			expect(stopped.output).to.match(/Stopped: give the same command again/);
			const before = await copied();
			expect(before).to.be.lessThan(packages);

			const moved = await runMigrate(['--from', `sqlite:${folder}`, '--to', url, '--verify']);
			expect(moved.code, moved.output).to.equal(0);
			expect(moved.output)
				.to.match(/packages +15,002 documents {2}[0-9a-f]{16}/)
				.and.match(/contents +3 documents {2}[0-9a-f]{16}/)
				.and.match(/numbers and contents are those of/);
			const again = await runMigrate(['--from', `sqlite:${folder}`, '--to', url]);
			expect([again.code, await copied()], again.output).to.deep.equal([0, packages + 2]);

			const service = await start(onMongoDb);
			expect(service.output.join('\n')).to.not.include('Generated passwords');
			expect(await seenOf(service)).to.equal(seen);
			expect(await createBinaryClient(service.http, admin).listWhole()).to.have.length(3);
			expect((await createBinaryClient(service.http, admin).downloadOf(event)).toString()).to.equal('log');
			const device = await connectFakeDevice({ url: service.mqtt, serial: 'move-1', ...credentials });
			expect(await device.nextLine()).to.equal('511,move-1,later');
			await device.send(['501,c8y_Command', '503,c8y_Command']);
			const operator = operatorOf(service);
			await operator.reaches(pending, 'SUCCESSFUL');
			const { id: next } = await operator.createOperation('move-1', { c8y_Command: { text: 'next' } });
			expect(Number(next)).to.be.above(Number(pending));
			await device.close();
			await stop(service);
			const late = await runMigrate(['--from', `sqlite:${folder}`, '--to', url]);
			expect(late.code).to.equal(1);
			expect(late.output).to.match(/is not empty \(there are documents in 'managedObjects'\)/);
		});

		it('moves everything back', async () => {
			const { credentials, seen, event } = await fill(0);
			expect((await runMigrate(['--from', `sqlite:${folder}`, '--to', url])).code).to.equal(0);
			const service = await start(onMongoDb);
			const back = join(folder, 'back');
			const used = await runMigrate(['--from', url, '--to', `sqlite:${back}`], { settings: { LEASE_SECONDS: '1' } });
			expect([used.code, used.output.split('\n').at(-1)]).to.deep.equal([
				1,
				`Processes of a service work on MongoDB ${new URL(url).host}/${database.database} (1): stop them first`,
			]);
			await service.kill();
			running.delete(service);
			const moved = await runMigrate(['--from', url, '--to', `sqlite:${back}`, '--verify'], { settings: { LEASE_SECONDS: '1' } });
			expect(moved.code, moved.output).to.equal(0);
			const embedded = await start({ DATA_DIR: back });
			expect(await seenOf(embedded)).to.equal(seen);
			expect(await createBinaryClient(embedded.http, admin).listWhole()).to.have.length(3);
			expect((await createBinaryClient(embedded.http, admin).downloadOf(event)).toString()).to.equal('log');
			const device = await connectFakeDevice({ url: embedded.mqtt, serial: 'move-1', ...credentials });
			expect(await device.nextLine()).to.equal('511,move-1,later');
			await device.close();
			await stop(embedded);
		});
	});
});
