/** Tests for the reporter's own test to run: of every kind, some of them broken on purpose. */
import { strictEqual } from 'node:assert/strict';
import { didNotRun, skipUnless } from './skip.ts';

didNotRun('engine x', 'nobody asked for it');

describe('fixture/one', () => {
	it('passes', () => {});

	it('fails', () => {
		strictEqual(1, 2);
	});

	it.skip('is skipped without a reason');

	it('is skipped inside', function () {
		skipUnless(false, 'reason inside').call(this);
	});

	describe('behind before', () => {
		before(skipUnless(false, 'reason of before'));
		it('first', () => {});
		it('second', () => {});
	});

	describe('behind beforeEach', () => {
		beforeEach(skipUnless(async () => false, 'reason of beforeEach'));
		it('third', () => {});
	});
});

describe('fixture/two', () => {
	before(skipUnless(true, 'never seen'));
	it('runs', () => {});
});
