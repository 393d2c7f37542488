import Mocha from 'mocha';
import { gaps, skipReason } from './skip.ts';

const { EVENT_RUN_BEGIN, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_END, EVENT_TEST_FAIL, EVENT_TEST_PENDING } =
	Mocha.Runner.constants;
const openAfterSeconds = 10;

/** One suite's figures, for its line. */
interface Tally {
	readonly begun: number;
	passed: number;
	failed: number;
	skipped: number;
}

/**
 * A line for each outermost `describe` with all the time that it took, its hooks included; then failures in full, skipped tests with their reasons, what did not run,
 * and as the last line alone `N passed, N failed, N skipped`.
 * A skip without a reason is a failure, and so is a run that leaves timers, sockets or workers open.
 */
class Reporter extends Mocha.reporters.Base {
	readonly #skipped: Mocha.Test[] = [];
	#failed = 0;

	constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
		super(runner, options);
		const tallies = new Map<Mocha.Suite, Tally>();
		runner.on(EVENT_RUN_BEGIN, () => print(''));
		runner.on(EVENT_SUITE_BEGIN, (suite) => {
			if (suite.parent?.root) tallies.set(suite, { begun: performance.now(), passed: 0, failed: 0, skipped: 0 });
		});
		runner.on(EVENT_TEST_END, (test) => {
			const tally = tallyOf(tallies, test);
			if (test.state === 'passed') tally.passed++;
		});
		runner.on(EVENT_TEST_PENDING, (test) => {
			this.#skipped.push(test);
			tallyOf(tallies, test).skipped++;
		});
		runner.on(EVENT_TEST_FAIL, (test) => {
			tallyOf(tallies, test).failed++;
		});
		runner.on(EVENT_SUITE_END, (suite) => {
			const tally = tallies.get(suite);
			if (tally !== undefined) print(suiteLine(suite, tally));
		});
	}

	override done(failures: number, end?: (failures: number) => void): void {
		const unexplained = this.#skipped.filter((test) => skipReason(test) === undefined);
		const explained = this.#skipped.filter((test) => skipReason(test) !== undefined);
		this.#failed = failures + unexplained.length;
		if (this.failures.length > 0) {
			print('\nFailed:');
			Mocha.reporters.Base.list(this.failures);
		}
		section('Skipped without a reason, which counts as failed (see skipUnless in test/support/skip.ts):', unexplained.map(title));
		section(
			'Skipped:',
			explained.map((test) => `${title(test)}: ${skipReason(test)}`),
		);
		section(
			'Did not run:',
			gaps().map(({ what, reason }) => `${what}: ${reason}`),
		);
		print(`\n${this.#summary(explained.length)}`);
		this.#watchForLeaks(explained.length);
		end?.(this.#failed);
	}

	#summary(skipped: number): string {
		return `${this.stats?.passes ?? 0} passed, ${this.#failed} failed, ${skipped} skipped`;
	}

	/** The timer does not keep the process alive: it only fires when something else does. */
	#watchForLeaks(skipped: number): void {
		const report = () => {
			this.#failed++;
			section(`Still open ${openAfterSeconds} s after the last test, so the process does not end by itself:`, [
				process.getActiveResourcesInfo().join(', '),
			]);
			print(`\n${this.#summary(skipped)}`);
			// mocha sets the exit code in an exit listener of its own, from the count that it had at the end.
			process.once('exit', () => {
				process.exitCode = 1;
			});
			process.exit();
		};
		setTimeout(report, openAfterSeconds * 1000).unref();
	}
}

function tallyOf(tallies: Map<Mocha.Suite, Tally>, test: Mocha.Runnable): Tally {
	const suite = outermost(test);
	const tally = tallies.get(suite) ?? { begun: performance.now(), passed: 0, failed: 0, skipped: 0 };
	tallies.set(suite, tally);
	return tally;
}

function outermost({ parent }: Mocha.Runnable | Mocha.Suite): Mocha.Suite {
	if (parent === undefined) throw new TypeError('A test has a suite around it');
	let suite = parent;
	while (suite.parent !== undefined && !suite.parent.root) suite = suite.parent;
	return suite;
}

function suiteLine(suite: Mocha.Suite, tally: Tally): string {
	const parts = [`${tally.passed} passed`];
	if (tally.failed > 0) parts.push(`${tally.failed} failed`);
	if (tally.skipped > 0) parts.push(`${tally.skipped} skipped`);
	const seconds = (performance.now() - tally.begun) / 1000;
	if (seconds >= 1) parts.push(`${seconds.toFixed(1)} s`);
	return `${tally.failed > 0 ? '✗' : '✓'} ${suite.title || 'tests outside of a describe'} (${parts.join(', ')})`;
}

function title(test: Mocha.Test): string {
	return test.titlePath().join(' › ');
}

function section(heading: string, lines: readonly string[]): void {
	if (lines.length === 0) return;
	print(`\n${heading}`);
	for (const line of lines) print(`  ${line}`);
}

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}

// biome-ignore lint/style/noDefaultExport: mocha takes a reporter by its default export.
export { Reporter as default };
