import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');

describe('deploy/build', function () {
	this.timeout(60_000);
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'build-'));
		for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, file), join(folder, file));
		symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
		for (const name of ['service', 'dist', 'programs']) mkdirSync(join(folder, name));
		writeFileSync(join(folder, 'dist/of-the-build-before.js'), '');
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	function build(source: string): number | null {
		writeFileSync(join(folder, 'service/main.ts'), source);
		const env = { ...process.env, PATH: `${join(folder, 'programs')}:${process.env.PATH}` };
		return spawnSync('npm', ['run', '--silent', 'build'], { cwd: folder, env }).status;
	}

	function made(): string[] {
		return readdirSync(folder).filter(
			(name) => !['package.json', 'node_modules', 'service', 'programs'].includes(name) && !name.startsWith('tsconfig'),
		);
	}

	it('puts the new build in the place of the one before', () => {
		expect(build('export const started: boolean = true;\n')).to.equal(0);
		expect(readdirSync(join(folder, 'dist/service'))).to.include('main.js');
		expect(readFileSync(join(folder, 'dist/service/main.js'), 'utf8')).to.match(/^export const started = true;/);
		expect(readdirSync(join(folder, 'dist'))).to.not.include('of-the-build-before.js');
		expect(made()).to.deep.equal(['dist']);
	});

	it('puts the build before back when the new one cannot take its place', () => {
		const failing = '#!/bin/sh\ncase $1 in *.old | dist) exec /bin/mv "$@" ;; esac\nexit 1\n';
		writeFileSync(join(folder, 'programs/mv'), failing, { mode: 0o755 });
		expect(build('export const started: boolean = true;\n')).to.not.equal(0);
		expect(readdirSync(join(folder, 'dist'))).to.deep.equal(['of-the-build-before.js']);
		expect(made()).to.deep.equal(['dist']);
	});

	it('leaves what a service may be running from where it is when it fails', () => {
		expect(build('export const started: boolean = 1;\n')).to.not.equal(0);
		expect(readdirSync(join(folder, 'dist'))).to.deep.equal(['of-the-build-before.js']);
		expect(made()).to.deep.equal(['dist']);
	});
});
