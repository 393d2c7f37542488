import { expect } from 'chai';
import { createHttpClient } from '../support/http-client.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { connectDevice, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { describeWhere } from '../support/skip.ts';
import { freshMongoDatabase, type MongoDatabase } from '../support/test-store.ts';

describeWhere(isOnMongoDb, 'journeys/first-start', 'processes share MongoDB only, and STORES does not name mongodb', firstStarts);

function firstStarts(this: Mocha.Suite): void {
	this.timeout(120_000);
	let database: MongoDatabase;
	const running: ServiceProcess[] = [];
	beforeEach(() => {
		database = freshMongoDatabase();
	});
	afterEach(async () => {
		await Promise.all(running.splice(0).map((process) => process.kill()));
		await database.drop();
	});

	/** All at the same moment. */
	async function start(count: number): Promise<void> {
		const settings = { MONGODB_URL: database.url, MONGODB_DATABASE: database.database };
		const starts = await Promise.allSettled(Array.from({ length: count }, () => startServiceProcess(settings)));
		running.push(...starts.flatMap((started) => (started.status === 'fulfilled' ? [started.value] : [])));
		for (const started of starts) if (started.status === 'rejected') throw started.reason;
	}

	/** Users and passwords as all processes have shown them. */
	function shown(): string[][] {
		const lines = running.flatMap(({ output }) => output);
		return lines.flatMap((line) => {
			const [, user, password] = /^ {2}(\S+\/\S+) +(\w{24})$/.exec(line) ?? [];
			return user === undefined || password === undefined ? [] : [[user, password]];
		});
	}

	it('of two processes on an empty database shows each password once, and both accept it', async () => {
		await start(2);
		const passwords = shown();
		expect(passwords.map(([user]) => user).sort()).to.deep.equal(['management/admin', 'management/devicebootstrap', 't1/admin']);
		const faults = running.flatMap(({ output }) => output.filter((line) => /"level":[56]0/.test(line)));
		expect(faults).to.deep.equal([]);
		const [left, right] = running;
		for (const [user = '', password = ''] of passwords) {
			for (const { http } of running) {
				const statusOf = async (given: string) =>
					(
						await createHttpClient(http, { user, password: given }).call('POST', '/devicecontrol/deviceCredentials', {
							id: 'new',
						})
					).status;
				expect([await statusOf('wrong'), await statusOf(password)], user).to.deep.equal([
					401,
					user.endsWith('/admin') ? 403 : 404,
				]);
			}
		}
		const password = new Map(passwords.map(([user, text]) => [user, text])).get('t1/admin') ?? '';
		if (!left || !right) throw new Error('there are no two processes');
		// What comes in by one is there for the other: it is one database.
		const device = await connectDevice(left, 'first-1', { password });
		await device.send('140,a,1,apt,');
		device.drop();
		const asked = createHttpClient(right.http, { user: 't1/admin', password });
		expect(await asked.get('/identity/externalIds/c8y_Serial/first-1')).to.deep.include({ externalId: 'first-1' });
	});

	it('shows no password again to a process that comes later', async () => {
		await start(1);
		expect(shown()).to.have.length(3);
		await start(1);
		expect(shown()).to.have.length(3);
	});
}
