import { setTimeout as delay } from 'node:timers/promises';
import type { InstalledPackage } from './package-list.ts';

/** What is to be done with one package; `action` is `install` or `delete`. */
export interface Action extends InstalledPackage {
	readonly action: string;
}

export interface Outcome {
	readonly added: InstalledPackage[];
	readonly removed: InstalledPackage[];
	/** Why it could not be done to the end. */
	readonly failure?: string;
}

export type Installer = ReturnType<typeof createInstaller>;

/** Stands in for a package manager: it takes its time, and sometimes fails. */
export function createInstaller(options: {
	readonly packages: readonly InstalledPackage[];
	/** How long one package takes on average. */
	readonly installMilliseconds: number;
	/** From 0, nothing fails, to 1. */
	readonly failureRate: number;
}) {
	const installed = new Map(options.packages.map((item) => [keyOf(item), item]));

	/** @throws AbortError when it is stopped in the middle */
	async function apply(actions: readonly Action[], signal: AbortSignal): Promise<Outcome> {
		const before = new Map(installed);
		let failure: string | undefined;
		for (const action of actions) {
			await delay(options.installMilliseconds * (0.5 + Math.random()), undefined, { signal });
			failure = attempt(action);
			if (failure !== undefined) break;
		}
		const removed = [...before].filter(([key]) => !installed.has(key)).map(([, item]) => item);
		const added = [...installed].filter(([key, item]) => before.get(key) !== item).map(([, item]) => item);
		return { added, removed, ...(failure !== undefined && { failure }) };
	}

	function attempt({ action, ...item }: Action): string | undefined {
		if (action !== 'install') {
			installed.delete(keyOf(item));
			return undefined;
		}
		if (Math.random() < options.failureRate) return `${item.name} ${item.version}: the download was broken`;
		// Another version of the package gives way to the new one.
		for (const [key, { name }] of installed) if (name === item.name) installed.delete(key);
		installed.set(keyOf(item), item);
		return undefined;
	}

	/** What is to be done so that exactly the wanted packages are installed. */
	function differencesTo(wanted: readonly Omit<InstalledPackage, 'type'>[]): Action[] {
		const wantedKeys = new Set(wanted.map(keyOf));
		const surplus = [...installed].filter(([key]) => !wantedKeys.has(key)).map(([, item]) => ({ ...item, action: 'delete' }));
		const missing = wanted
			.filter((item) => !installed.has(keyOf(item)))
			.map((item) => ({ ...item, type: '', action: 'install' }));
		return [...surplus, ...missing];
	}

	return { apply, differencesTo, list: () => [...installed.values()] };
}

function keyOf({ name, version }: Pick<InstalledPackage, 'name' | 'version'>): string {
	return `${name} ${version}`;
}
