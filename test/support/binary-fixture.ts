import { expect } from 'chai';
import type { BinaryLimits } from '../../inventory/index.ts';
import type { KeptContent } from '../../store/index.ts';
import { basic, type CallOptions } from './checked-http-client.ts';
import { type Caller, credentials, type HttpFixture, openHttpFixture } from './http-fixture.ts';

export const binariesPath = '/inventory/binaries';
/** Every byte there is, some of them often. */
export const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));

export type BinaryFixture = Awaited<ReturnType<typeof openBinaryFixture>>;

/** The HTTP side with what tests of binaries share. */
export async function openBinaryFixture(limits: Partial<BinaryLimits> = { maxBytes: 100_000 }) {
	const fixture: HttpFixture = await openHttpFixture({}, { binaries: limits });

	/** Uploads, and gives the id. */
	async function upload(options: CallOptions, caller: Caller = 'admin'): Promise<string> {
		const answer = await fixture.call(caller, 'post', binariesPath, options);
		expect(answer.status, answer.text).to.equal(201);
		return answer.body.id;
	}

	/** Bodies are read as they are, whatever their type says. */
	async function download(id: string, headers: Readonly<Record<string, string>> = {}, caller: Caller = 'admin') {
		const response = await fetch(`${fixture.url}${binariesPath}/${id}`, {
			headers: { authorization: basic(credentials[caller]), ...headers },
		});
		return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
	}

	/** What the content store has. */
	async function kept(): Promise<KeptContent[]> {
		const found: KeptContent[] = [];
		for await (const each of fixture.contents.list()) found.push(each);
		return found;
	}

	return { fixture, upload, download, kept, close: fixture.close };
}

/** A fixture for each test, opened and closed around it; `reopen` gives the running test another one. */
export function useBinaryFixture() {
	let bench: BinaryFixture;
	beforeEach(async () => {
		bench = await openBinaryFixture();
	});
	afterEach(() => bench.close());

	async function reopen(limits: Partial<BinaryLimits>): Promise<void> {
		await bench.close();
		bench = await openBinaryFixture(limits);
	}

	return {
		fixture: () => bench.fixture,
		upload: (...args: Parameters<BinaryFixture['upload']>) => bench.upload(...args),
		download: (...args: Parameters<BinaryFixture['download']>) => bench.download(...args),
		kept: () => bench.kept(),
		reopen,
	};
}
