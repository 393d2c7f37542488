import type { InstalledPackage } from './package-list.ts';

type Named = Pick<InstalledPackage, 'name' | 'version'>;

export interface DemoResult {
	readonly devices: number;
	readonly reportSeconds: number;
	readonly updateSeconds: number;
	readonly successful: number;
	readonly failureReasons: readonly string[];
	readonly unfinished: number;
	readonly packagesBefore: number;
	readonly packagesAfter: number;
	/** One device, so that there is something to look at. */
	readonly example: { readonly serial: string; readonly before: readonly Named[]; readonly after: readonly Named[] };
}

const shownReasons = 8;

/** What a person wants to know when it is over. */
export function summarize(result: DemoResult): string {
	const { devices, successful, failureReasons, unfinished, example } = result;
	const perSecond = Math.round(result.packagesBefore / Math.max(result.reportSeconds, 0.001));
	return [
		'',
		`${plural(devices, 'device')} reported ${number(result.packagesBefore)} packages in ${seconds(result.reportSeconds)} (${number(perSecond)} a second)`,
		`${plural(devices, 'update')} in ${seconds(result.updateSeconds)}: ${successful} successful, ${failureReasons.length} failed, ${unfinished} not ended`,
		...reasons(failureReasons),
		`packages in all lists: ${number(result.packagesBefore)} before, ${number(result.packagesAfter)} after`,
		'',
		`${example.serial}: ${number(example.before.length)} packages before, ${number(example.after.length)} after`,
		...differences(example.before, example.after),
		'',
	].join('\n');
}

function reasons(all: readonly string[]): string[] {
	const counts = new Map<string, number>();
	for (const reason of all) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	const sorted = [...counts].sort((a, b) => b[1] - a[1]);
	const lines = sorted.slice(0, shownReasons).map(([reason, count]) => `  ${String(count).padStart(4)} × ${reason}`);
	return sorted.length > shownReasons ? [...lines, `  and ${sorted.length - shownReasons} other reasons`] : lines;
}

function differences(before: readonly Named[], after: readonly Named[]): string[] {
	const keyOf = ({ name, version }: Named) => `${name} ${version}`;
	const [old, present] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
	const gone = [...old].filter((key) => !present.has(key)).map((key) => `  - ${key}`);
	const come = [...present].filter((key) => !old.has(key)).map((key) => `  + ${key}`);
	return gone.length + come.length > 0 ? [...gone, ...come] : ['  unchanged'];
}

function plural(count: number, noun: string): string {
	return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function number(value: number): string {
	return value.toLocaleString('en-US');
}

function seconds(value: number): string {
	return `${value.toFixed(1)} s`;
}
