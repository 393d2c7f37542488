import { expect } from 'chai';
import { createSlidingList, type SlidingList } from '../../soak/sliding-list.ts';
import { createLedger } from '../../support/ledger.ts';

const nameOf = (number: number) => `package-${String(number).padStart(9, '0')}`;
const names = (...numbers: number[]) => numbers.map(nameOf);

function openList() {
	const ledger = createLedger();
	return { ledger, list: createSlidingList(ledger.stream('device'), ledger.stream('device removals')) };
}

/** Packages 0 to 3 are acknowledged, 4 to 6 sent; 0 is removed, which is acknowledged, and the removal of 1 is sent. */
function change(list: SlidingList): void {
	list.install(4).acknowledge();
	list.install(3);
	list.remove(1)?.acknowledge();
	list.remove(1);
}

describe('soak/sliding-list', () => {
	it('writes the lines of a device', () => {
		const { list } = openList();
		const added = list.install(2);
		expect(added.line).to.equal('141,package-000000000,1,apt,,package-000000001,1,apt,');
		expect(list.remove(1), 'before it is acknowledged').to.equal(undefined);
		added.acknowledge();
		expect(list.remove(1)?.line).to.equal('142,package-000000000,1');
	});

	const possible: readonly (readonly [string, readonly string[]])[] = [
		['what is acknowledged', names(1, 2, 3)],
		['what is sent, too', names(2, 3, 4, 5, 6)],
		['the addition without the removal', names(1, 2, 3, 4, 5, 6)],
	];
	for (const [what, seen] of possible) {
		it(`takes for possible ${what}`, () => {
			const { list } = openList();
			change(list);
			expect(list.beginReading()(seen, true)).to.equal(undefined);
		});
	}

	const impossible: readonly (readonly [string, readonly string[], RegExp])[] = [
		['nothing', [], /package-000000002 is missing, and was acknowledged/],
		['a stranger', ['bash'], /bash was never sent/],
		['what was not sent yet', names(1, 2, 3, 4, 5, 6, 7), /7 was never sent/],
		['what was removed', names(0, 1, 2, 3), /0 is there, and its removal was acknowledged/],
		['a gap', names(1, 3), /2 is missing before package-000000003/],
		['a beginning that is gone', names(3, 4, 5, 6), /2 is missing, and was not removed/],
		['an end that is gone', names(1, 2), /3 is missing, and was acknowledged/],
		['half of a line', names(1, 2, 3, 4), /in the middle of a line/],
		['another order', names(2, 1, 3), /1 comes after package-000000002/],
		['a package twice', names(1, 2, 2, 3), /2 comes after package-000000002/],
	];
	for (const [what, seen, reason] of impossible) {
		it(`sees that ${what} cannot be`, () => {
			const { list } = openList();
			change(list);
			expect(list.beginReading()(seen, true)).to.match(reason);
		});
	}

	it('takes an empty list for possible while nothing is acknowledged, whatever was sent until the answer', () => {
		const { list } = openList();
		const judge = list.beginReading();
		list.install(3).acknowledge();
		list.remove(2);
		expect(judge([], true)).to.equal(undefined);
	});

	it('asks of pages that were read during a removal only what they can tell', () => {
		const { list } = openList();
		change(list);
		const judge = list.beginReading();
		expect(judge(names(1, 3), false)).to.equal(undefined);
		expect(judge(names(0, 1), false)).to.match(/removal was acknowledged/);
	});

	it('notes what is there, and of what is removed that it is gone', () => {
		const { list, ledger } = openList();
		list.install(3).acknowledge();
		list.remove(2)?.acknowledge();
		list.noteStored(names(1, 2, 2));
		const { lost, doubled, strangers } = ledger.balance();
		expect({ lost, doubled, strangers }).to.deep.equal({ lost: ['device removals #1'], doubled: ['device #2'], strangers: [] });
	});
});
