import { once } from 'node:events';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { startAnswerDeadline } from '../../../../service/http/answer-deadline.ts';
import { HttpError } from '../../../../service/http/http-error.ts';
import type { Reply } from '../../../../service/http/reply.ts';

describe('service/http/answer-deadline', () => {
	it('answers 503 with Retry-After when the work takes too long', async () => {
		const error = await startAnswerDeadline(10)
			.wait(new Promise(() => {}))
			.catch((thrown: unknown) => thrown);
		expect(error).to.be.instanceOf(HttpError).and.to.include({ code: 'http/unavailable' });
		expect(error instanceof HttpError && error.headers).to.deep.equal({ 'Retry-After': '5' });
	});

	it('closes the stream that comes too late', async () => {
		const stream = Readable.from(['bytes']);
		const closed = once(stream, 'close');
		let finish: (reply: Reply) => void = () => undefined;
		const work = new Promise<Reply>((resolve) => {
			finish = resolve;
		});
		const waited = await startAnswerDeadline(10)
			.wait(work)
			.catch((thrown: unknown) => thrown);
		expect(waited).to.include({ code: 'http/unavailable' });
		finish({ status: 200, stream });
		await closed;
		expect(stream.destroyed).to.equal(true);
	});

	it('gives what the work gives, also its failure', async () => {
		expect(await startAnswerDeadline(60_000).wait(Promise.resolve('done'))).to.equal('done');
		const failure = new Error('refused');
		expect(
			await startAnswerDeadline(60_000)
				.wait(Promise.reject(failure))
				.catch((thrown: unknown) => thrown),
		).to.equal(failure);
	});

	it('stands still while the body is received', async () => {
		const deadline = startAnswerDeadline(20);
		const body = new Promise<string>((resolve) => setTimeout(() => resolve('body'), 100));
		expect(await deadline.wait(deadline.receiving(body))).to.equal('body');
	});
});
