import { z } from 'zod';
import { allowedLicences, deniedScripts } from '../dependency-rules.ts';
import { type LockedPackage, lockedPackages, readJson } from '../locked-packages.ts';
import { pageHead, table } from './markdown.ts';

/** Every package that is shipped: its version, its licence and where it comes from. */
export function renderDependencies(): string {
	const shipped = lockedPackages()
		.filter(({ dev }) => !dev)
		.filter(isFirst);
	const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(readJson('package.json'));
	const rows = shipped.map((each) => {
		const isDirect = dependencies[each.name] === each.version && each.folder === `node_modules/${each.name}`;
		return [isDirect ? `**${each.name}**` : each.name, each.version, each.license ?? '', originOf(each, shipped)];
	});
	const licences = Object.entries(allowedLicences).map(([licence, demand]) => [
		licence,
		String(shipped.filter(({ license }) => license === licence).length),
		demand,
	]);
	return [
		pageHead('Packages of others', 'package-lock.json'),
		`The image, and an installation with \`npm ci --omit=dev\`, hold the product and these ${shipped.length} packages; those in bold are used by the product itself, the others by these. ` +
			'The texts of their licences are in their folders in `node_modules`, as far as their makers put them there; that of Apache-2.0 is also in `LICENSE`. A package for one platform is installed on that alone, under the licence in the folder of the package that it is a part of; what is compiled into it (SQLite, parts in Rust) is not listed here.\n',
		'A test fails when a package is shipped under a licence that is not in this table, runs a script when it is installed, does not run on the oldest Node that the product runs on, does not come from a registry, or has no hash.\n',
		table(['licence', 'packages', 'it asks that'], licences),
		'Packages that would run a script when they are installed, those for development included; npm 11 obeys `allowScripts` in `package.json` and runs none of them, and the image is built with `--ignore-scripts`:\n',
		table(['package', 'why it is there, and why its script is not needed'], Object.entries(deniedScripts)),
		table(['package', 'version', 'licence', 'home'], rows),
	].join('\n');
}

/** Some are installed in several folders. */
function isFirst({ name, version }: LockedPackage, index: number, sorted: readonly LockedPackage[]): boolean {
	const before = sorted[index - 1];
	return before?.name !== name || before.version !== version;
}

/** Optional packages are not installed everywhere, and the page must not depend on where it is made. */
function originOf({ name, folder, optional }: LockedPackage, shipped: readonly LockedPackage[]): string {
	if (!optional) return homeOf(folder, name);
	const whole = shipped.find(({ optionalDependencies }) => Object.hasOwn(optionalDependencies ?? {}, name));
	return `part of ${whole?.name ?? 'another package'}`;
}

const described = z.object({
	homepage: z.string().optional(),
	repository: z.union([z.string(), z.looseObject({ url: z.string() }).transform(({ url }) => url)]).optional(),
});

function homeOf(folder: string, name: string): string {
	const { homepage, repository = '' } = described.parse(readJson(`${folder}/package.json`));
	const onGitHub = /^(?:.*github\.com[:/])?([\w.-]+\/[\w.-]+?)(?:\.git)?(?:#.*)?$/.exec(repository)?.[1];
	return homepage ?? (onGitHub ? `https://github.com/${onGitHub}` : `https://www.npmjs.com/package/${name}`);
}
