import type { CallOptions } from './checked-http-client.ts';

/** One part of a form, as it is on the wire. */
export interface Part {
	readonly name: string;
	readonly fileName?: string;
	readonly type?: string;
	readonly content: string | Buffer;
}

const boundary = '----boundary-of-tests';

export const multipartType = `multipart/form-data; boundary=${boundary}`;

/** The bytes of a form. */
export function multipartBody(parts: readonly Part[]): Buffer {
	const pieces = parts.flatMap(({ name, fileName, type, content }) => [
		`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${fileName === undefined ? '' : `; filename="${fileName}"`}\r\n`,
		`${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
		content,
		'\r\n',
	]);
	return Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece)));
}

/** A form as the options of a call. */
export function multipart(...parts: readonly Part[]): CallOptions {
	return { text: multipartBody(parts), type: multipartType };
}

/** A form as most clients send it: the file, then its description. */
export function fileForm(content: string | Buffer, description?: object, fileName = 'tool_1.0_all.deb'): CallOptions {
	const file: Part = { name: 'file', fileName, type: 'application/octet-stream', content };
	return multipart(file, ...(description ? [{ name: 'object', content: JSON.stringify(description) }] : []));
}
