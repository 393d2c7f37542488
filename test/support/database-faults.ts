import { expect } from 'chai';
import { eventually, within } from './eventually.ts';
import { type FaultyMongoDb, useFaultyMongoDb } from './faulty-mongodb.ts';
import { createLedger } from './ledger.ts';
import { isOnMongoDb } from './named-stores.ts';
import { createInstaller, createOperations, noteOperations } from './operation-stream.ts';
import { createPackageStream } from './package-stream.ts';
import { operatorOf, processLogin, processPassword, type ServiceProcess, useServiceProcess } from './service-process.ts';

export const databaseFaultReason = 'the embedded database has no server that could fail: STORES=mongodb';
export const canFailDatabase = isOnMongoDb;

/** Short, so that a fault is over sooner than a test. */
export const shortTimeouts = {
	MONGODB_CONNECT_TIMEOUT_SECONDS: '3',
	MONGODB_HEARTBEAT_SECONDS: '1',
	MONGODB_SERVER_SELECTION_TIMEOUT_SECONDS: '5',
	MONGODB_TRANSACTION_TIMEOUT_SECONDS: '10',
};

/** The real service on a database server that a test lets fail. */
export function useFaultyService() {
	const startDatabase = useFaultyMongoDb();
	const { start } = useServiceProcess();

	return async (settings: Readonly<Record<string, string>> = {}): Promise<[database: FaultyMongoDb, service: ServiceProcess]> => {
		const database = await startDatabase();
		return [database, await start({ ADMIN_PASSWORD: processPassword, ...shortTimeouts, MONGODB_URL: database.url, ...settings })];
	};
}

export type Load = Awaited<ReturnType<typeof startLoad>>;

/** Two devices that send packages, one that does operations, and somebody who creates these; none of them gives up. */
export async function startLoad(service: ServiceProcess) {
	const ledger = createLedger();
	const operator = operatorOf(service);
	const streams = ['stream-1', 'stream-2'].map((serial) => createPackageStream({ serial, login: processLogin, ledger }));
	const clients = (await Promise.all(streams.map(({ connect }) => connect(service.mqtt)))).map(({ client }) => client);
	const installer = createInstaller('installer', ledger);
	const device = await installer.connect(service);
	const refusals: string[] = [];
	let goesOn = true;
	let cutOff = 0;
	for (const { closed } of [...clients, device]) {
		void closed.then(() => {
			if (goesOn) cutOff++;
		});
	}
	const creating = createOperations(
		operator,
		'installer',
		ledger,
		() => goesOn,
		(error) => refusals.push(error instanceof Error ? error.message : String(error)),
	);

	/** Resolves when that much more has been acknowledged of everything. */
	async function flows(packages = 100, operations = 3): Promise<void> {
		const entries = ledger.stream('operations');
		const counts = () => [...streams.map((stream) => stream.countAcknowledged()), entries.countAcknowledged()];
		const before = counts();
		await eventually(
			'everything flows',
			counts,
			(now) => now.every((count, at) => count >= (before[at] ?? 0) + (at < streams.length ? packages : operations)),
			60_000,
		);
	}

	/** Ends it and the service, and compares: nothing acknowledged is lost, every operation was delivered, in order, nobody cut off. */
	async function settle(): Promise<void> {
		goesOn = false;
		await within('the operator ends', creating, 40_000);
		await within('everything sent is acknowledged', Promise.all(streams.map(({ finish }) => finish())), 60_000);
		await noteOperations(operator, 'installer', ledger);
		for (const { noteStored } of streams) await noteStored(operator);
		await eventually(
			'every operation is delivered',
			() => ledger.balance().undelivered.filter((entry) => entry.startsWith('operations ')),
			(undelivered) => undelivered.length === 0,
			60_000,
		);
		const { lost, doubled, strangers, acknowledged } = ledger.balance();
		expect({ lost, doubled, strangers }).to.deep.equal({ lost: [], doubled: [], strangers: [] });
		expect(acknowledged).to.be.above(200);
		expect(installer.again, 'delivered after their end was acknowledged').to.deep.equal([]);
		expect(installer.disordered, 'delivered in another order').to.deep.equal([]);
		expect(cutOff, 'connections that were cut off').to.equal(0);
		expect(refusals.filter((message) => !message.includes(' 503 '))).to.deep.equal([]);
		for (const client of [...clients, device]) client.close();
		expect(await service.end()).to.equal(0);
	}

	return { ledger, operator, refusals, flows, settle };
}

/** One answer without credentials, and the time that it took. */
export async function ask({ http }: ServiceProcess, path: string): Promise<{ status: number; text: string; seconds: number }> {
	const began = performance.now();
	const response = await fetch(new URL(path, http), { signal: AbortSignal.timeout(30_000) });
	return { status: response.status, text: await response.text(), seconds: (performance.now() - began) / 1000 };
}

export async function becomesReady(service: ServiceProcess, status: 200 | 503, withinMilliseconds: number): Promise<void> {
	await eventually(
		`/ready answers ${status}`,
		async () => (await ask(service, '/ready')).status,
		(seen) => seen === status,
		withinMilliseconds,
	);
}
