import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What the write-ahead log of a database says, read without opening the database. [https://sqlite.org/fileformat2.html#walformat] */
export interface LogFacts {
	/** Pages of the database after its last whole commit; undefined when it holds none. */
	readonly pagesAfterCommit: number | undefined;
	/** The pages that it holds a committed version of. */
	readonly pages: ReadonlySet<number>;
	/** Why what was committed cannot be read from it. */
	readonly damage: string | undefined;
}

const headerBytes = 32;
const frameHeaderBytes = 24;
const framesARead = 256;
const nothing: LogFacts = { pagesAfterCommit: undefined, pages: new Set(), damage: undefined };

type Checksum = readonly [number, number];

/**
 * Reads the log as recovery does. A torn end is what a crash leaves, and no damage: SQLite passes over it.
 * Behind a frame that cannot be read, two commits in one unbroken chain of checksums prove that the first of them
 * was complete: then the frame was lost later, and recovery would silently go back to what was before it.
 */
export function readLog(file: string): LogFacts {
	const descriptor = openSync(file, 'r');
	try {
		const size = fstatSync(descriptor).size;
		const header = Buffer.alloc(headerBytes);
		if (size < headerBytes + frameHeaderBytes || readSync(descriptor, header, 0, headerBytes, 0) < headerBytes) return nothing;
		const pageSize = header.readUInt32BE(8);
		const isBigEndian = (header.readUInt32BE(0) & 1) === 1;
		const start = checksum(header.subarray(0, 24), [0, 0], isBigEndian);
		const isMagic = (header.readUInt32BE(0) & 0xfffffffe) === 0x377f0682;
		if (!isMagic || !holds(header, 24, start)) {
			// The header is on the disk before the first frame is written.
			return size < headerBytes + frameHeaderBytes + 512 ? nothing : { ...nothing, damage: 'its head is not readable' };
		}
		return readFrames(descriptor, { pageSize, isBigEndian, salts: header.subarray(16, 24), start });
	} finally {
		closeSync(descriptor);
	}
}

interface LogHead {
	readonly pageSize: number;
	readonly isBigEndian: boolean;
	readonly salts: Buffer;
	readonly start: Checksum;
}

function readFrames(descriptor: number, { pageSize, isBigEndian, salts, start }: LogHead): LogFacts {
	const frameBytes = frameHeaderBytes + pageSize;
	const buffer = Buffer.alloc(frameBytes * framesARead);
	const pages = new Set<number>();
	let uncommitted: number[] = [];
	let pagesAfterCommit: number | undefined;
	let firstLost: number | undefined;
	let commitsInChain = 0;
	let before = start;
	for (let frame = 0; ; ) {
		const read = readSync(descriptor, buffer, 0, buffer.length, headerBytes + frame * frameBytes);
		const whole = Math.floor(read / frameBytes);
		for (let index = 0; index < whole; index++, frame++) {
			const bytes = buffer.subarray(index * frameBytes, (index + 1) * frameBytes);
			const commit = bytes.readUInt32BE(4);
			const isOurs = bytes.compare(salts, 0, 8, 8, 16) === 0;
			const isWhole = isOurs && holds(bytes, 16, frameChecksum(bytes, before, isBigEndian));
			// What the frame itself says goes on as the start of the next one's: a chain may be whole behind a broken link.
			before = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
			if (!isWhole) {
				firstLost ??= frame;
				commitsInChain = 0;
			} else if (firstLost !== undefined) {
				if (commit > 0 && ++commitsInChain > 1) {
					return { pagesAfterCommit, pages, damage: `frame ${firstLost + 1} is not readable, but commits follow it` };
				}
			} else {
				uncommitted.push(bytes.readUInt32BE(0));
				if (commit === 0) continue;
				for (const page of uncommitted) pages.add(page);
				uncommitted = [];
				pagesAfterCommit = commit;
			}
		}
		if (whole < framesARead) return { pagesAfterCommit, pages, damage: undefined };
	}
}

function frameChecksum(frame: Buffer, before: Checksum, isBigEndian: boolean): Checksum {
	return checksum(frame.subarray(frameHeaderBytes), checksum(frame.subarray(0, 8), before, isBigEndian), isBigEndian);
}

function checksum(bytes: Buffer, [first, second]: Checksum, isBigEndian: boolean): Checksum {
	let a = first;
	let b = second;
	for (let at = 0; at < bytes.length; at += 8) {
		a = (a + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
		b = (b + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
	}
	return [a, b];
}

function holds(bytes: Buffer, at: number, [first, second]: Checksum): boolean {
	return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
}
