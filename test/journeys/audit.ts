import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type AuditRecord, recordSpec, recordStep } from '../../audit/audit-record.ts';
import { openAuditTrail } from '../../audit/index.ts';
import type { ManagedObject } from '../../inventory/index.ts';
import type { Operation } from '../../operations/index.ts';
import { auditTable } from '../../service/audit-table.ts';
import { collections } from '../../service/migrations.ts';
import type { CollectionSpec, DocumentStore, Step, StoredDocument } from '../../store/index.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { eventually } from '../support/eventually.ts';
import { connectFakeDevice, type FakeDevice } from '../support/fake-device.ts';
import { isOnMongoDb, sized } from '../support/named-stores.ts';
import {
	operatorOf,
	processLogin,
	processPassword,
	type ServiceProcess,
	startServiceProcess,
	useServiceProcess,
} from '../support/service-process.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

const main = fileURLToPath(new URL('../../service/main.ts', import.meta.url));
const run = promisify(execFile);

function exported(seq: number, text: string): AuditRecord {
	return {
		_id: `t1/${1_000_000 + seq}`,
		number: 1_000_000 + seq,
		tenant: 't1',
		type: 'Inventory',
		activity: 'made',
		text,
		severity: 'INFORMATION',
		user: 'u',
		application: 'a',
		source: '1',
		time: seq,
		creationTime: Date.now(),
		origin: { channel: 'system' },
		changes: [],
		seq,
		previousHash: '',
		hash: `${seq}`,
	};
}

describe('journeys/audit', function () {
	this.timeout(180_000);
	const { start, folder } = useServiceProcess();
	let database: MongoDatabase | undefined;
	const others: ServiceProcess[] = [];
	beforeEach(() => {
		database = isOnMongoDb ? freshMongoDatabase() : undefined;
	});
	afterEach(async () => {
		for (const other of others.splice(0)) await other.kill();
		await database?.drop();
	});

	function settings(): Record<string, string> {
		const own = { ADMIN_PASSWORD: processPassword, LEASE_SECONDS: '1' };
		return database ? { ...own, MONGODB_URL: database.url, MONGODB_DATABASE: database.database } : own;
	}

	/** Devices that change a fragment again and again, and carry out operations, until they are cut off. */
	async function load(
		service: ServiceProcess,
		round: number,
		name = 'audited',
	): Promise<{ stop: () => void; sent: () => number; ended: Promise<unknown> }> {
		let isOver = false;
		let sent = 0;
		const operator = operatorOf(service);
		const devices = await Promise.all(
			[1, 2, 3].map((n) =>
				connectFakeDevice({ url: service.mqtt, serial: `${name}-${n}`, user: 't1/admin', password: processPassword }),
			),
		);
		const [first] = devices;
		const streams = devices.map(async (device) => {
			await send(device, '114,c8y_Restart');
			for (let n = 0; !isOver; n++) {
				await send(device, [`110,${device.serial},model-${round}-${n},1`, `141,p${n},1,apt,`]);
				sent++;
			}
		});
		const creating = (async () => {
			const id = await eventually(
				'the device is known',
				() => operator.findId(`${name}-1`),
				(found) => found !== undefined,
			);
			await eventually(
				'it supports operations',
				() =>
					operator.createOperation(`${name}-1`, { c8y_Restart: {} }).then(
						() => true,
						() => false,
					),
				(made) => made,
			);
			while (!isOver && id) {
				await operator.createOperation(`${name}-1`, { c8y_Restart: {} });
				if (first) await send(first, ['501,c8y_Restart', '503,c8y_Restart']);
			}
		})();
		return {
			stop: () => {
				isOver = true;
				for (const device of devices) device.drop();
			},
			sent: () => sent,
			ended: Promise.allSettled([...streams, creating]),
		};
	}

	/** What is not acknowledged when the connection ends never will be. */
	async function send(device: FakeDevice, lines: string | string[]): Promise<void> {
		const lost = device.closed.then(() => {
			throw new Error('cut off');
		});
		await Promise.race([device.send(lines), lost]);
	}

	async function openStore(): Promise<DocumentStore> {
		return database ? openMongoStore({ ...database, now: Date.now }) : openSqliteStore({ directory: folder(), now: Date.now });
	}

	async function all<T extends StoredDocument>(store: DocumentStore, name: string): Promise<T[]> {
		const spec = collections.find((each) => each.name === name);
		if (!spec) throw new Error(`no collection ${name}`);
		const found: T[] = [];
		for await (const document of (await store.collection(spec as CollectionSpec<T>)).scan({})) found.push(document);
		return found;
	}

	/** Plays the records of one thing: each says what was before, and what is after; at the end is what is stored. */
	function play(records: readonly AuditRecord[], attribute: string): unknown {
		let value: unknown;
		for (const { changes, text } of records) {
			for (const change of changes.filter((each) => each.attribute === attribute)) {
				expect(change.previousValue, `${text}: ${attribute}`).to.equal(value);
				value = change.newValue;
			}
		}
		return value;
	}

	async function checkRecords(): Promise<number> {
		const store = await openStore();
		try {
			const records = (await all<AuditRecord>(store, 'auditRecords')).filter(({ tenant }) => tenant === 't1');
			const bySource = (type: string, source: string) =>
				records
					.filter(
						(record) => record.type === type && record.source === source && record.activity !== 'Installed software changed',
					)
					// A device's changes come one after the other, and a number is taken before its change is written.
					.sort((a, b) => a.number - b.number);
			const objects = (await all<ManagedObject>(store, 'managedObjects')).filter(({ softwareOf }) => !softwareOf);
			for (const { id, fragments } of objects) {
				const hardware = play(bySource('Inventory', id), 'c8y_Hardware');
				expect(hardware, `hardware of ${id}`).to.equal(fragments.c8y_Hardware && JSON.stringify(fragments.c8y_Hardware));
			}
			const operations = await all<Operation>(store, 'operations');
			for (const { id, status } of operations)
				expect(play(bySource('Operation', id), 'status'), `operation ${id}`).to.equal(status);
			const known = new Set(operations.map(({ id }) => String(id)));
			const told = records.filter(({ type, activity }) => type === 'Operation' && activity === 'Operation created');
			expect(
				told.filter(({ source }) => !known.has(source)),
				'records of operations that are not there',
			).to.deep.equal([]);
			expect(told).to.have.length(operations.length);
			return records.length;
		} finally {
			await store.close();
		}
	}

	/** The command as an operator gives it. */
	async function verify(...words: string[]): Promise<{ code: number; output: string }> {
		const { PATH = '', HOME = '' } = process.env;
		const env = { PATH, HOME, DATA_DIR: folder(), ...settings() };
		return run(process.execPath, ['--import=tsx', main, 'verify-audit', ...words], { env }).then(
			({ stdout }) => ({ code: 0, output: stdout }),
			({ code, stdout, stderr }) => ({ code, output: `${stdout}${stderr}` }),
		);
	}

	it('has no change without its record and no record without its change, killed in the middle again and again', async () => {
		for (let round = 1; round <= 3; round++) {
			const service = await start(settings());
			const running = await load(service, round);
			const enough = sized(60, 6);
			await eventually('devices send', running.sent, (count) => count >= enough, 60_000);
			await service.kill();
			running.stop();
			await running.ended;
		}
		const count = await checkRecords();
		expect(count).to.be.above(sized(100, 10));
		// What was not sealed when it was killed is sealed by the next one.
		const service = await start(settings());
		const operator = operatorOf(service);
		await eventually(
			'all is sealed',
			async () => {
				const page = await operator.http.get<{ auditRecords: { seq?: number }[] }>('/audit/auditRecords?pageSize=50&revert=true');
				return page.auditRecords.every(({ seq }) => seq !== undefined);
			},
			(isSealed) => isSealed,
			30_000,
		);
		expect(await service.end()).to.equal(0);
		const found = await verify();
		expect(found.output).to.match(/ {2}t1: \d+ records in order\n.*--expect t1:\d+:[0-9a-f]{64}\n[\s\S]*All right\n$/);
		expect(found.code).to.equal(0);
		const [, noted = ''] = /--expect (t1:\S+)/.exec(found.output) ?? [];
		expect((await verify('--expect', noted)).code).to.equal(0);
		expect((await verify('--expect', noted.replace(/.{8}$/, '00000000'))).code).to.equal(3);
		expect((await verify('--expect', 'nonsense')).code).to.equal(2);

		// Records go by age when they are a day old, and those up to the fifth are that much older than now.
		const aged = await openStore();
		const sixth = (await all<AuditRecord>(aged, 'auditRecords')).find(({ seq, tenant }) => tenant === 't1' && seq === 6);
		const trail = await openAuditTrail({
			store: aged,
			table: auditTable,
			clock: () => (sixth?.creationTime ?? 0) + 86_400_000,
			elapsed: () => performance.now(),
			limits: { valueMaxCharacters: 1000, changesMax: 100, deviceReports: true, retentionDays: 1 },
			application: 'test',
			onStored: () => undefined,
		});
		expect(await trail.removeOld()).to.be.above(0);
		await aged.close();
		const shortened = await verify('--expect', noted);
		expect(shortened.output).to.match(
			/ {2}t1: \d+ records in order.*; those up to [1-5] were removed by age, as t1\/\d+ tells\n/,
		);
		expect([shortened.code, shortened.output.endsWith('All right\n')]).to.deep.equal([0, true]);

		const store = await openStore();
		const records = await all<AuditRecord>(store, 'auditRecords');
		const one = records.find(({ seq, tenant }) => tenant === 't1' && seq === 7);
		await store.batch([{ kind: 'update', collection: 'auditRecords', id: one?._id ?? '', update: { $set: { user: 'nobody' } } }]);
		await store.close();
		const broken = await verify();
		expect(broken.output).to.match(/t1: BROKEN at 7 \(t1\/\d+\): changed: what it says does not give its hash\n/);
		expect(broken.code).to.equal(3);
	});

	if (!isOnMongoDb)
		it('exports 100,000 records without keeping them in memory', async () => {
			const [count, batch] = [100_000, 2000];
			const store = await openStore();
			await store.collection(recordSpec);
			const text = 'x'.repeat(2000);
			for (let from = 1; from <= count; from += batch) {
				const steps = Array.from({ length: batch }, (_, n): Step => recordStep(exported(from + n, text)));
				await store.batch(steps);
			}
			await store.close();
			const service = await start(settings());
			const residentBytes = async () => {
				const metrics = await (await fetch(`${service.http}/metrics`)).text();
				return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
			};
			const authorization = `Basic ${Buffer.from(`${processLogin.username}:${processPassword}`).toString('base64')}`;
			const before = await residentBytes();
			const answer = await fetch(`${service.http}/audit/auditRecords/export`, { headers: { authorization } });
			let [bytes, lines, most, looked] = [0, 0, 0, 0];
			for await (const chunk of answer.body ?? []) {
				bytes += chunk.length;
				for (const byte of chunk) if (byte === 10) lines++;
				if (bytes - looked < 40_000_000) continue;
				looked = bytes;
				most = Math.max(most, await residentBytes());
			}
			expect(lines).to.equal(count);
			expect(bytes).to.be.above(count * text.length);
			expect(most).to.be.above(0);
			// A part of what went out; the rest of it is what a process takes that has just begun.
			expect(most - before).to.be.below(bytes / 2);
		});

	if (!isOnMongoDb) return;
	it('makes one chain of what several processes record, also when the one that seals is killed', async () => {
		const first = await start(settings());
		const second = await startServiceProcess({ DATA_DIR: folder(), ...settings() });
		others.push(second);
		const running = [await load(first, 1), await load(second, 2, 'other')];
		for (const each of running) await eventually('devices send', each.sent, (count) => count >= 4, 60_000);
		await first.kill();
		running[0]?.stop();
		await eventually('devices send on', running[1]?.sent ?? (() => 0), (count) => count >= 10, 60_000);
		running[1]?.stop();
		await Promise.all(running.map(({ ended }) => ended));
		await eventually(
			'all is sealed',
			async () => (await verify()).output,
			(output) => !output.includes('not in the chain') && output.includes('All right'),
			60_000,
		);
		await checkRecords();
	});
});
