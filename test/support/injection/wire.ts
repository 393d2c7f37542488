import { once } from 'node:events';
import { connect } from 'node:net';
import { brotliCompressSync, constants, deflateRawSync, gzipSync } from 'node:zlib';
import { within } from '../eventually.ts';

export interface WireAnswer {
	/** Of all answers on the connection, in order. */
	readonly statuses: readonly number[];
	readonly text: string;
}

/** Sends bytes as they are, and reads until the service closes the connection, or has answered `until` times. */
export async function exchange(url: string, bytes: string | Buffer, until = Number.POSITIVE_INFINITY): Promise<WireAnswer> {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname);
	let text = '';
	const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
	socket.on('error', () => {});
	const enough = new Promise<void>((resolve) => {
		socket.on('data', (data) => {
			text += data.toString('latin1');
			if (statuses().length >= until) resolve();
		});
	});
	const closed = once(socket, 'close');
	socket.write(bytes);
	await within('the service answers', Promise.race([enough, closed]));
	socket.destroy();
	return { statuses: statuses(), text };
}

const mebibytes = 1024 * 1024;
const pieces = 16;
const piece = Buffer.alloc(64 * mebibytes);
/** 1 GiB of zeros, as deflate packs it: one piece after the other, each of which knows nothing of the one before. */
const deflatedZeros = (): Buffer => {
	const packed = deflateRawSync(piece, { finishFlush: constants.Z_FULL_FLUSH });
	return Buffer.concat([...Array.from({ length: pieces }, () => packed), Buffer.from([3, 0])]);
};

/** A gibibyte of zeros by the name of its Content-Encoding; brotli's is a part of it, which is still far above every limit. */
export function packedZeros(): Readonly<Record<string, Buffer>> {
	const gzip = Buffer.concat(Array.from({ length: pieces }, () => gzipSync(piece)));
	const checksum = Buffer.alloc(4);
	// Adler-32 of zeros: one, and how many there were.
	checksum.writeUInt32BE((((pieces * piece.length) % 65_521) * 65_536 + 1) >>> 0);
	const deflate = Buffer.concat([Buffer.from([0x78, 0x9c]), deflatedZeros(), checksum]);
	const br = brotliCompressSync(piece, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
	return { gzip, deflate, br };
}

/** A zip file with one file of a gibibyte of zeros. */
export function zippedZeros(): Buffer {
	const data = deflatedZeros();
	const crcOfZeros = 0x5b64c2b0;
	const name = Buffer.from('zeros');
	const common = Buffer.alloc(26);
	common.writeUInt16LE(20, 0);
	common.writeUInt16LE(8, 4);
	common.writeUInt32LE(crcOfZeros, 10);
	common.writeUInt32LE(data.length, 14);
	common.writeUInt32LE(pieces * piece.length, 18);
	common.writeUInt16LE(name.length, 22);
	const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name]);
	const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(14), name]);
	const end = Buffer.alloc(22);
	end.write('PK\x05\x06');
	end.writeUInt16LE(1, 8);
	end.writeUInt16LE(1, 10);
	end.writeUInt32LE(central.length, 12);
	end.writeUInt32LE(local.length + data.length, 16);
	return Buffer.concat([local, data, central, end]);
}
