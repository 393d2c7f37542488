import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { ContentStoreError } from '../../store/index.ts';
import { openS3Contents } from '../../store/s3/index.ts';

describe('store/s3 alone', () => {
	let server: Server | undefined;
	afterEach(() => {
		server?.closeAllConnections();
		server?.close();
	});

	/** A bucket behind a server that answers like that. */
	async function openOn(answer: RequestListener, timeoutMilliseconds: number) {
		server = createServer(answer).listen(0, '127.0.0.1');
		await once(server, 'listening');
		const { port } = server.address() as AddressInfo;
		return openS3Contents({
			bucket: 'b',
			prefix: '',
			region: 'us-east-1',
			endpoint: `http://127.0.0.1:${port}`,
			hasPathStyle: true,
			credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
			linkSeconds: 60,
			timeoutMilliseconds,
		});
	}

	it('gives up a store that takes connections and does not answer', async () => {
		const failure = await openOn(() => undefined, 50).then(
			() => undefined,
			(error: unknown) => error,
		);
		expect(failure).to.be.instanceOf(ContentStoreError).and.include({ fault: 'unavailable' });
	});

	it('lets any number of slow downloads run at a time', async () => {
		const contents = await openOn(({ method }, response) => {
			response.writeHead(200, { 'Content-Length': method === 'HEAD' ? 0 : 1_000_000 });
			if (method === 'HEAD') response.end();
			else response.write('the first bytes');
		}, 10_000);
		const streams = await Promise.all(Array.from({ length: 120 }, (_, n) => contents.open(`key${n}`)));
		expect(streams).to.have.length(120);
		for (const stream of streams) stream.on('error', () => undefined).destroy();
		await contents.close();
	});
});
