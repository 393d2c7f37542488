import { expect } from 'chai';
import { operationsFault } from '../../soak/operations-order.ts';

/** Newest first, as `9 PENDING`. */
const seen = (text: string) =>
	text.split(', ').map((each) => ({ number: Number(each.split(' ')[0]), status: each.split(' ')[1] ?? '' }));

describe('soak/operations-order', () => {
	for (const text of [
		'9 PENDING, 8 PENDING, 7 EXECUTING, 6 SUCCESSFUL',
		'9 SUCCESSFUL, 8 SUCCESSFUL',
		'9 PENDING, 8 SUCCESSFUL',
	]) {
		it(`takes for possible: ${text}`, () => expect(operationsFault(seen(text))).to.equal(undefined));
	}

	for (const [text, reason] of [
		['9 SUCCESSFUL, 8 PENDING', /#8 is PENDING, and #9 after it SUCCESSFUL/],
		['9 EXECUTING, 8 EXECUTING', /#8 is EXECUTING, and #9 after it EXECUTING/],
		['9 EXECUTING, 8 PENDING', /#8 is PENDING/],
		['9 PENDING, 9 PENDING', /#9 is there twice/],
		['9 FAILED', /#9 is FAILED/],
	] as const) {
		it(`sees that this cannot be: ${text}`, () => expect(operationsFault(seen(text))).to.match(reason));
	}
});
