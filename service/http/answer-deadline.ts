import { Readable } from 'node:stream';
import { HttpError } from './http-error.ts';
import { retryAfterSeconds } from './problem.ts';

/** The time that a request has; while its body is received, it stands still. */
export interface AnswerDeadline {
	receiving<T>(body: Promise<T>): Promise<T>;
	/** It stands still until what is returned is called. */
	hold(): () => void;
	/** @throws HttpError `http/unavailable` when it took too long; what was begun goes on, and a stream that it gives is closed */
	wait<T>(work: Promise<T>): Promise<T>;
}

export function startAnswerDeadline(milliseconds: number): AnswerDeadline {
	let fail: (error: HttpError) => void = () => {};
	const late = new Promise<never>((_resolve, reject) => {
		fail = reject;
	});
	const start = () => setTimeout(() => fail(tooLate(milliseconds)), milliseconds);
	let timer: NodeJS.Timeout | undefined = start();
	let isOver = false;

	async function receiving<T>(body: Promise<T>): Promise<T> {
		const goOn = hold();
		try {
			return await body;
		} finally {
			goOn();
		}
	}

	function hold(): () => void {
		clearTimeout(timer);
		let isHeld = true;
		return () => {
			if (isHeld && !isOver) timer = start();
			isHeld = false;
		};
	}

	async function wait<T>(work: Promise<T>): Promise<T> {
		try {
			return await Promise.race([work, late]);
		} catch (error) {
			// Of what failed, whoever waits has heard.
			work.then(closeStream, () => undefined);
			throw error;
		} finally {
			isOver = true;
			clearTimeout(timer);
		}
	}

	return { receiving, hold, wait };
}

/** Nobody reads it any more: a file or a connection would stay open for it. */
function closeStream(reply: unknown): void {
	const stream = typeof reply === 'object' && reply !== null && 'stream' in reply ? reply.stream : undefined;
	if (stream instanceof Readable) stream.on('error', () => undefined).destroy();
}

function tooLate(milliseconds: number): HttpError {
	return new HttpError('http/unavailable', `This took longer than ${milliseconds / 1000} s, and may still be done: try again`, {
		headers: { 'Retry-After': retryAfterSeconds },
	});
}
