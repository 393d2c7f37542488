import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../../..');

/** The lines that a mocha of its own prints about the fixture, and its exit code. */
function report(...options: string[]): Promise<{ lines: string[]; exitCode: number }> {
	const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
	const fixed = ['--import=tsx', mocha, '--no-config', '--reporter=test/support/reporter.ts', 'test/support/reporter-fixture.ts'];
	return new Promise((resolve) => {
		const child = execFile(process.execPath, [...fixed, ...options], { cwd: root }, (_error, stdout) => {
			resolve({ lines: stdout.trimEnd().split('\n'), exitCode: child.exitCode ?? -1 });
		});
	});
}

describe('project/reporter', () => {
	it('tells failures, skips with their reasons and gaps, and ends with the figures', async () => {
		const { lines, exitCode } = await report();
		expect(lines.at(-1)).to.equal('2 passed, 2 failed, 4 skipped');
		expect(exitCode).to.equal(2);
		expect(lines).to.include.members([
			'✗ fixture/one (1 passed, 1 failed, 5 skipped)',
			'✓ fixture/two (1 passed)',
			'  fixture/one › is skipped without a reason',
			'  fixture/one › is skipped inside: reason inside',
			'  fixture/one › behind before › first: reason of before',
			'  fixture/one › behind before › second: reason of before',
			'  fixture/one › behind beforeEach › third: reason of beforeEach',
			'  engine x: nobody asked for it',
		]);
		expect(lines.join('\n')).to.match(/1\) fixture\/one\n\s+fails:\n.*1 !== 2/s);
	});

	it('ends well when everything passes or is skipped with a reason', async () => {
		const { lines, exitCode } = await report('--grep', 'passes|behind before');
		expect(lines.at(-1)).to.equal('1 passed, 0 failed, 3 skipped');
		expect(exitCode).to.equal(0);
	});

	it('fails for a lone skip without a reason', async () => {
		const { lines, exitCode } = await report('--grep', 'without a reason');
		expect(lines.at(-1)).to.equal('0 passed, 1 failed, 0 skipped');
		expect(exitCode).to.equal(1);
	});
});
