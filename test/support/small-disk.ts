import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, in memory, that can be filled. */
export interface SmallDisk {
	readonly path: string;
	resize(megabytes: number): void;
	/** Leaves no room, until it is resized. */
	fill(): void;
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
	const resizeTo = (size: string) => run('mount', ['-o', `remount,size=${size}`, path]);
	return {
		path,
		resize: (to) => {
			if (!resizeTo(`${to}m`)) throw new Error(`${path} cannot be resized`);
		},
		fill: () => {
			// Whoever writes meanwhile needs more than was counted.
			for (let attempt = 0; attempt < 10; attempt++) {
				const { blocks, bfree, bsize } = statfsSync(path);
				if (resizeTo(`${((blocks - bfree) * bsize) / 1024}k`)) return;
			}
			throw new Error(`${path} cannot be filled`);
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
