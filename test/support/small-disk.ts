import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, in memory, that can be filled. */
export interface SmallDisk {
	readonly path: string;
	resize(megabytes: number): void;
	/** Returns when it is gone; nothing may have it open. */
	remove(): void;
}

/** A disk of this size, or `undefined` where mounting is not permitted. `remove` has to be called. */
export function makeSmallDisk(megabytes: number): SmallDisk | undefined {
	const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
	if (!run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])) {
		rmSync(path, { recursive: true });
		return undefined;
	}
	return {
		path,
		resize: (to) => {
			if (!run('mount', ['-o', `remount,size=${to}m`, path])) throw new Error(`${path} cannot be resized`);
		},
		remove: () => {
			if (!run('umount', [path])) throw new Error(`${path} cannot be unmounted`);
			rmSync(path, { recursive: true });
		},
	};
}

function run(program: string, args: readonly string[]): boolean {
	return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}
