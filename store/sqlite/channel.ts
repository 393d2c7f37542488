import { Worker } from 'node:worker_threads';
import { StoreError } from '../document-store.ts';
import { messageOf } from './connection.ts';
import { createEngine } from './engine.ts';
import type { Answer, Request } from './protocol.ts';
import type { OnFilled } from './schema.ts';

/** The way to one engine. Requests are answered in their order; `onAnswer` hears the answers. */
export interface Channel {
	/** @throws StoreError when the engine has died. */
	send(request: Request, onAnswer: (answer: Answer) => void, onDeath: (error: StoreError) => void): void;
	/** Sends and waits for one answer. @throws StoreError */
	ask(request: Request): Promise<void>;
	isAlive(): boolean;
	/** Resolves when the engine has died, not when it was terminated. */
	readonly died: Promise<StoreError>;
	terminate(): Promise<void>;
}

interface Outstanding {
	readonly onAnswer: (answer: Answer) => void;
	readonly onDeath: (error: StoreError) => void;
}

/** An engine in a thread of its own. */
export function openWorkerChannel(name: string, heapMegabytes: number | undefined, onFilled?: OnFilled): Channel {
	const worker = startWorker(name, heapMegabytes);
	const mailbox = createMailbox(onFilled);
	let isTerminated = false;
	worker.on('message', (answer: Answer) => mailbox.deliver(answer));
	worker.on('error', (error) => mailbox.die(new StoreError(`the database thread '${name}' failed: ${messageOf(error)}`)));
	worker.on('exit', () => {
		if (!isTerminated) mailbox.die(new StoreError(`the database thread '${name}' has ended`));
	});
	return {
		send: (request, onAnswer, onDeath) => {
			mailbox.expect({ onAnswer, onDeath });
			worker.postMessage(request);
		},
		ask: (request) => ask(mailbox, () => worker.postMessage(request)),
		isAlive: mailbox.isAlive,
		died: mailbox.died,
		terminate: async () => {
			isTerminated = true;
			mailbox.end(new StoreError('the store is closed'));
			await worker.terminate();
		},
	};
}

/**
 * An engine in the caller's thread, for a database in memory: there is no disk to wait for,
 * and a test that opens a store does not wait for a thread to start.
 */
export function openLocalChannel(): Channel {
	const mailbox = createMailbox();
	const engine = createEngine((answer) => setImmediate(() => mailbox.deliver(answer)));
	return {
		send: (request, onAnswer, onDeath) => {
			mailbox.expect({ onAnswer, onDeath });
			setImmediate(() => engine.handle(request));
		},
		ask: (request) => ask(mailbox, () => void setImmediate(() => engine.handle(request))),
		isAlive: mailbox.isAlive,
		died: mailbox.died,
		terminate: () => {
			mailbox.end(new StoreError('the store is closed'));
			return Promise.resolve();
		},
	};
}

function createMailbox(onFilled?: OnFilled) {
	const outstanding: Outstanding[] = [];
	let death: StoreError | undefined;
	let announce: (error: StoreError) => void;
	const died = new Promise<StoreError>((resolve) => {
		announce = resolve;
	});
	/** Whoever waits for an answer hears why there will be none. */
	const end = (error: StoreError): void => {
		death ??= error;
		for (const entry of outstanding.splice(0)) entry.onDeath(death);
	};
	const die = (error: StoreError): void => {
		if (death === undefined) announce(error);
		end(error);
	};
	return {
		died,
		end,
		expect: (entry: Outstanding) => {
			if (death) throw death;
			outstanding.push(entry);
		},
		deliver: (answer: Answer) => {
			if (answer.kind === 'damaged') {
				die(new StoreError(answer.message));
				return;
			}
			if (answer.kind === 'filled') {
				onFilled?.(answer.collection, answer.documents);
				return;
			}
			const isLast = answer.kind !== 'reads' || answer.last;
			const entry = isLast ? outstanding.shift() : outstanding[0];
			entry?.onAnswer(answer);
		},
		isAlive: () => death === undefined,
		die,
	};
}

function ask(mailbox: ReturnType<typeof createMailbox>, post: () => void): Promise<void> {
	return new Promise((resolve, reject) => {
		mailbox.expect({
			onAnswer: (answer) => {
				if (answer.kind !== 'failed') resolve();
				else reject(answer.isInput ? new TypeError(answer.message) : new StoreError(answer.message));
			},
			onDeath: reject,
		});
		post();
	});
}

function startWorker(name: string, heapMegabytes: number | undefined): Worker {
	const options = { name, ...(heapMegabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }) };
	const file = import.meta.url.endsWith('.ts') ? './worker-from-sources.mjs' : './worker.js';
	return new Worker(new URL(file, import.meta.url), options);
}
