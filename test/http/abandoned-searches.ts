import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { expect } from 'chai';
import { parseManagedObjectId } from '../../inventory/index.ts';
import { packageId, toPackageDocument } from '../../inventory/package-document.ts';
import type { Collection, CollectionSpec, DocumentStore, Query, StoredDocument } from '../../store/index.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';
import { startService } from '../support/service-fixture.ts';

const path = '/service/advanced-software-mgmt/devices';
const began = 'http.server.request.start';

describe('http/abandoned-searches', () => {
	/** The same store; each read of values is told of before it is made. */
	function heard(store: DocumentStore, onRead: (query: Query) => Promise<void>): DocumentStore {
		return {
			...store,
			async collection<T extends StoredDocument>(spec: CollectionSpec<T>): Promise<Collection<T>> {
				const collection = await store.collection(spec);
				return {
					...collection,
					async findValues(paths, query) {
						await onRead(query);
						return collection.findValues(paths, query);
					},
				};
			},
		};
	}

	it('end when their client has gone, and make room for the next one', async () => {
		const store = await openSqliteStore({ directory: ':memory:', now: Date.now });
		const reads: unknown[] = [];
		let onRead = async (): Promise<void> => {};
		const told = heard(store, async ({ filter }) => {
			reads.push(filter.name);
			await onRead();
		});
		const service = await startService({ HTTP_SCANS_AT_ONCE: '1' }, { store: told });
		const answers: ServerResponse[] = [];
		const noteAnswer = (message: unknown) => {
			const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
			if (request.url?.endsWith('software=left')) answers.push(response);
		};
		subscribe(began, noteAnswer);
		try {
			for (const name of ['left', 'other']) {
				const ids = Array.from({ length: 2000 }, (_, n) =>
					packageId(service.tenant, parseManagedObjectId(`${5000 + n}`), name, '1'),
				);
				await store.batch(
					ids.map((id) => ({ kind: 'put', collection: 'packages', document: toPackageDocument(id, { name, version: '1' }) })),
				);
			}
			const search = (name: string) => `${path}?pageSize=2000&software=${name}`;
			onRead = async () => {
				onRead = async () => {};
				const [answer] = answers;
				if (!answer) throw new Error('the service has not said that the request came');
				const closed = once(answer, 'close');
				abandoned.destroy();
				await closed;
			};
			const { user, password } = service.admin;
			const abandoned = get(service.urls.http + search('left'), { auth: `${user}:${password}` });
			await once(abandoned, 'error');
			const { devices } = await service.operator.http.get<{ devices: unknown[] }>(search('other'));
			expect(devices).to.have.length(2000);
			expect(reads.filter((name) => name === 'other').length).to.be.greaterThan(2);
			expect(reads.filter((name) => name === 'left')).to.have.length(1);
		} finally {
			unsubscribe(began, noteAnswer);
			await service.close();
			await store.close();
		}
	});
});
