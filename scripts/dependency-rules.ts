import { satisfies } from 'semver';
import type { LockedPackage } from './locked-packages.ts';

/** THE table of licences, by their SPDX names, that what is shipped may have, and what they ask for. An expression of several is a row of its own. */
export const allowedLicences: Readonly<Record<string, string>> = {
	'Apache-2.0': 'its text and notices go along',
	MIT: 'its text goes along',
	ISC: 'its text goes along',
	'BSD-2-Clause': 'its text goes along',
	'BSD-3-Clause': 'its text goes along; its authors are not used to advertise',
	'0BSD': 'nothing',
};

/** THE table of packages that would run a script when they are installed, and why none of them has to: `allowScripts` in package.json denies it. */
export const deniedScripts: Readonly<Record<string, string>> = {
	esbuild:
		'part of tsx, for development: its script puts the program in the place of the script that starts it, and downloads it only where optional packages were left out. It starts without, too.',
};

const registry = 'https://registry.npmjs.org/';

/** What is wrong with a package, each in words. `node` is the oldest version that the product runs on. */
export function dependencyFaults(locked: LockedPackage, node: string): string[] {
	const { name, version, license, resolved, integrity, dev, hasInstallScript, engines } = locked;
	const what = `${name} ${version}`;
	const faults: (string | false)[] = [
		!dev &&
			(license === undefined || !Object.hasOwn(allowedLicences, license)) &&
			`${what} is shipped, and its licence ${license} is not in the table`,
		!dev &&
			engines?.node !== undefined &&
			!satisfies(node, engines.node) &&
			`${what} does not run on Node ${node}: ${engines.node}`,
		hasInstallScript === true && !Object.hasOwn(deniedScripts, name) && `${what} runs a script when it is installed`,
		// Where the lock names no place, it is the registry that npm is configured with.
		resolved !== undefined && !resolved.startsWith(registry) && `${what} does not come from a registry: ${resolved}`,
		integrity === undefined && `${what} has no hash in package-lock.json`,
	];
	return faults.filter((fault) => fault !== false);
}
