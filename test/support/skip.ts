/** Reasons and gaps are kept on the tests and the global object: mocha may load the reporter as a module of its own. */
const reasonKey = Symbol.for('test/support/skip reason');
const gapsKey = Symbol.for('test/support/skip gaps');

/** A part of the product that this run leaves out, without a test that could show as skipped. */
export interface Gap {
	readonly what: string;
	readonly reason: string;
}

type WithReason = object & { [reasonKey]?: string };
const holder: typeof globalThis & { [gapsKey]?: Gap[] } = globalThis;

/**
 * Skips what it stands before, unless the condition holds: `before(skipUnless(has('mosquitto_pub'), 'mosquitto_pub is not installed'))`
 * for a whole `describe`, `beforeEach(…)`, or `skipUnless(…).call(this)` as the first line of a test written with `function`.
 * The reason is printed at the end of the run; a skipped test without one counts as failed.
 */
export function skipUnless(condition: boolean | (() => boolean | Promise<boolean>), reason: string) {
	if (reason.trim() === '') throw new TypeError('A skip needs a reason');
	if (typeof condition === 'function') {
		return async function (this: Mocha.Context): Promise<void> {
			if (!(await condition())) skip(this, reason);
		};
	}
	return function (this: Mocha.Context): void {
		if (!condition) skip(this, reason);
	};
}

/** Tells the reporter of something that this run leaves out, such as a store engine that nobody asked for. */
export function didNotRun(what: string, reason: string): void {
	holder[gapsKey] ??= [];
	holder[gapsKey].push({ what, reason });
}

/** A suite of a part that this run may leave out; then the last lines say so, and why. */
export function describeWhere(canRun: boolean, title: string, reason: string, body: (this: Mocha.Suite) => void): void {
	if (canRun) describe(title, body);
	else didNotRun(title, reason);
}

/** Why a test is skipped: its own reason, or that of the suites around it. */
export function skipReason(test: Mocha.Runnable | Mocha.Suite | undefined): string | undefined {
	if (test === undefined) return undefined;
	return (test as WithReason)[reasonKey] ?? skipReason(test.parent);
}

export function gaps(): readonly Gap[] {
	return holder[gapsKey] ?? [];
}

function skip(context: Mocha.Context, reason: string): void {
	// In a `before` hook, currentTest is the first of the tests that it stands before; the whole suite is meant.
	const isBeforeAll = context.test?.title.startsWith('"before all"') ?? false;
	const skipped: WithReason | undefined = isBeforeAll ? context.test?.parent : (context.currentTest ?? context.test);
	if (skipped !== undefined) skipped[reasonKey] = reason;
	context.skip();
}
