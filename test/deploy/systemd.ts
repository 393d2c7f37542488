import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { check, readText, readVariables } from '../support/deploy-files.ts';
import { hasProgram } from '../support/programs.ts';
import { skipUnless } from '../support/skip.ts';

const name = 'device-software-management.service';

describe('deploy/systemd', () => {
	const unit = readText(`deploy/systemd/${name}`);
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'systemd-'));
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	/** The unit and a drop-in, with the Node.js of this machine: systemd looks whether the program is there. */
	function install(dropIn: string): string {
		const path = join(folder, name);
		mkdirSync(`${path}.d`);
		writeFileSync(path, unit.replace('/usr/bin/node', process.execPath));
		writeFileSync(join(`${path}.d`, 'tls.conf'), dropIn);
		return path;
	}

	describe('as systemd-analyze sees it', () => {
		before(skipUnless(hasProgram('systemd-analyze'), 'systemd-analyze is not installed'));

		it('has a unit and a drop-in without a fault', () => {
			const { failed, output } = check('systemd-analyze', 'verify', '--man=no', install(readText('deploy/systemd/tls.conf')));
			expect([failed, output]).to.deep.equal([false, '']);
		});

		it('would be told of a fault in either', () => {
			const { output } = check('systemd-analyze', 'verify', '--man=no', install('[Service]\nLoadCredentials=a:/b\n'));
			expect(output).to.match(/tls\.conf.*Unknown key.*LoadCredentials/);
		});

		it('is exposed little', () => {
			const { failed, output } = check('systemd-analyze', 'security', '--offline=true', '--threshold=15', install(''));
			expect(failed, output).to.equal(false);
		});
	});

	it('leaves V8 the memory that it needs', () => {
		expect(unit).to.not.match(/^MemoryDenyWriteExecute=/m);
	});

	it('starts what the build makes, and gives it more time to end than it takes', () => {
		expect(unit).to.match(/^ExecStart=\/usr\/bin\/node [^\n]*dist\/service\/main\.js$/m);
		const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
		expect(seconds).to.be.above(Number(readVariables('deploy/systemd/environment.example').SHUTDOWN_GRACE_SECONDS));
	});

	it('keeps the data in the folder that systemd makes for it', () => {
		const folderName = /^StateDirectory=(.+)$/m.exec(unit)?.[1];
		expect(unit).to.include(`Environment=DATA_DIR=%S/${folderName}\n`);
	});
});
