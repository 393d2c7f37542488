import { expect } from 'chai';
import { expectRefusal, useBench } from '../inventory/inventory-bench.ts';
import { openAccessBench } from './access-bench.ts';

describe('access/access', () => {
	const bench = useBench(openAccessBench);
	const first = { tenant: 't1', adminUserName: 'admin' };
	const role = async (tenant: string, user: string, password: string) => {
		const outcome = await bench().access.users.authenticate(tenant, user, password, 'test');
		return outcome.ok ? outcome.principal.role : outcome.reason;
	};

	it('generates passwords at the first start and shows them once', async () => {
		const shown = await bench().access.prepare(first);
		expect(shown.map(({ user }) => user)).to.deep.equal(['t1/admin', 'management/devicebootstrap']);
		const [admin, bootstrap] = shown.map(({ password }) => password);
		expect(await role('t1', 'admin', admin ?? '')).to.equal('admin');
		expect(await role('management', 'devicebootstrap', bootstrap ?? '')).to.equal('bootstrap');
		expect(await (await bench().reopen()).prepare(first)).to.deep.equal([]);
		expect(await role('t1', 'admin', admin ?? '')).to.equal('admin');
	});

	it('sets passwords that are given, whenever others are given than before, and shows none', async () => {
		expect(await bench().access.prepare({ ...first, adminPassword: 'one', bootstrapPassword: 'b' })).to.deep.equal([]);
		expect(await role('t1', 'admin', 'one')).to.equal('admin');
		expect(await bench().access.prepare({ ...first, adminPassword: 'two', bootstrapPassword: 'b' })).to.deep.equal([]);
		expect(await role('t1', 'admin', 'one')).to.equal('rejected');
		expect(await role('t1', 'admin', 'two')).to.equal('admin');
		expect(await role('management', 'devicebootstrap', 'b')).to.equal('bootstrap');
	});

	it('keeps what a user chose after a password was given, until another one is given', async () => {
		const told: string[] = [];
		const onGiven = (user: string, outcome: string) => void told.push(`${user} ${outcome}`);
		const start = async (adminPassword: string) => (await bench().reopen()).prepare({ ...first, adminPassword, onGiven });
		await start('one');
		await start('one');
		expect(told.splice(0)).to.deep.equal(['t1/admin set']);
		const chosen = 'chosen-by-the-user';
		await bench().access.users.changePassword({ tenant: 't1', userName: 'admin' }, chosen);
		await start('one');
		expect(told.splice(0)).to.deep.equal(['t1/admin changed since']);
		expect([await role('t1', 'admin', chosen), await role('t1', 'admin', 'one')]).to.deep.equal(['admin', 'rejected']);
		await start('two');
		expect(told.splice(0)).to.deep.equal(['t1/admin set']);
		expect([await role('t1', 'admin', chosen), await role('t1', 'admin', 'two')]).to.deep.equal(['rejected', 'admin']);
		// A tenant of the version before does not know what was given.
		await bench().access.users.changePassword({ tenant: 't1', userName: 'admin' }, chosen);
		const update = { $unset: ['givenPasswords'] };
		await bench().store.batch([{ kind: 'update', collection: 'tenants', id: 't1', update }]);
		await start('two');
		expect(told.splice(0)).to.deep.equal(['t1/admin set']);
	});

	it('writes no user when the password that is given is the one that is set', async () => {
		const given = { ...first, adminPassword: 'one', bootstrapPassword: 'b' };
		await bench().access.prepare(given);
		const before = await bench().access.users.find('t1', 'admin');
		await (await bench().reopen()).prepare(given);
		expect(await bench().access.users.find('t1', 'admin')).to.deep.equal(before);
	});
});

describe('access/device-registration', () => {
	const bench = useBench(openAccessBench);
	const registration = () => bench().access.registration;

	it('goes from request over poll and acceptance to credentials that work, once', async () => {
		expect(await registration().request('t1', 's')).to.include({ _id: 's', tenant: 't1', status: 'WAITING_FOR_CONNECTION' });
		expect(await registration().poll('s')).to.equal(undefined);
		expect(await registration().get('t1', 's')).to.include({ status: 'PENDING_ACCEPTANCE' });
		expect(await registration().poll('s')).to.equal(undefined);
		expect(await registration().accept('t1', 's')).to.include({ status: 'ACCEPTED' });
		const credentials = await registration().poll('s');
		expect(credentials).to.include({ tenant: 't1', userName: 'device_s' });
		const { users } = bench().access;
		const login = await users.authenticate('t1', 'device_s', credentials?.password ?? '', '');
		expect(login).to.deep.equal({ ok: true, principal: { tenant: 't1', userName: 'device_s', role: 'device', serial: 's' } });
		expect(await registration().poll('s')).to.equal(undefined);
		expect(await registration().count('t1')).to.equal(0);
	});

	it('gives credentials that work to one of several that poll at once', async () => {
		await registration().request('t1', 's');
		await registration().poll('s');
		await registration().accept('t1', 's');
		const given = (await Promise.all([1, 2, 3].map(() => registration().poll('s')))).filter((found) => found !== undefined);
		expect(given).to.have.length(1);
		const login = await bench().access.users.authenticate('t1', 'device_s', given[0]?.password ?? '', '');
		expect(login.ok).to.equal(true);
	});

	it('gives nothing away when the store cannot write, and gives it later', async () => {
		await registration().request('t1', 's');
		await registration().poll('s');
		await registration().accept('t1', 's');
		bench().store.beforeBatch = () => {
			bench().store.beforeBatch = () => undefined;
			throw new Error('disk full');
		};
		await expectRefusal(registration().poll('s'), 'Error', 'disk full');
		expect(await bench().access.users.find('t1', 'device_s')).to.equal(undefined);
		expect(await registration().poll('s')).to.not.equal(undefined);
	});

	it('refuses to accept before the device has asked', async () => {
		await registration().request('t1', 's');
		await expectRefusal(registration().accept('t1', 's'), 'access/notYet', "'s'");
		expect(await registration().get('t1', 's')).to.include({ status: 'WAITING_FOR_CONNECTION' });
	});

	it('accepts twice without harm', async () => {
		await registration().request('t1', 's');
		await registration().poll('s');
		await registration().accept('t1', 's');
		expect(await registration().accept('t1', 's')).to.include({ status: 'ACCEPTED' });
	});

	it('gives nothing for a registration that is not there, was removed, or is of another tenant', async () => {
		expect(await registration().poll('unknown')).to.equal(undefined);
		await expectRefusal(registration().accept('t1', 'unknown'), 'access/notFound', 'unknown');
		await expectRefusal(registration().remove('t1', 'unknown'), 'access/notFound');
		await registration().request('t1', 's');
		await registration().poll('s');
		await expectRefusal(registration().accept('t2', 's'), 'access/notFound');
		await expectRefusal(registration().get('t2', 's'), 'access/notFound');
		await expectRefusal(registration().remove('t2', 's'), 'access/notFound');
		await registration().remove('t1', 's');
		await expectRefusal(registration().accept('t1', 's'), 'access/notFound');
		expect(await registration().poll('s')).to.equal(undefined);
	});

	it('refuses a second registration of a serial, of any tenant, until the first is gone', async () => {
		await registration().request('t1', 's');
		await expectRefusal(registration().request('t1', 's'), 'access/conflict', "'s'");
		await expectRefusal(registration().request('t2', 's'), 'access/conflict');
		await registration().remove('t1', 's');
		await registration().request('t2', 's');
	});

	it('lists the registrations of a tenant, oldest first', async () => {
		for (const serial of ['b', 'a', 'c']) {
			await registration().request('t1', serial);
			bench().clock.now++;
		}
		await registration().request('t2', 'd');
		const listed = await registration().list('t1', { skip: 1, limit: 5 });
		expect(listed.map(({ _id }) => _id)).to.deep.equal(['a', 'c']);
		expect(await registration().count('t1')).to.equal(3);
	});

	for (const serial of ['a', 'x'.repeat(254), 'a b', 'a.b-c_d', '日本', '😀']) {
		it(`takes '${serial.slice(0, 20)}' for a serial`, async () => {
			expect((await registration().request('t1', serial))._id).to.equal(serial);
		});
	}
	for (const serial of [
		'',
		' a',
		'x'.repeat(255),
		'a:b',
		'a/b',
		'a,b',
		'a"b',
		"a'b",
		'a\\b',
		'a\nb',
		'\u0000',
		'\ud800',
		'a\udc00',
	]) {
		it(`refuses ${JSON.stringify(serial.slice(0, 20))} (${serial.length}) as a serial`, () =>
			expectRefusal(registration().request('t1', serial), 'access/invalid', '1 to 254'));
	}
});
