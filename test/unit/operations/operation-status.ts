import { expect } from 'chai';
import {
	nextStatus,
	type OperationStatus,
	operationStatuses,
	operationTransitions,
	parseOperationId,
} from '../../../operations/index.ts';
import { expectRefusal, refusal, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench, receipt } from './operations-bench.ts';

type Outcome = 'changed' | 'unchanged' | 'refused';

/** Every pair, written down by hand: rows are what an operation is, columns what it is to become. */
const matrix: Readonly<Record<OperationStatus, Readonly<Record<OperationStatus, Outcome>>>> = {
	PENDING: { PENDING: 'unchanged', EXECUTING: 'changed', SUCCESSFUL: 'changed', FAILED: 'changed' },
	EXECUTING: { PENDING: 'refused', EXECUTING: 'unchanged', SUCCESSFUL: 'changed', FAILED: 'changed' },
	SUCCESSFUL: { PENDING: 'refused', EXECUTING: 'refused', SUCCESSFUL: 'unchanged', FAILED: 'refused' },
	FAILED: { PENDING: 'refused', EXECUTING: 'refused', SUCCESSFUL: 'refused', FAILED: 'unchanged' },
};

/** What 501, 502 and 503 do to the only operation of a device in each status. */
const oldest: Readonly<Record<'501' | '502' | '503', Readonly<Record<OperationStatus, OperationStatus>>>> = {
	'501': { PENDING: 'EXECUTING', EXECUTING: 'EXECUTING', SUCCESSFUL: 'SUCCESSFUL', FAILED: 'FAILED' },
	'502': { PENDING: 'PENDING', EXECUTING: 'FAILED', SUCCESSFUL: 'SUCCESSFUL', FAILED: 'FAILED' },
	'503': { PENDING: 'PENDING', EXECUTING: 'SUCCESSFUL', SUCCESSFUL: 'SUCCESSFUL', FAILED: 'FAILED' },
};

describe('operations/operation-status', () => {
	const bench = useBench(openOperationsBench);

	it('lets nothing follow a final status', () => {
		expect(operationTransitions.SUCCESSFUL).to.deep.equal([]);
		expect(operationTransitions.FAILED).to.deep.equal([]);
	});

	for (const from of operationStatuses) {
		for (const to of operationStatuses) {
			const outcome = matrix[from][to];

			it(`says ${outcome} from ${from} to ${to}`, () => expect(nextStatus(from, to)).to.equal(outcome));

			it(`is ${outcome} by PUT from ${from} to ${to}`, async () => {
				const { operations, operation, device } = bench();
				const { id } = await operation(await device(), from);
				const change = operations.update(tenant, id, { status: to });
				if (outcome === 'refused') await expectRefusal(change, 'operation/transition', from, to);
				else expect((await change).status).to.equal(to);
				expect((await operations.get(tenant, id)).status).to.equal(outcome === 'refused' ? from : to);
			});
		}

		for (const [template, to] of [
			['504', 'EXECUTING'],
			['505', 'FAILED'],
			['506', 'SUCCESSFUL'],
		] as const) {
			const outcome = matrix[from][to];
			it(`is ${outcome} by ${template} from ${from}`, async () => {
				const { operations, operation, device, clock } = bench();
				const deviceId = await device();
				const before = await operation(deviceId, from);
				clock.now += 1000;
				const report = operations.report(tenant, deviceId, before.id, { status: to });
				if (outcome === 'refused') await expectRefusal(report, 'operation/transition', before.id, from, to);
				else await report;
				const after = await operations.get(tenant, before.id);
				if (outcome !== 'changed') expect(after).to.deep.equal(before);
				else expect([after.status, after.lastUpdated]).to.deep.equal([to, clock.now]);
			});
		}

		for (const template of ['501', '502', '503'] as const) {
			const to = oldest[template][from];
			it(`${to === from ? `leaves ${from}` : `makes ${to} of ${from}`} by ${template}`, async () => {
				const { operations, operation, device } = bench();
				const deviceId = await device();
				const before = await operation(deviceId, from);
				const found =
					template === '501'
						? await operations.startOldest(tenant, deviceId, 'c8y_Restart', receipt())
						: await operations.endOldest(
								tenant,
								deviceId,
								'c8y_Restart',
								{ status: template === '502' ? 'FAILED' : 'SUCCESSFUL' },
								receipt(),
							);
				expect(found?.status).to.equal(from === to ? undefined : to);
				const after = await operations.get(tenant, before.id);
				expect(after.status).to.equal(to);
				if (from === to) expect(after).to.deep.equal(before);
			});
		}
	}

	for (const text of ['1', '4294967295', '007']) {
		it(`takes '${text}' for an operation id`, () => expect(parseOperationId(text)).to.equal(text));
	}
	for (const text of ['', 'x', '-1', '4294967296', '99999999999', '1.5', ' 1', '1\n', '١']) {
		it(`refuses ${JSON.stringify(text)} as an operation id`, async () =>
			expect((await refusal(() => parseOperationId(text))).code).to.equal('operation/notFound'));
	}
});
