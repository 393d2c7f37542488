import { expect } from 'chai';
import { leaseSpec } from '../../store/lease.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { eventually } from '../support/eventually.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { processPassword, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { describeWhere } from '../support/skip.ts';
import { freshMongoDatabase } from '../support/test-store.ts';

const leaseSeconds = 4;
/** What one of all processes does: it cleans up after those that are gone, removes what is over, and seals the audit. */
const leaseName = 'housekeeping';

describeWhere(
	isOnMongoDb,
	'journeys/lease-handover',
	'processes share MongoDB only, and STORES does not name mongodb',
	function () {
		this.timeout(240_000);
		const running: ServiceProcess[] = [];
		afterEach(async () => {
			await Promise.all(running.splice(0).map((process) => process.kill()));
		});

		/** One process that has the lease, another one that sees it, and who has it at any time. */
		async function startTwo(test: (holder: ServiceProcess, other: ServiceProcess, read: () => Promise<Held>) => Promise<void>) {
			const { drop, ...database } = freshMongoDatabase();
			const store = await openMongoStore({ ...database, now: Date.now });
			try {
				const leases = await store.collection(leaseSpec);
				const read = async (): Promise<Held> => {
					const { holder = '', term = 0, renewals = 0 } = (await leases.get(leaseName)) ?? {};
					return { holder, term, renewals };
				};
				const settings = {
					MONGODB_URL: database.url,
					MONGODB_DATABASE: database.database,
					ADMIN_PASSWORD: processPassword,
					LEASE_SECONDS: String(leaseSeconds),
				};
				const start = async () => {
					const process = await startServiceProcess(settings);
					running.push(process);
					return process;
				};
				const holder = await start();
				await eventually('the lease is held', read, (lease) => lease.holder !== '');
				const other = await start();
				// So often that the other one, which looks as often, has seen it renewed.
				const { renewals: before } = await read();
				await eventually('the lease is kept', read, ({ term, renewals }) => term === 1 && renewals >= before + 3);
				await test(holder, other, read);
			} finally {
				await store.close();
				await drop();
			}
		}

		it('lets the other process take over what only one does when the first is killed, and clean up after it', () =>
			startTwo(async (holder, other, read) => {
				const first = await read();
				await holder.kill();
				const killedAt = performance.now();
				const next = await eventually('the lease is taken over', read, ({ term }) => term > first.term, 3 * leaseSeconds * 1000);
				// On a busy machine with the database of the tests, a look takes its time, too.
				expect((performance.now() - killedAt) / 1000).to.be.below(1.5 * leaseSeconds);
				expect([next.holder === first.holder, next.term]).to.deep.equal([false, 2]);
				await eventually(
					'it cleans up',
					() => other.output.filter((line) => line.includes('"msg":"a process is gone"')),
					(lines) => lines.length === 1 && lines[0]?.includes(first.holder) === true,
				);
			}));

		it('does not let a process have it any more that stood still for longer', () =>
			startTwo(async (holder, _, read) => {
				const first = await read();
				holder.pause();
				const next = await eventually('the lease is taken over', read, ({ term }) => term > first.term, 3 * leaseSeconds * 1000);
				holder.resume();
				await eventually(
					'it sees that the lease is lost',
					() => holder.output.filter((line) => line.includes(`"lease":"${leaseName}"`) && line.includes('"msg":"lease lost"')),
					(lines) => lines.length === 1,
				);
				const later = await eventually('the other one keeps it', read, ({ renewals }) => renewals >= next.renewals + 3);
				expect([later.holder, later.term]).to.deep.equal([next.holder, 2]);
			}));
	},
);

interface Held {
	readonly holder: string;
	readonly term: number;
	readonly renewals: number;
}
