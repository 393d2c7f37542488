import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Cluster, memberNames, startCluster } from '../../examples/cluster/cluster.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { connectFakeDevice, type FakeDevice } from '../support/fake-device.ts';
import { createHttpClient } from '../support/http-client.ts';
import { createLedger } from '../support/ledger.ts';
import { createOperator, type Operator } from '../support/operator.ts';
import { figure } from '../support/outside-broker-checks.ts';
import { hasProgram } from '../support/programs.ts';
import { describeWhere, skipUnless } from '../support/skip.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

const credentials = { user: 't1/admin', password: 'password-of-balancer-tests' };
const serialsOf = (kind: string) => Array.from({ length: 12 }, (_, index) => `${kind}-${index}`);
const operationsEach = 3;
/** How a request ends that meets documents which a killed process has left in a transaction; it is made again. */
const heldUp = 'the database did not commit a transaction within';

const hasMongoDb = Boolean(process.env.MONGODB_TEST_URL);

describeWhere(hasMongoDb, 'clients/balancer', 'MONGODB_TEST_URL names no MongoDB', function () {
	this.timeout(300_000);
	let folder: string;
	let certificates: CertificateFiles | undefined;
	let database: MongoDatabase | undefined;
	let cluster: Cluster;
	let operator: Operator;
	before(async function () {
		skipUnless(hasProgram('haproxy'), 'haproxy is not installed').call(this);
		folder = mkdtempSync(join(tmpdir(), 'balancer-'));
		certificates = await createCertificateFiles();
		database = freshMongoDatabase();
		const { url: MONGODB_URL, database: MONGODB_DATABASE } = database;
		const settings = {
			MONGODB_URL,
			MONGODB_DATABASE,
			ADMIN_PASSWORD: credentials.password,
			LEASE_SECONDS: '5',
		};
		cluster = await startCluster({ folder, tls: certificates, settings });
		operator = createOperator(createHttpClient(cluster.http, credentials));
	});
	after(async () => {
		await cluster?.stop();
		certificates?.remove();
		await database?.drop();
		if (folder) rmSync(folder, { recursive: true, force: true });
	});

	const connections = () => Promise.all(memberNames.map((name) => figure(cluster.members[name].http, 'mqtt_connections')));

	it('gives each process half of the devices, and an operation reaches those of both', async () => {
		const serials = serialsOf('spread');
		const devices = await Promise.all(serials.map((serial) => connectFakeDevice({ url: cluster.mqtt, serial, ...credentials })));
		expect(await connections()).to.deep.equal([6, 6]);
		for (const device of devices) {
			await device.send('114,c8y_Restart');
			const { id } = await operator.createOperation(device.serial, { c8y_Restart: {} });
			expect(await device.nextLine()).to.equal(`510,${device.serial}`);
			await device.send(['501,c8y_Restart', '503,c8y_Restart']);
			await operator.reaches(id, 'SUCCESSFUL');
		}
		for (const device of devices) await device.close();
	});

	it('passes TLS through: the process shows its certificate', async () => {
		const mqtt = { ca: certificates?.ca };
		const connecting = ['secure-1', 'secure-2'].map((serial) =>
			connectFakeDevice({ url: cluster.mqtts ?? '', serial, mqtt, ...credentials }),
		);
		const devices = await Promise.all(connecting);
		expect(await connections()).to.deep.equal([1, 1]);
		for (const device of devices) {
			await device.send('110,behind TLS');
			expect(await operator.objectOf(device.serial)).to.deep.include({ c8y_Hardware: { serialNumber: 'behind TLS' } });
			await device.close();
		}
	});

	it('keeps to itself what a process tells without credentials', async () => {
		const paths = ['/metrics', '/ready', '/health'];
		expect(await Promise.all(paths.map(async (path) => (await fetch(cluster.http + path)).status))).to.deep.equal([
			404, 404, 404,
		]);
	});

	it('loses nothing that was acknowledged, delivers every operation and refuses none, when both processes are replaced', () =>
		keepAccount('restarted', async (create) => {
			for (const name of memberNames) {
				const [code] = await Promise.all([cluster.members[name].restart(), create()]);
				expect(code).to.equal(0);
			}
		}));

	it('loses nothing of that when a process is killed', () =>
		keepAccount('killed', async (create) => {
			const [atOne = 0, atTwo = 0] = await connections();
			const busier = cluster.members[atOne > atTwo ? 'one' : 'two'];
			// What the process had begun to write keeps the database from changing the same documents for a while.
			await Promise.all([busier.kill(), create(120_000)]);
		}));

	it('says when to ask again, as the service does, while no process is there', async () => {
		const back = Promise.all(memberNames.map((name) => cluster.members[name].kill()));
		const answer = await eventually(
			'no process answers',
			// A request that a process had when it was killed is not answered at all.
			() => fetch(`${cluster.http}/tenant/loginOptions`).catch(() => undefined),
			(said) => said?.status === 503,
		);
		const { error } = JSON.parse((await answer?.text()) ?? '');
		expect({ error, after: answer?.headers.get('retry-after') }).to.deep.equal({ error: 'http/unavailable', after: '5' });
		await back;
	});

	/** What devices are told and what they tell, while `disturb` has its way. */
	async function keepAccount(
		kind: string,
		disturb: (create: (patience?: number) => Promise<void>) => Promise<void>,
	): Promise<void> {
		const serials = serialsOf(kind);
		const [packages, commands] = [createLedger(), createLedger()];
		const ending = new AbortController();
		const fleet = serials.map((serial) => runDevice(serial, ending.signal));
		const created: string[] = [];

		/** Device after device, beside whatever goes on; with patience, what is not answered is asked for again. */
		async function create(patience = 0): Promise<void> {
			for (const serial of Array.from({ length: operationsEach }, () => serials).flat()) {
				const stream = commands.stream(serial);
				const ask = async () => {
					const number = stream.next();
					const operation = await operator.createOperation(serial, { c8y_Command: { text: String(number) } });
					stream.acknowledged(number);
					return operation.id;
				};
				const id =
					patience === 0 ? await ask() : await eventually('it is created', () => ask().catch(() => ''), Boolean, patience);
				created.push(id);
			}
		}

		async function runDevice(serial: string, end: AbortSignal): Promise<number> {
			const sent = packages.stream(serial);
			let connected = 0;
			while (!end.aborted) {
				const device = await connectFakeDevice({ url: cluster.mqtt, serial, ...credentials, topics: ['s/ds'] }).catch(
					() => undefined,
				);
				if (!device) continue;
				connected++;
				const left = device.closed.then(() => false);
				const answers = answerCommands(device, serial);
				let isThere = await Promise.race([device.send('114,c8y_Command').then(() => true), left]);
				while (isThere && !end.aborted) {
					const number = sent.next();
					isThere = await Promise.race([device.send(`141,package-${number},1,,`).then(() => true), left]);
					if (isThere) sent.acknowledged(number);
				}
				await Promise.race([answers.all(), left]);
				device.drop();
				await left;
			}
			return connected;
		}

		function answerCommands(device: FakeDevice, serial: string) {
			let last: Promise<unknown> = Promise.resolve();
			device.client.on('message', (_topic, payload) => {
				const [, text] = /^511,[^,]*,(\d+)$/.exec(payload.toString()) ?? [];
				if (text === undefined) return;
				commands.stream(serial).delivered(Number(text));
				last = last.then(() => Promise.race([device.send(['501,c8y_Command', '503,c8y_Command']), device.closed]));
			});
			return { all: () => last };
		}

		try {
			const isKnown = async (serial: string) => (await operator.findId(serial)) !== undefined;
			const areKnown = async () => (await Promise.all(serials.map(isKnown))).every(Boolean);
			await eventually('all devices are known', areKnown, Boolean, 60_000);
			await eventually(
				'messages are acknowledged',
				() => packages.balance().acknowledged,
				(count) => count > serials.length,
			);
			await disturb(create);
			for (const id of created) await operator.reaches(id, 'SUCCESSFUL', 90_000);
		} finally {
			ending.abort();
		}
		const connected = await Promise.all(fleet);
		expect(Math.max(...connected), 'connections of a device').to.be.above(1);
		for (const serial of serials) {
			const stored = await operator.softwareOf(serial);
			for (const { name } of stored) packages.stream(serial).stored(Number(/^package-(\d+)$/.exec(name)?.[1]));
		}
		const { lost, doubled, strangers } = packages.balance();
		expect({ lost, doubled, strangers }).to.deep.equal({ lost: [], doubled: [], strangers: [] });
		const { undelivered, acknowledged } = commands.balance();
		expect({ undelivered, isAny: acknowledged > 0 }).to.deep.equal({ undelivered: [], isAny: true });
		expect(memberNames.flatMap((name) => faultsIn(cluster.members[name].log))).to.deep.equal([]);
	}
});

function faultsIn(log: string): string[] {
	return readFileSync(log, 'utf8')
		.split('\n')
		.filter((line) => /"level":[56]0/.test(line) && !line.includes(heldUp));
}
