import { expect } from 'chai';
import { type BulkWriteResult, type Db, MongoBulkWriteError, type WriteError } from 'mongodb';
import { createSingleApplier } from '../../../../store/mongodb/apply-single.ts';
import { prepareBatch } from '../../../../store/mongodb/prepare-step.ts';

const insert = (id: string) => prepareBatch([{ kind: 'insert', collection: 'things', document: { _id: id } }], () => true);

describe('store/mongodb/apply-single', () => {
	// The server for tests does not tell of both at once, as MongoDB does.
	it('takes nothing for durable that a majority may not have, though a single write was refused beside it', async () => {
		const refused = { index: 0, code: 11_000, errmsg: 'E11000 duplicate key' } as WriteError;
		const result = { getWriteConcernError: () => ({ code: 64, errmsg: 'waiting for replication timed out' }) };
		const error = new MongoBulkWriteError({ message: 'E11000', code: 11_000, writeErrors: [refused] }, result as BulkWriteResult);
		const { applyEach } = createSingleApplier(driverThatThrows(error));
		const [taken, lost] = await applyEach([insert('a'), insert('b')]);
		expect(taken).to.deep.equal({ outcome: { ok: false, failed: 0, duplicate: true } });
		expect(lost)
			.to.have.property('error')
			.that.is.instanceOf(Error)
			.with.property('message', 'waiting for replication timed out');
	});
});

function driverThatThrows(error: Error): Db {
	return { collection: () => ({ bulkWrite: () => Promise.reject(error) }) } as unknown as Db;
}
