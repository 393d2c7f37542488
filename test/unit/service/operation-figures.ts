import { expect } from 'chai';
import { pino } from 'pino';
import type { OperationSurvey } from '../../../operations/index.ts';
import { createMetrics } from '../../../service/metrics.ts';
import { createOperationFigures } from '../../../service/operation-figures.ts';

const silent = pino({ level: 'silent' });

/** Figures of operations of which the test says how many there are. */
function figuresOf(survey: () => Promise<OperationSurvey>) {
	const { registry, operations, oldestPending } = createMetrics();
	const state = { elapsed: 0, isCounting: true, surveys: 0 };
	const sample = createOperationFigures({
		metrics: { operations, oldestPending },
		operations: {
			survey: () => {
				state.surveys++;
				return survey();
			},
		},
		everyMilliseconds: 1000,
		clock: () => 90_000,
		elapsed: () => state.elapsed,
		isCounting: () => state.isCounting,
		log: silent,
	});
	const tell = async () => (await registry.metrics()).split('\n').filter((line) => /^operations/.test(line));
	return { state, sample, tell };
}

describe('service/operation-figures', () => {
	const two: OperationSurvey = { counts: new Map([['PENDING', 2]]), oldestPending: 30_000 };

	it('tells nothing before it has counted, then the counts and the age of the oldest', async () => {
		const { sample, tell } = figuresOf(async () => two);
		expect(await tell()).to.deep.equal([]);
		await sample();
		expect(await tell()).to.deep.equal(['operations{status="PENDING"} 2', 'operations_oldest_pending_seconds 60']);
	});

	it('tells 0 when nothing waits, or was created when the clock was ahead', async () => {
		for (const survey of [
			{ counts: two.counts },
			{ counts: two.counts, oldestPending: 100_000 },
		] satisfies readonly OperationSurvey[]) {
			const { sample, tell } = figuresOf(async () => survey);
			await sample();
			expect((await tell())[1]).to.equal('operations_oldest_pending_seconds 0');
		}
	});

	it('counts once in its time, however often it is asked, and by how many', async () => {
		const { state, sample } = figuresOf(async () => two);
		await Promise.all([sample(), sample()]);
		state.elapsed = 999;
		await sample();
		expect(state.surveys).to.equal(1);
		state.elapsed = 1000;
		await sample();
		expect(state.surveys).to.equal(2);
	});

	it('counts again at once after a count that failed, which fails nobody', async () => {
		let fails = true;
		const { state, sample, tell } = figuresOf(async () => {
			if (fails) throw new Error('the database is away');
			return two;
		});
		await sample();
		expect(await tell()).to.deep.equal([]);
		fails = false;
		await sample();
		expect(state.surveys).to.equal(2);
		expect(await tell()).to.have.length(2);
	});

	it('keeps nobody waiting for a long count, and begins no other meanwhile', async () => {
		let end: (survey: OperationSurvey) => void = () => {};
		const { state, sample, tell } = figuresOf(
			() =>
				new Promise((resolve) => {
					end = resolve;
				}),
		);
		await sample();
		state.elapsed = 5000;
		const waiting = sample();
		expect(state.surveys).to.equal(1);
		end(two);
		await waiting;
		expect(await tell()).to.have.length(2);
	});

	it('tells nothing any more when another process counts', async () => {
		const { state, sample, tell } = figuresOf(async () => two);
		await sample();
		state.isCounting = false;
		await sample();
		expect(await tell()).to.deep.equal([]);
		expect(state.surveys).to.equal(1);
		state.isCounting = true;
		await sample();
		expect(await tell()).to.have.length(2);
	});
});
