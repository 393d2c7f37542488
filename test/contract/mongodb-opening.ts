import { expect } from 'chai';
import { type CreateIndexesOptions, type Document, MongoClient } from 'mongodb';
import { connect } from '../../store/mongodb/connection.ts';
import { openMongoStore } from '../../store/mongodb/index.ts';
import { injectFault } from '../support/faulty-mongodb.ts';
import { refusal, thingsOf, useMongoStores } from '../support/mongo-stores.ts';
import { startTestMongoDb } from '../support/mongodb.ts';
import { isOnMongoDb } from '../support/named-stores.ts';
import { didNotRun } from '../support/skip.ts';

if (isOnMongoDb) describe('store/mongodb opening', openingCases);
else didNotRun('store/mongodb opening', 'STORES does not name mongodb');

function openingCases(this: Mocha.Suite): void {
	this.timeout(60_000);
	const { database, open } = useMongoStores();

	it('refuses a server that is no replica set, and says how to make it one', async () => {
		const server = await startTestMongoDb({ standalone: true });
		try {
			const said = await refusal(openMongoStore({ url: server.url, now: Date.now }));
			for (const part of ['mongod --replSet rs0', 'rs.initiate()', '?replicaSet=rs0', 'directConnection=true'])
				expect(said).to.include(part);
		} finally {
			await server.stop();
		}
	});

	it('names the replica set that the server is in, where the URL asks for another one', async () => {
		const client = new MongoClient(database().url);
		const hello = await client.db('admin').command({ hello: 1 });
		await client.close();
		const url = new URL(database().url);
		url.searchParams.delete('directConnection');
		url.searchParams.set('replicaSet', 'other');
		const said = await refusal(openMongoStore({ url: url.href, now: Date.now, serverSelectionTimeoutMilliseconds: 1000 }));
		expect(said).to.include(`belongs to the replica set '${hello.setName}', and the URL asks for 'other'`);
	});

	const faulty: [what: string, url: string, message: RegExp][] = [
		[
			'where nobody is',
			'mongodb://user:s3cret@127.0.0.1:1/db?replicaSet=rs0',
			/did not answer within 300 ms \(127\.0\.0\.1:1\/db\)/,
		],
		['with a password that is not encoded', 'mongodb://user:s3cret%@127.0.0.1:1/db', /is none that MongoDB's driver understands/],
		['with an unknown option', 'mongodb://user:s3cret@127.0.0.1:1/db?shape=round', /one of its options is wrong/],
		['of something else', 'http://user:s3cret@127.0.0.1:1/db', /right is mongodb:\/\/user:password@host/],
	];
	for (const [what, url, message] of faulty) {
		it(`refuses a URL ${what}, without its password`, async () => {
			const said = await refusal(openMongoStore({ url, now: Date.now, serverSelectionTimeoutMilliseconds: 300 }));
			expect(said).to.match(message);
			expect(said).to.not.include('s3cret');
		});
	}

	it('takes the database from the URL, where no setting names one', async () => {
		const url = new URL(database().url);
		url.pathname = `/${database().database}`;
		const store = await openMongoStore({ url: url.href, now: Date.now });
		await store.close();
		expect(store.name).to.match(new RegExp(`/${database().database}$`));
	});

	it('asks for the majority, its journal and writes that may be retried, whatever the URL says', async () => {
		const { url, database: name } = database();
		const weak = new URL(url);
		const asked = [
			'w=1',
			'journal=false',
			'wtimeoutMS=1',
			'readConcernLevel=local',
			'readPreference=nearest',
			'retryWrites=false',
		];
		for (const [key = '', value = ''] of asked.map((word) => word.split('='))) weak.searchParams.set(key, value);
		const { client, db } = await connect({ url: weak.href, database: name, onCommand: () => {} });
		try {
			const sent = new Map<string, Document>();
			client.on('commandStarted', ({ commandName, command }) => sent.set(commandName, command));
			const things = db.collection('things');
			await things.bulkWrite([{ insertOne: { document: { n: 1 } } }]);
			await things.findOneAndUpdate({ n: 1 }, { $set: { n: 2 } });
			await things.findOne({ n: 2 });
			for (const write of ['insert', 'findAndModify']) {
				expect(sent.get(write)?.writeConcern, write).to.deep.equal({ w: 'majority', j: true });
				expect(sent.get(write)?.txnNumber, write).to.not.equal(undefined);
			}
			expect(sent.get('find')?.readConcern).to.deep.include({ level: 'majority' });
			expect(sent.get('find')?.$readPreference?.mode ?? 'primary').to.equal('primary');
		} finally {
			await client.close();
		}
	});

	it('takes what others commit for the answer to a ping, which under load would wait behind them', async () => {
		const store = await open({ url: database().url, maxPoolSize: 1 });
		const things = await thingsOf(store);
		let ended = 0;
		const ids = Array.from({ length: 200 }, (_, n) => `${n}`);
		await Promise.all(ids.map((_id) => things.insert({ _id })));
		const changes = ids.map((_id) => things.findOneAndUpdate({ _id }, { $set: { at: 1 } }).then(() => ended++));
		const insertion = things.insert({ _id: 'one more' });
		await store.ping();
		expect(ended).to.be.below(10);
		await Promise.all([...changes, insertion]);
	});

	it('takes nothing for the answer to a ping that changes nothing', async () => {
		const server = await startTestMongoDb();
		try {
			const store = await open({ url: server.url });
			const things = await thingsOf(store);
			await things.insert({ _id: 'a' });
			await injectFault(server.url, 'alwaysOn', ['update'], { blockConnection: true, blockTimeMS: 3000 });
			let isAnswered = false;
			const ping = store.ping().then(() => {
				isAnswered = true;
			});
			await store.batch([{ kind: 'require', collection: 'things', id: 'a' }]);
			await things.findOneAndUpdate({ _id: 'b' }, { $set: { at: 1 } });
			expect(isAnswered).to.equal(false);
			await things.insert({ _id: 'b' });
			await ping;
			await store.close();
		} finally {
			await server.stop();
		}
	});

	const others: [what: string, keys: Record<string, 1 | -1>, options: CreateIndexesOptions, found: string][] = [
		['in another order', { owner: -1 }, {}, '{ owner: -1 }'],
		['that has to be unique', { owner: 1 }, { unique: true }, 'unique { owner: 1 }'],
		['of MongoDB that is sparse by all its fields', { owner: 1 }, { sparse: true }, '{ owner: 1 }, sparse'],
		['of some owners', { owner: 1 }, { partialFilterExpression: { owner: { $gt: 5 } } }, '{ owner: 1 }, partialFilterExpression'],
	];
	for (const [what, keys, options, found] of others) {
		it(`refuses a collection with an index ${what}, and takes it again without`, async () => {
			const { url, database: name } = database();
			const client = new MongoClient(url);
			const things = client.db(name).collection('things');
			await things.createIndex(keys, { ...options, name: 'owner' });
			const said = await refusal(thingsOf(await open()));
			expect(said).to.include(`the index 'owner' of the collection 'things' in the database '${name}' is ${found},`);
			expect(said).to.include("has to be { owner: 1 }: remove it with db.things.dropIndex('owner')");
			await things.dropIndex('owner');
			await client.close();
			await thingsOf(await open());
		});
	}

	it('makes collections and indexes once when several processes start on an empty database', async () => {
		const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
		const all = await Promise.all(stores.map(thingsOf));
		for (const [n, things] of all.entries()) await things.insert({ _id: `${n}`, owner: 'o' });
		expect(await all[0]?.count({ owner: 'o' })).to.equal(4);
	});
}
