import { expect } from 'chai';
import { createReplacedList } from '../../soak/replaced-list.ts';
import { createLedger } from '../../support/ledger.ts';

const parts = Array.from({ length: 25 }, (_, part) => `part-${part}`);
const listAfter = (start: number, additions = 0, without = '') =>
	[...parts, ...Array.from({ length: additions }, (_, index) => `addition-${index}`)]
		.filter((name) => name !== without)
		.map((name) => ({ name, version: String(start) }));

/** Lines: 0 replaces, 1 and 2 add, 3 replaces, 4 adds; 0 to 2 are acknowledged. */
function openList() {
	const ledger = createLedger();
	const list = createReplacedList(ledger.stream('child'));
	for (const change of [list.replace(), list.add(), list.add()]) change.acknowledge();
	return { ledger, list, late: [list.replace(), list.add()] };
}

describe('soak/replaced-list', () => {
	it('writes the number of a replacement as the version of its packages', () => {
		const { line } = createReplacedList(createLedger().stream('child')).replace();
		expect(line.startsWith('140,part-0,0,apt,,part-1,0,apt,,')).to.equal(true);
	});

	it('replaces no list that has additions which may be sent again', () => {
		const { list, late } = openList();
		expect(list.replace().line).to.equal('141,addition-1,3,apt,');
		for (const { acknowledge } of late) acknowledge();
		expect(list.replace().line, 'while the last one is not acknowledged').to.match(/^141,addition-2/);
	});

	for (const [what, seen] of [
		['the list before', listAfter(0, 2)],
		['the new one', listAfter(3)],
		['the new one and what was added', listAfter(3, 1)],
	] as const) {
		it(`takes for possible ${what}`, () => expect(openList().list.beginReading()(seen)).to.equal(undefined));
	}

	for (const [what, seen, reason] of [
		['no list', [], /after line -1, and line 2 was acknowledged/],
		['an older list', listAfter(0, 1), /after line 1, and line 2 was acknowledged/],
		['a list that was not sent', listAfter(3, 2), /after line 5, and only 4 was sent/],
		['a list without its beginning', listAfter(4), /no list was replaced by line 4/],
		['half of a list', listAfter(3, 0, 'part-7'), /line 3 has no part-7/],
		['two lists', [...listAfter(0, 2), ...listAfter(3)], /packages of line 0 and of line 3/],
		['an addition without the one before', listAfter(0, 3, 'addition-0'), /has no addition-0/],
		['a package twice', [...listAfter(3), ...listAfter(3).slice(0, 1)], /a package twice/],
	] as const) {
		it(`sees that ${what} cannot be`, () => expect(openList().list.beginReading()(seen)).to.match(reason));
	}

	it('notes the lines up to the last one that shows', () => {
		const { list, ledger, late } = openList();
		for (const { acknowledge } of late) acknowledge();
		list.noteStored(listAfter(3));
		expect(ledger.balance().lost).to.deep.equal(['child #4']);
	});
});
