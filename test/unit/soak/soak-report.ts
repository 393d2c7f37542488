import { expect } from 'chai';
import { createFindings } from '../../soak/findings.ts';
import { createSoakLedgers } from '../../soak/soak-ledgers.ts';
import { judgeSoak } from '../../soak/soak-report.ts';

function openSoak() {
	const ledgers = createSoakLedgers();
	const findings = createFindings(() => {});
	const operations = ledgers.operations.stream('device');
	/** An operation that comes as far as it says. */
	const operation = (...steps: readonly ('acknowledged' | 'stored' | 'delivered')[]) => {
		const number = operations.next();
		for (const step of steps) operations[step](number);
	};
	const judge = (...memory: Parameters<typeof judgeSoak>[2]) => judgeSoak(ledgers, findings, memory);
	return { ledgers, findings, operation, judge };
}

describe('soak/soak-report', () => {
	it('is content with what nobody was told of', () => {
		const { operation, judge } = openSoak();
		operation('acknowledged', 'stored', 'delivered');
		operation();
		operation('stored', 'delivered');
		const { lines, isGood } = judge();
		expect(isGood).to.equal(true);
		expect(lines.find((line) => line.startsWith('operations '))).to.match(/^operations +3 +1 +2 +2 +0 +0$/);
		expect(lines.at(-1)).to.equal('0 lost, 0 doubled, 0 that cannot be');
	});

	const faults: readonly (readonly [string, (soak: ReturnType<typeof openSoak>) => void, RegExp])[] = [
		[
			'was lost',
			({ operation }) => operation('acknowledged', 'delivered'),
			/LOST: operations: device #0 was acknowledged, and is not/,
		],
		['never came', ({ operation }) => operation('acknowledged', 'stored'), /LOST: operations: device #0 .* never came/],
		[
			'is stored twice',
			({ operation }) => operation('acknowledged', 'stored', 'stored', 'delivered'),
			/DOUBLED: operations: device #0 is stored more than once/,
		],
		['was never sent', ({ ledgers }) => ledgers.packages.stream('device').stored(7), /packages: device #7 was never sent/],
		['was seen', ({ findings }) => findings.wrong('impossible', 'half a list'), /IMPOSSIBLE: half a list/],
	];
	for (const [what, happen, reason] of faults) {
		it(`names what ${what}`, () => {
			const soak = openSoak();
			happen(soak);
			const { lines, isGood } = soak.judge();
			expect(isGood).to.equal(false);
			expect(lines.join('\n')).to.match(reason);
		});
	}

	it('names a process that grew too much', () => {
		const read = () => ({ name: 'process 1', seconds: 60, first: 2 ** 27, peak: 2 ** 30, last: 2 ** 30 });
		const { lines, isGood } = openSoak().judge({ name: 'process 1', note: () => {}, isAlive: () => true, read });
		expect(isGood).to.equal(false);
		expect(lines.join('\n')).to.match(/process 1 grew from 128 MiB to 1024 MiB/);
	});
});
