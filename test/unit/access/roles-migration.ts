import { expect } from 'chai';
import { accessCollections, accessMigrations } from '../../../access/index.ts';
import { openSchema, type StoredDocument } from '../../../store/index.ts';
import { useBench } from '../inventory/inventory-bench.ts';
import { openAccessBench } from './access-bench.ts';

describe('access/roles-migration', () => {
	const bench = useBench(openAccessBench);
	const guard = { kind: 'require', collection: 'tenants', id: 't1' } as const;

	it('gives users of the version before their global roles, which they had as one role', async () => {
		const { store, access } = bench();
		await access.users.set('t1', 'boss', 'password-1', 'admin');
		await access.users.set('t1', 'device_s', 'password-2', 'device');
		await access.users.set('t1', 'olga', 'password-3', 'operator');
		for (const userName of ['boss', 'device_s'])
			await store.batch([{ kind: 'update', collection: 'users', id: `t1/${userName}`, update: { $unset: ['globalRoles'] } }]);
		// They are read right before, too, but not found by their roles.
		expect(await access.users.findPrincipal('t1', 'boss')).to.deep.equal({ tenant: 't1', userName: 'boss', role: 'admin' });
		expect(await access.directory.countInRole('t1', 'admin')).to.equal(0);

		const schema = await store.collection<StoredDocument & { readonly version: number }>({ name: 'schema', indexes: [] });
		await schema.insert({ _id: 'users', version: 1 });
		const versions = await openSchema({ store, collections: accessCollections, migrations: accessMigrations });
		expect(await versions.isCurrent()).to.equal(false);
		await versions.migrate(guard, new AbortController().signal, () => {});
		expect(await versions.isCurrent()).to.equal(true);
		for (const role of ['admin', 'device', 'operator']) expect(await access.directory.countInRole('t1', role), role).to.equal(1);
		expect(await access.users.findPrincipal('t1', 'device_s')).to.include({ role: 'device', serial: 's' });
	});
});
