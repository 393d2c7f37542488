import { type ClientSession, type Db, type Document, type MongoClient, MongoServerError, ObjectId } from 'mongodb';
import { messageOf } from './explain-error.ts';

/** Work inside a transaction; `commit` false leaves no trace of it. */
export interface Attempt<T> {
	readonly commit: boolean;
	readonly result: T;
}

/** Sessions for transactions, which others end when this process is gone. */
export interface TransactionSessions {
	/** Lends a session that nobody else has meanwhile. One that comes back in the middle of a transaction is not lent again. */
	use<T>(work: (session: ClientSession) => Promise<Attempt<T>>): Promise<Attempt<T>>;
	/**
	 * Grows with each silence of this process after which others may have ended its transactions, and gone on from there;
	 * `undefined` while it may be in one.
	 */
	era(): number | undefined;
	/** Whether nothing that was begun in that era may be written any more; what has none may be. */
	isOver(era: number | undefined): boolean;
	/** Ends them, when none is lent any more. */
	close(): Promise<void>;
}

export interface TransactionSessionsOptions {
	readonly client: MongoClient;
	readonly db: Db;
	/** Of a process that has not renewed its note for so long the transactions are ended. One that does live begins them again. */
	readonly silentMilliseconds: number;
	readonly onFault: (error: Error) => void;
}

/** What a process has noted: a transaction of one of these may be open. */
interface Note extends Document {
	readonly _id: string;
	readonly sessions: readonly SessionId[];
	readonly renewals: number;
}

type SessionId = NonNullable<ClientSession['id']>;

interface Seen {
	readonly renewals: number;
	readonly since: number;
	readonly looks: number;
}

/** Spec names are letters only, so nobody else has this collection. */
const noteCollection = '_transactions';
const maxFree = 32;
const looksInSilence = 3;
/** Nobody may end sessions here, or the server does not know how: it would say so each time. */
const refusals: ReadonlySet<unknown> = new Set([13, 59, 115, 8000]);

/**
 * The server keeps a transaction open, with all that it has written locked, for `transactionLifetimeLimitSeconds` after its
 * process was killed. So each process notes its sessions before it uses them, and whoever sees that the note is not renewed ends them.
 */
export function createTransactionSessions({
	client,
	db,
	silentMilliseconds,
	onFault,
}: TransactionSessionsOptions): TransactionSessions {
	const notes = db.collection<Note>(noteCollection);
	const own = new ObjectId().toHexString();
	const noted = new Map<ClientSession, SessionId>();
	const free: ClientSession[] = [];
	/**
	 * Whose last transaction was not committed: the driver keeps to itself whether the server has heard of its end, without which
	 * all that it has written stays locked. The session's next transaction ends it, or the next look does.
	 */
	const doubtful = new Set<ClientSession>();
	/** Not lent again, nor given back to the driver, before the server has ended what it may have open. */
	let retired: ClientSession[] = [];
	const seen = new Map<string, Seen>();
	let hasNote = false;
	let isNoted = false;
	let silences = 0;
	let renewedAt = performance.now();
	let isRefused = false;
	let isClosed = false;
	let renewing = Promise.resolve();
	/** One after the other: an older list that arrives late would leave out the newest session. */
	const renewNote = (): Promise<void> => {
		hasNote = true;
		renewing = renewing
			.catch(() => undefined)
			.then(async () => {
				const began = performance.now();
				const sessions = [...noted.values()];
				const note = { $set: { sessions }, $inc: { renewals: 1 } };
				const { upsertedCount } = await notes.updateOne({ _id: own }, note, { upsert: true });
				// Others have removed it, whatever the time that this process has seen go by.
				const wasRemoved = isNoted && upsertedCount > 0;
				isNoted = true;
				// By then, not when it was sent: until it arrived, others saw nothing of this process.
				if (wasRemoved || performance.now() - renewedAt >= silentMilliseconds) silences++;
				renewedAt = began;
			});
		return renewing;
	};

	const era = (): number | undefined => (performance.now() - renewedAt < silentMilliseconds ? silences : undefined);

	const isOver = (then: number | undefined): boolean => then !== undefined && then !== era();

	const open = async (): Promise<ClientSession> => {
		const session = client.startSession({ causalConsistency: false });
		const { id } = session;
		if (id === undefined) throw new Error('the driver gives a session no id');
		noted.set(session, id);
		try {
			await renewNote();
			return session;
		} catch (error) {
			await end(session);
			throw error;
		}
	};

	const end = async (session: ClientSession): Promise<void> => {
		noted.delete(session);
		doubtful.delete(session);
		await session.endSession();
	};

	const use = async <T>(work: (session: ClientSession) => Promise<Attempt<T>>): Promise<Attempt<T>> => {
		const session = free.pop() ?? (await open());
		doubtful.add(session);
		try {
			const attempt = await work(session);
			if (attempt.commit) doubtful.delete(session);
			return attempt;
		} finally {
			const isFree = !session.inTransaction() && free.length < maxFree;
			(isFree ? free : retired).push(session);
		}
	};

	/** Where the server refuses to, what is open ends at its own time limit. */
	const kill = async (sessions: readonly SessionId[]): Promise<void> => {
		if (sessions.length === 0 || isRefused) return;
		try {
			await client.db('admin').command({ killSessions: sessions });
		} catch (error) {
			if (!(error instanceof MongoServerError) || !refusals.has(error.code)) throw error;
			isRefused = true;
			onFault(
				new Error(
					`the database refuses to end transactions of processes that are gone, which stay open for its transactionLifetimeLimitSeconds: ${messageOf(error)}`,
				),
			);
		}
	};

	const endRetired = async (): Promise<void> => {
		const some = retired;
		await kill(some.flatMap((session) => noted.get(session) ?? []));
		retired = retired.filter((session) => !some.includes(session));
		await Promise.all(some.map(end));
	};

	const retireDoubtful = (): void => {
		for (const session of [...free]) {
			if (!doubtful.has(session)) continue;
			free.splice(free.indexOf(session), 1);
			retired.push(session);
		}
	};

	const endOfOthers = async (): Promise<void> => {
		const began = performance.now();
		const others = await notes.find({ _id: { $ne: own } }).toArray();
		const now = performance.now();
		const present = new Set(others.map(({ _id }) => _id));
		for (const id of seen.keys()) if (!present.has(id)) seen.delete(id);
		for (const { _id, sessions, renewals } of others) {
			const before = seen.get(_id);
			const isSilent = before?.renewals === renewals;
			const looks = isSilent ? before.looks + 1 : 0;
			seen.set(_id, { renewals, since: isSilent ? before.since : now, looks });
			if (!isSilent || looks < looksInSilence || began - before.since < silentMilliseconds) continue;
			await kill(sessions);
			await notes.deleteOne({ _id, renewals });
		}
	};

	const look = async (): Promise<void> => {
		retireDoubtful();
		await endRetired();
		await endOfOthers();
	};

	/** What fails is tried again at the next round. Returns the function that ends it. */
	const repeat = (what: string, work: () => Promise<void>): (() => Promise<void>) => {
		let timer: NodeJS.Timeout | undefined;
		let working = Promise.resolve();
		let hasFailed = false;
		const schedule = (): void => {
			if (isClosed) return;
			timer = setTimeout(() => {
				working = work()
					.then(
						() => {
							hasFailed = false;
						},
						(error: unknown) => {
							// Once for each time that it fails.
							if (!isClosed && !hasFailed) onFault(new Error(`${what}: ${messageOf(error)}`));
							hasFailed = true;
						},
					)
					.finally(schedule);
			}, silentMilliseconds / looksInSilence);
			timer.unref();
		};
		schedule();
		return async () => {
			clearTimeout(timer);
			await working;
		};
	};

	// Each by itself: a database that takes its time to end sessions must not make this process a silent one.
	const endRenewing = repeat('the note of transactions is not renewed', renewNote);
	const endLooking = repeat('transactions of processes that are gone stay open', look);

	const close = async (): Promise<void> => {
		isClosed = true;
		await Promise.all([endRenewing(), endLooking()]);
		retired.push(...free.splice(0));
		if (!hasNote) return;
		await endRetired()
			.then(() => notes.deleteOne({ _id: own }))
			.catch((error: unknown) => onFault(new Error(`a note of transactions stays behind: ${messageOf(error)}`)));
	};

	return { use, era, isOver, close };
}
