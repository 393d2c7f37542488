import { HttpError } from './http-error.ts';
import { retryAfterSeconds } from './problem.ts';

/** The time that a request has; while its body is received, it stands still. */
export interface AnswerDeadline {
	receiving<T>(body: Promise<T>): Promise<T>;
	/** It stands still until what is returned is called. */
	hold(): () => void;
	/** @throws HttpError `http/unavailable` when it took too long; what was begun goes on */
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
		} finally {
			isOver = true;
			clearTimeout(timer);
		}
	}

	return { receiving, hold, wait };
}

function tooLate(milliseconds: number): HttpError {
	return new HttpError('http/unavailable', `This took longer than ${milliseconds / 1000} s, and may still be done: try again`, {
		headers: { 'Retry-After': retryAfterSeconds },
	});
}
