import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');

describe('deploy/benchmarks', function () {
	this.timeout(60_000);

	for (const [file, command, own] of [
		['bench/main.ts', 'npm run bench ', 'ingest | page | operation | memory'],
		['bench/logins/main.ts', 'npm run bench:logins ', '--in-flight'],
	] as const)
		it(`tell what ${command}takes, and measure nothing`, () => {
			const { status, stdout } = spawnSync(process.execPath, ['--import=tsx', file, '--help'], { cwd: root, encoding: 'utf8' });
			expect(status).to.equal(0);
			expect(stdout.startsWith(command)).to.equal(true);
			expect(stdout).to.contain(own).and.contain('--rounds').and.contain('--help');
			expect(stdout.endsWith('ends\n')).to.equal(true);
		});
});
