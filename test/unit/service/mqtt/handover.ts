import { expect } from 'chai';
import { pino } from 'pino';
import { type DeviceConnections, openDeviceConnections } from '../../../../inventory/index.ts';
import { createHandover, type Handover } from '../../../../service/mqtt/handover.ts';
import type { Session } from '../../../../service/mqtt/session.ts';
import type { DocumentStore } from '../../../../store/index.ts';
import { openSqliteStore } from '../../../../store/sqlite/index.ts';
import { eventually, within } from '../../../support/eventually.ts';
import { deafTo } from '../../../support/shared-store.ts';

interface Device extends Session {
	readonly closedFor: string[];
}

function device(serial: string): Device {
	const closedFor: string[] = [];
	return {
		principal: { tenant: 't1', userName: 'u', role: 'admin' },
		serial,
		host: '',
		subscriptions: new Map(),
		closed: false,
		closedFor,
		connection: {
			publish: () => {},
			answer: () => {},
			isFull: () => false,
			room: async () => {},
			close: (reason) => void closedFor.push(reason),
		},
	};
}

describe('service/mqtt/handover', () => {
	let store: DocumentStore;
	let connections: DeviceConnections;
	const gone = new Set<string>();
	const logged: string[] = [];
	const log = pino({ base: undefined }, { write: (line: string) => void logged.push(line) });
	beforeEach(async () => {
		store = await openSqliteStore({ directory: ':memory:', now: Date.now });
		connections = await openDeviceConnections({ store });
		gone.clear();
		logged.length = 0;
	});
	afterEach(() => store.close());

	async function process(name: string, options: { hears?: boolean; waitMilliseconds?: number } = {}): Promise<Handover> {
		const { hears = true, waitMilliseconds = 60_000 } = options;
		return createHandover({
			connections: await openDeviceConnections({ store: hears ? store : deafTo(store) }),
			process: name,
			isGone: async (id) => gone.has(id),
			isSilent: () => false,
			waitMilliseconds,
			log,
		});
	}

	const waits = (handover: Handover, session: Session) => handover.predecessor(session) !== null;
	const record = () => connections.find('t1/dev');

	it('lets a device begin at once that is connected nowhere else', async () => {
		const a = await process('a');
		const session = device('dev');
		await a.claim(session);
		expect(waits(a, session)).to.equal(false);
		a.ended(session, undefined);
		await a.close();
		expect(await record()).to.equal(undefined);
	});

	it('closes the connection to another process, and begins when its messages are handled', async () => {
		const [a, b] = [await process('a'), await process('b')];
		const [before, now] = [device('dev'), device('dev')];
		await a.claim(before);
		await b.claim(now);
		await eventually(
			'it is closed',
			() => before.closedFor.length,
			(count) => count === 1,
		);
		let handled = () => {};
		a.ended(before, new Promise<void>((resolve) => (handled = resolve)));
		await store.ping();
		expect(waits(b, now)).to.equal(true);
		handled();
		await within('it may begin', b.predecessor(now) ?? Promise.resolve());
		await eventually('nobody is waited for', record, (found) => found?.waits === 0);
		expect(now.closedFor).to.deep.equal([]);
		b.ended(now, undefined);
		await b.close();
		expect(await record()).to.equal(undefined);
	});

	it('waits for all that came before, not only for the last', async () => {
		const [a, b, c] = [await process('a'), await process('b'), await process('c')];
		const sessions = [device('dev'), device('dev'), device('dev')] as const;
		await a.claim(sessions[0]);
		await b.claim(sessions[1]);
		await c.claim(sessions[2]);
		await eventually(
			'both are closed',
			() => sessions[0].closedFor.length + sessions[1].closedFor.length,
			(count) => count === 2,
		);
		let handled = () => {};
		a.ended(sessions[0], new Promise<void>((resolve) => (handled = resolve)));
		// The second has had no message, and is done without waiting; or waits with the third.
		b.ended(sessions[1], undefined);
		await store.ping();
		expect(waits(c, sessions[2])).to.equal(true);
		handled();
		await within('it may begin', c.predecessor(sessions[2]) ?? Promise.resolve());
		await Promise.all([a.close(), b.close()]);
		expect(await record()).to.deep.include({ process: 'c', waits: 0, waitsFor: {} });
	});

	it('begins without a process that is gone', async () => {
		const [a, b] = [await process('a', { hears: false }), await process('b')];
		const now = device('dev');
		await a.claim(device('dev'));
		await b.claim(now);
		await b.sweep();
		expect(waits(b, now)).to.equal(true);
		gone.add('a');
		await b.sweep();
		await within('it may begin', b.predecessor(now) ?? Promise.resolve());
	});

	it('begins after the longest time, and says so', async () => {
		const [a, b] = [await process('a', { hears: false }), await process('b', { waitMilliseconds: 20 })];
		const now = device('dev');
		await a.claim(device('dev'));
		await b.claim(now);
		await within('it may begin', b.predecessor(now) ?? Promise.resolve());
		expect(logged.join()).to.include('did not end in time').and.to.include('"level":40');
		await eventually('nobody is waited for', record, (found) => found?.waits === 0);
	});

	it('hands over by looking alone, where no change is heard of', async () => {
		const [a, b] = [await process('a', { hears: false }), await process('b', { hears: false })];
		const [before, now] = [device('dev'), device('dev')];
		await a.claim(before);
		await b.claim(now);
		await a.sweep();
		expect(before.closedFor).to.have.length(1);
		a.ended(before, undefined);
		await a.close();
		expect(waits(b, now)).to.equal(true);
		await b.sweep();
		expect(waits(b, now)).to.equal(false);
	});

	it('answers for sessions that have ended, or never began', async () => {
		const [a, b] = [await process('a'), await process('b')];
		await connections.claim('t1/dev', { process: 'a', session: 'an99' });
		const now = device('dev');
		await b.claim(now);
		await within('it may begin', b.predecessor(now) ?? Promise.resolve());
		await Promise.all([a.close(), b.close()]);
	});

	it('keeps one of the connections to the same process', async () => {
		const a = await process('a');
		const [before, now] = [device('dev'), device('dev')];
		await a.claim(before);
		await a.claim(now);
		expect([before.closedFor.length, now.closedFor.length]).to.deep.equal([1, 0]);
		expect(waits(a, now)).to.equal(false);
		a.ended(before, undefined);
		await a.close();
		expect(await record()).to.deep.include({ process: 'a', waits: 0 });
	});

	it('refuses a device that bounces faster than anybody can follow', async () => {
		const [a, b] = [await process('a', { hears: false }), await process('b', { hears: false })];
		for (let i = 0; i < 10; i++) for (const each of [a, b]) await each.claim(device('dev'));
		await a.claim(device('dev'));
		const error = await b.claim(device('dev')).catch((refused: Error) => refused);
		expect(error).to.be.an('error').with.property('message').that.includes('try again later');
	});

	it('costs one write for each of many devices that come back at once', async () => {
		const [a, b] = [await process('a'), await process('b')];
		const count = 2000;
		const claimAll = async (by: Handover, serials: number[]) => {
			const before = (await store.statistics()).committedBatches;
			await Promise.all(serials.map((i) => by.claim(device(`many-${i}`))));
			return (await store.statistics()).committedBatches - before;
		};
		const serials = Array.from({ length: count }, (_, i) => i);
		expect(await claimAll(a, serials)).to.equal(count);
		// Of a process that is gone, and nothing of it is cleaned up yet.
		await a.close();
		expect(await claimAll(b, serials)).to.equal(count);
		gone.add('a');
		await b.sweep();
		expect(await b.forget('a')).to.equal(true);
	});

	it('removes what a process that is gone has left, and nothing that others have claimed', async () => {
		const [a, b] = [await process('a', { hears: false }), await process('b')];
		for (let i = 0; i < 5; i++) await a.claim(device(`left-${i}`));
		await b.claim(device('left-0'));
		expect(await b.forget('a')).to.equal(true);
		expect(await connections.find('t1/left-1')).to.equal(undefined);
		expect(await connections.find('t1/left-0')).to.deep.include({ process: 'b' });
	});
});
