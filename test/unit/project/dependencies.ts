import { expect } from 'chai';
import { minVersion, valid } from 'semver';
import { z } from 'zod';
import { deniedScripts, dependencyFaults } from '../../../scripts/dependency-rules.ts';
import { type LockedPackage, lockedPackages, readJson } from '../../../scripts/locked-packages.ts';

const manifest = z
	.object({
		engines: z.object({ node: z.string() }),
		dependencies: z.record(z.string(), z.string()),
		devDependencies: z.record(z.string(), z.string()),
		allowScripts: z.record(z.string(), z.boolean()),
	})
	.parse(readJson('package.json'));
const oldestNode = minVersion(manifest.engines.node)?.version ?? '';

const good: LockedPackage = {
	name: 'a',
	folder: 'node_modules/a',
	version: '1.0.0',
	license: 'MIT',
	integrity: 'sha512-x',
};

const allowed: readonly (readonly [what: string, Partial<LockedPackage>])[] = [
	['a package with nothing special', {}],
	['the address of the registry', { resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }],
	['a range of Node that holds the oldest', { engines: { node: '>=18 <21 || 22' } }],
	['any licence for development', { license: 'CC-BY-SA-4.0', dev: true }],
	['a newer Node for development', { engines: { node: '>=22' }, dev: true }],
	['a script that the table denies', { name: 'esbuild', hasInstallScript: true }],
];

const refused: readonly (readonly [what: string, Partial<LockedPackage>, fault: RegExp])[] = [
	['a licence that is not in the table', { license: 'GPL-3.0-only' }, /licence GPL-3\.0-only/],
	['a licence for platforms other than this', { license: 'BUSL-1.1', optional: true }, /licence BUSL-1\.1/],
	['a choice of licences that nobody has looked at', { license: '(MIT OR GPL-3.0)' }, /licence \(MIT OR GPL-3\.0\)/],
	['no licence', { license: undefined }, /licence undefined/],
	['a name that objects have of themselves', { license: 'constructor' }, /licence constructor/],
	['a script', { hasInstallScript: true }, /runs a script/],
	['a script, for development', { hasInstallScript: true, dev: true }, /runs a script/],
	['a Node that is too new', { engines: { node: '>=22' } }, /does not run on Node 20/],
	['another place', { resolved: 'git+ssh://git@github.com/a/a.git#1' }, /does not come from a registry/],
	['a package without its hash', { integrity: undefined }, /no hash/],
];

describe('project/dependencies', () => {
	const locked = lockedPackages();

	for (const [what, change] of allowed) {
		it(`takes ${what}`, () => expect(dependencyFaults({ ...good, ...change }, oldestNode)).to.deep.equal([]));
	}

	for (const [what, change, fault] of refused) {
		it(`refuses ${what}`, () => {
			const faults = dependencyFaults({ ...good, ...change }, oldestNode);
			expect(faults).to.have.length(1);
			expect(faults[0]).to.match(fault);
		});
	}

	it('finds nothing wrong with the packages of this project (else: scripts/dependency-rules.ts)', () => {
		expect(locked.length).to.be.above(100);
		expect(locked.flatMap((each) => dependencyFaults(each, oldestNode))).to.deep.equal([]);
	});

	it('knows the licence that each shipped package states itself', () => {
		const installed = locked.filter(({ dev, optional }) => !dev && !optional);
		const differing = installed.filter(({ folder, license }) => {
			const own = z.object({ license: z.string() }).parse(readJson(`${folder}/package.json`));
			return own.license !== license;
		});
		expect(differing).to.deep.equal([]);
	});

	it('runs no script of a package at installation, and denies none that has none', () => {
		const withScript = locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
		expect(Object.keys(deniedScripts)).to.have.members(withScript);
		expect(manifest.allowScripts).to.deep.equal(Object.fromEntries(withScript.map((name) => [name, false])));
	});

	it('names exactly one version of every package that it asks for', () => {
		const asked = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
		expect(asked.filter(([, version]) => valid(version) !== version)).to.deep.equal([]);
		const there = new Map(locked.map(({ folder, version }) => [folder, version]));
		expect(asked.filter(([name, version]) => there.get(`node_modules/${name}`) !== version)).to.deep.equal([]);
	});
});
