import { encodeError } from '../../smartrest/index.ts';

export type LineAnswers = ReturnType<typeof createLineAnswers>;

/** A device that fills its payloads with bad lines gets so many answers a publish, and one more that counts the rest. */
const maxAnswers = 20;

/** What one publish is answered on `s/e`. `end` is called when all of its lines are done. */
export function createLineAnswers(send: (line: string) => void) {
	let refused = 0;

	function add(line: string): void {
		if (++refused <= maxAnswers) send(line);
	}

	function end(): void {
		if (refused > maxAnswers)
			send(encodeError('badLine', '', `${refused - maxAnswers} more lines of this payload were refused and are not answered`));
	}

	return { add, end };
}
