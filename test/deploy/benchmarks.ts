import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');

describe('deploy/benchmarks', function () {
	this.timeout(60_000);

	for (const [file, command, own] of [
		['bench/main.ts', 'npm run bench ', 'ingest | mongodb | page | operation | memory'],
		['bench/logins/main.ts', 'npm run bench:logins ', '--in-flight'],
		['bench/scale/main.ts', 'npm run bench:scale ', '--devices'],
		['bench/queries/main.ts', 'npm run bench:queries ', '--objects'],
		['bench/software-queries/main.ts', 'npm run bench:software ', '--devices'],
	] as const)
		it(`tell what ${command}takes, and measure nothing`, () => {
			const { status, stdout } = spawnSync(process.execPath, ['--import=tsx', file, '--help'], { cwd: root, encoding: 'utf8' });
			expect(status).to.equal(0);
			expect(stdout.startsWith(command)).to.equal(true);
			expect(stdout).to.contain(own).and.contain('--no-write').and.contain('--help');
			expect(stdout.endsWith('ends\n')).to.equal(true);
		});
});
