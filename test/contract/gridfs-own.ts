import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { openGridFsContents } from '../../store/gridfs/index.ts';
import { ContentStoreError } from '../../store/index.ts';
import { within } from '../support/eventually.ts';
import { useFaultyMongoDb } from '../support/faulty-mongodb.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { describeWhere } from '../support/skip.ts';

describeWhere(isOnMongoDb, 'store/gridfs', 'STORES does not name mongodb', function () {
	this.timeout(60_000);
	const startDatabase = useFaultyMongoDb();

	it('says in time that the database does not answer, and goes on when it does', async () => {
		const server = await startDatabase();
		const contents = await openGridFsContents({
			url: server.url,
			timeoutMilliseconds: 500,
			connectTimeoutMilliseconds: 500,
			heartbeatMilliseconds: 500,
		});
		try {
			const { key } = await contents.put(Readable.from([Buffer.from('before')]));
			server.pause();
			for (const call of [contents.put(Readable.from([Buffer.from('meanwhile')])), contents.open(key)]) {
				const refused = await within(
					'it is refused',
					call.catch((error: unknown) => error),
					3000,
				);
				expect(refused).to.be.instanceOf(ContentStoreError).with.property('fault', 'unavailable');
			}
			server.resume();
			await contents.put(Readable.from([Buffer.from('after')]));
			expect(String(await buffer(await contents.open(key)))).to.equal('before');
		} finally {
			server.resume();
			await contents.close();
		}
	});
});
