import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** From Debian's package libfaketime. */
const library = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`;

/** The clock of processes that are started with these settings. */
export interface FakeClock {
	readonly settings: Readonly<Record<string, string>>;
	/** Seconds that it is ahead of the machine's, from about a second later on. Time that is only measured goes on as it is. */
	readonly shift: (seconds: number) => void;
}

/** A clock that can be set, by a file in this folder; `undefined` where libfaketime is not installed. */
export function createFakeClock(folder: string): FakeClock | undefined {
	if (!existsSync(library)) return undefined;
	const file = join(folder, 'clock');
	const shift = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`);
	shift(0);
	const settings = {
		LD_PRELOAD: library,
		FAKETIME_TIMESTAMP_FILE: file,
		FAKETIME_CACHE_DURATION: '1',
		FAKETIME_DONT_FAKE_MONOTONIC: '1',
	};
	return { settings, shift };
}
