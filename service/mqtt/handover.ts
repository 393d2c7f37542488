import type { Logger } from 'pino';
import type { ConnectionRecord, DeviceConnections } from '../../inventory/index.ts';
import { storeFault } from '../store-fault.ts';
import { deviceKeyOf, type Session } from './session.ts';

const clearedAtOnce = 100;

/** A session here, and what it waits for. */
interface Entry {
	readonly session: Session;
	/** Of the device's record. */
	readonly id: string;
	/** The session's name in the record. */
	readonly name: string;
	/** Sessions of other processes that have to have handled everything before it begins. */
	waitsFor: readonly string[];
	isReady: boolean;
	readonly ready: Promise<void>;
	readonly begin: () => void;
	/** Ends with the claim, whether it succeeded or not. */
	claimed: Promise<boolean>;
	displaced: boolean;
	/** Of this process, after which it was seen that the device is still the session's. */
	silences: number;
	timer?: NodeJS.Timeout;
}

export type Handover = ReturnType<typeof createHandover>;

/**
 * Hands devices over between processes: the newest connection of a device claims its record, the one before hears it, is closed,
 * handles what it has received, and says so; only then the messages of the new one are handled.
 */
export function createHandover(options: {
	readonly connections: DeviceConnections;
	/** This process. Letters and digits. */
	readonly process: string;
	/** Whether another process does nothing any more. */
	readonly isGone: (process: string) => Promise<boolean>;
	/** Whether this process may have been taken for gone: then it handles nothing. */
	readonly isSilent: () => boolean;
	/** The longest that a device waits for its connection before. */
	readonly waitMilliseconds: number;
	readonly log: Logger;
}) {
	const { connections, process, isGone, isSilent, waitMilliseconds, log } = options;
	const byName = new Map<string, Entry>();
	const bySession = new WeakMap<Session, Entry>();
	const waiting = new Map<string, Set<Entry>>();
	const ending = new Set<Promise<void>>();
	let count = 0;
	let silences = 0;
	const endWatch = connections.watch(judge, () => {
		sweep().catch((error: unknown) => log.warn({ err: error }, 'connections of other processes could not be looked at'));
	});

	/** Makes the session the one of its device. @throws StoreError, InventoryError */
	async function claim(session: Session): Promise<void> {
		const entry = createEntry(session, `${process}n${count++}`);
		byName.set(entry.name, entry);
		bySession.set(session, entry);
		const claiming = begin(entry);
		entry.claimed = claiming.then(
			() => true,
			() => false,
		);
		await claiming;
	}

	async function begin(entry: Entry): Promise<void> {
		const { id, name } = entry;
		const { record, displaced } = await connections.claim(id, { process, session: name });
		if (displaced?.process === process) cutOff(displaced.session);
		entry.waitsFor = Object.keys(record.waitsFor);
		if (entry.waitsFor.length === 0) return settle(entry);
		waiting.set(id, (waiting.get(id) ?? new Set()).add(entry));
		entry.timer = setTimeout(() => giveUp(entry), waitMilliseconds).unref();
		// It may have been changed, and that been told, before this session was known to wait.
		judgeWaiting(id, await connections.find(id));
		judge(record);
	}

	function createEntry(session: Session, name: string): Entry {
		let begin = () => {};
		const ready = new Promise<void>((resolve) => {
			begin = resolve;
		});
		const claimed = Promise.resolve(false);
		return {
			session,
			id: deviceKeyOf(session),
			name,
			waitsFor: [],
			isReady: false,
			ready,
			begin,
			claimed,
			displaced: false,
			silences,
		};
	}

	function settle(entry: Entry): void {
		clearTimeout(entry.timer);
		entry.isReady = true;
		const others = waiting.get(entry.id);
		if (others?.delete(entry) && others.size === 0) waiting.delete(entry.id);
		entry.begin();
	}

	function giveUp(entry: Entry): void {
		log.warn(
			{ tenant: entry.session.principal.tenant, device: entry.session.serial, waitedFor: entry.waitsFor },
			'a connection of another process did not end in time: messages may be handled out of order',
		);
		for (const name of entry.waitsFor) clear(entry.id, name);
		settle(entry);
	}

	/** Looks at a record as it is now: whose time has come, and who has lost its device. */
	function judge(record: ConnectionRecord): void {
		for (const [name, owner] of Object.entries(record.waitsFor)) if (owner === process) displace(record._id, name);
		judgeWaiting(record._id, record);
	}

	function judgeWaiting(id: string, record: ConnectionRecord | undefined): void {
		for (const entry of [...(waiting.get(id) ?? [])]) {
			if (!entry.waitsFor.some((name) => record && name in record.waitsFor)) settle(entry);
		}
	}

	function displace(id: string, name: string): void {
		// Of a session that has ended nobody else will say so.
		if (!cutOff(name)) clear(id, name);
	}

	function cutOff(name: string): boolean {
		const entry = byName.get(name);
		if (!entry) return false;
		if (!entry.displaced) entry.session.connection.close('its device has connected again');
		entry.displaced = true;
		return true;
	}

	function clear(id: string, name: string): void {
		connections.clear(id, name).then(
			(record) => record && judge(record),
			(error: unknown) => log.warn({ err: error, connection: id }, 'the end of a connection could not be noted yet'),
		);
	}

	/** What the first message of the session has to wait for. */
	function predecessor(session: Session): Promise<void> | null {
		const entry = bySession.get(session);
		return entry === undefined || entry.isReady ? null : entry.ready;
	}

	/** The connection of the session has ended; `idle` is when its messages, and those of connections before it, are handled. */
	function ended(session: Session, idle: Promise<unknown> | undefined): void {
		const entry = bySession.get(session);
		if (!entry) return;
		const done = end(entry, idle)
			.catch((error: unknown) => log.warn({ err: error, connection: entry.id }, 'the end of a connection could not be noted yet'))
			.finally(() => {
				byName.delete(entry.name);
				ending.delete(done);
			});
		ending.add(done);
	}

	async function end(entry: Entry, idle: Promise<unknown> | undefined): Promise<void> {
		const { id, name } = entry;
		const claimed = await entry.claimed;
		if (!claimed) settle(entry);
		await idle;
		await entry.ready;
		if (entry.displaced || !(await connections.release(id, name))) await connections.clear(id, name);
	}

	/** Finds what no change told of: who waits, for whom, and who of those is gone. */
	async function sweep(): Promise<void> {
		const waitedBefore = [...waiting.keys()];
		const found = new Map<string, ConnectionRecord>();
		for await (const record of connections.listWaiting()) {
			judge(record);
			if (waiting.has(record._id)) found.set(record._id, record);
		}
		for (const id of waitedBefore) if (!found.has(id)) judgeWaiting(id, undefined);
		await clearGone([...found.values()]);
	}

	/** Waits no longer for processes that are gone: first here, and then for all to see. */
	async function clearGone(records: readonly ConnectionRecord[]): Promise<boolean> {
		const known = new Map<string, boolean>();
		const left: { readonly id: string; readonly name: string }[] = [];
		let isAll = true;
		for (const record of records) {
			const { _id: id, waitsFor } = record;
			const alive: Record<string, string> = {};
			for (const [name, owner] of Object.entries(waitsFor)) {
				const gone = known.get(owner) ?? (owner !== process && (await isGone(owner)));
				known.set(owner, gone);
				if (gone) left.push({ id, name });
				else alive[name] = owner;
			}
			if (Object.keys(alive).length > 0) isAll = false;
			judgeWaiting(id, { ...record, waitsFor: alive });
		}
		for (let start = 0; start < left.length; start += clearedAtOnce) {
			await Promise.all(left.slice(start, start + clearedAtOnce).map(({ id, name }) => connections.clear(id, name)));
		}
		return isAll;
	}

	/** Removes what a process that is gone has left. Tells whether that was all. */
	async function forget(gone: string): Promise<boolean> {
		const left = await connections.removeOf(gone);
		if (left.length === 0) return true;
		return (await clearGone(left)) && (await connections.removeOf(gone)).length === 0;
	}

	/** This process was taken for gone: others may have its devices, so all of them connect again. */
	function closeAll(): void {
		for (const name of byName.keys()) cutOff(name);
	}

	/**
	 * Refuses to handle what others may have gone on from.
	 * @throws StoreError while that cannot be told, Error when another connection has the device
	 */
	async function check(session: Session): Promise<void> {
		if (isSilent()) throw storeFault('this process was silent for too long: others may have taken its devices over');
		const entry = bySession.get(session);
		if (!entry || entry.silences === silences) return;
		const seen = silences;
		const record = await connections.find(entry.id);
		if (record?.session !== entry.name) throw new Error('the device has connected again while this process was silent');
		entry.silences = seen;
	}

	/** This process was silent for too long, and is so no more. */
	function wasSilent(): void {
		silences++;
	}

	/** Resolves when everything that has ended is noted. */
	async function finish(): Promise<void> {
		endWatch();
		await Promise.all(ending);
	}

	return { claim, predecessor, ended, check, wasSilent, sweep, forget, closeAll, close: finish };
}
