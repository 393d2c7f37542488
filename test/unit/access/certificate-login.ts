import { sign } from 'node:crypto';
import { expect } from 'chai';
import { certificateAuthoritySpec } from '../../../access/certificates/certificate-authority.ts';
import {
	createAuthority,
	createCertificate,
	createRequest,
	createRevocationList,
	type TestCertificate,
	type Wanted,
} from '../../support/certificate-chain.ts';
import { certificateSettings } from '../../support/certificate-settings.ts';
import { type AccessBench, openAccessBench } from './access-bench.ts';

describe('access/certificates/certificate-login', () => {
	let bench: AccessBench;
	let root: TestCertificate;
	let leaf: TestCertificate;
	const at = (wanted: Wanted = {}): Wanted => ({ now: bench.clock(), ...wanted });
	beforeEach(async () => {
		bench = await openAccessBench();
		root = await createAuthority('root', at());
		leaf = await createCertificate('leaf', at({ issuer: root }));
	});
	afterEach(() => bench.store.close());

	const trusted = () => bench.access.certificates.trusted;
	async function trust(tenant: string, certificate: TestCertificate, more: object = {}): Promise<string> {
		const how = { name: `${certificate.name} of ${tenant}`, status: 'ENABLED', autoRegistrationEnabled: true } as const;
		return (await trusted().add(tenant, { pem: certificate.pem, ...how, ...more })).fingerprint;
	}
	async function prove(tenant: string, certificate: TestCertificate, fingerprint: string): Promise<void> {
		const { verificationCode = '' } = await trusted().get(tenant, fingerprint);
		await trusted().prove(
			tenant,
			fingerprint,
			sign('sha256', Buffer.from(verificationCode), certificate.keyPem).toString('base64'),
		);
	}
	async function outcome(chain: readonly TestCertificate[], tenant?: string): Promise<string> {
		const login = await bench.access.certificates.logIn(
			chain.map(({ der }) => der),
			tenant,
		);
		return login.ok ? `${login.principal.tenant}/${login.principal.userName}` : `${login.reason}: ${login.message}`;
	}

	it('creates the user of a new device once, and finds it again', async () => {
		await trust('t1', root);
		const both = await Promise.all([outcome([leaf]), outcome([leaf])]);
		expect(both).to.deep.equal(['t1/device_leaf', 't1/device_leaf']);
		expect(await bench.access.users.find('t1', 'device_leaf'))
			.to.include({ role: 'device' })
			.and.not.have.property('passwordHash');
		expect(await bench.access.users.authenticate('t1', 'device_leaf', '', 'here')).to.deep.include({ ok: false });
	});

	it('finds the authority of a tenant behind any number of the same name that another one trusts', async () => {
		const more = { certificates: { ...certificateSettings, maxPerTenant: 1000 } };
		const { trusted: ofAll } = (await bench.reopen(more)).certificates;
		const others = await Promise.all(Array.from({ length: 200 }, () => createAuthority('root', at())));
		const how = { status: 'ENABLED', autoRegistrationEnabled: true } as const;
		await ofAll.addAll(
			't1',
			others.map(({ pem }, index) => ({ pem, name: `${index}`, ...how })),
		);
		for (const { fingerprint } of await ofAll.list('t1', { skip: 0, limit: 200 })) await ofAll.confirm('t1', fingerprint);
		const own = await trust('t2', root);
		expect(await outcome([leaf]), 'one that is not proven').to.equal('t2/device_leaf');
		await prove('t2', root, own);
		expect(await outcome([leaf]), 'a proven one').to.equal('t2/device_leaf');
	});

	it('does not choose between tenants that trust the same authority, until one proves that it has the key', async () => {
		const [first, second] = [await trust('t1', root), await trust('t2', root)];
		expect(await outcome([leaf])).to.equal(
			'rejected: several tenants (t1, t2) trust its authority, and none has proven that it has its key',
		);
		expect(await outcome([leaf], 't2'), 'the device names its tenant').to.equal('t2/device_leaf');
		await prove('t1', root, first);
		expect(await outcome([leaf])).to.equal('t1/device_leaf');
		await trusted().update('t1', first, { status: 'DISABLED' });
		expect(await outcome([leaf]), 'the owner lets nobody in').to.equal(
			"rejected: the trusted certificate 'root of t1' is disabled",
		);
		await trusted().update('t1', first, { status: 'ENABLED' });
		await prove('t2', root, second);
		expect(await outcome([leaf])).to.match(/have proven that they have its key: the device has to name its tenant/);
	});

	it('prefers the tenant that has proven an authority to one that took one below it', async () => {
		const inner = await createAuthority('inner', at({ issuer: root }));
		const device = await createCertificate('deep', at({ issuer: inner }));
		await trust('t2', inner);
		expect(await outcome([device, inner])).to.equal('t2/device_deep');
		await prove('t1', root, await trust('t1', root));
		expect(await outcome([device, inner])).to.equal('t1/device_deep');
	});

	it('lets unproven certificates vouch for themselves only, where it is told so', async () => {
		const strict = await bench.reopen({ certificates: { ...certificateSettings, proofAlways: true } });
		const own = await createCertificate('own', at());
		await trust('t1', own);
		const fingerprint = await trust('t1', root);
		const logIn = async (certificate: TestCertificate) => {
			const login = await strict.certificates.logIn([certificate.der]);
			return login.ok ? 'in' : login.message;
		};
		expect(await logIn(own)).to.equal('in');
		expect(await logIn(leaf)).to.equal("tenant t1 has not proven that it has the key of the trusted certificate 'root of t1'");
		await prove('t1', root, fingerprint);
		expect(await logIn(leaf)).to.equal('in');
	});

	it('refuses what an authority in between has revoked, or is disabled for', async () => {
		const inner = await createAuthority('inner', at({ issuer: root }));
		const device = await createCertificate('deep', at({ issuer: inner }));
		await trust('t1', root);
		expect(await outcome([device, inner])).to.equal('t1/device_deep');
		const fingerprint = await trust('t1', inner);
		const { revocations } = bench.access.certificates;
		const revoke = async (by: TestCertificate, of: string, serials: readonly string[]) =>
			revocations.put(await trusted().get('t1', of), await createRevocationList(by, serials, at()));
		await revoke(inner, fingerprint, [device.serialNumber]);
		expect(await outcome([device, inner])).to.match(/was revoked/);
		await revoke(inner, fingerprint, []);
		expect(await outcome([device, inner])).to.equal('t1/device_deep');
		await trusted().update('t1', fingerprint, { status: 'DISABLED' });
		expect(await outcome([device, inner])).to.equal("rejected: the trusted certificate 'inner of t1' is disabled");
	});

	it('refuses what was revoked, also where the device shows an older certificate of the authority', async () => {
		const renewed = await createAuthority('root', at({ keys: root.keys }));
		const fingerprint = await trust('t1', renewed);
		const authority = await trusted().get('t1', fingerprint);
		const list = await createRevocationList(renewed, [leaf.serialNumber], at());
		await bench.access.certificates.revocations.put(authority, list);
		for (const chain of [[leaf], [leaf, renewed], [leaf, root], [leaf, root, renewed]])
			expect(await outcome(chain)).to.match(/^rejected: .* was revoked/);
	});

	it('compares serial numbers whatever their zeros and case', async () => {
		const fingerprint = await trust('t1', root);
		const odd = await createCertificate('odd', at({ issuer: root, serialNumber: '00AbCd' }));
		expect(await outcome([odd])).to.equal('t1/device_odd');
		const list = await createRevocationList(root, ['abcd'], at());
		await bench.access.certificates.revocations.put(await trusted().get('t1', fingerprint), list);
		expect(await outcome([odd])).to.match(/serial number abcd was revoked/);
	});

	it('finds an overdue list not good enough, unless it is told otherwise', async () => {
		const fingerprint = await trust('t1', root);
		const list = await createRevocationList(root, [], at({ until: 1 }));
		await bench.access.certificates.revocations.put(await trusted().get('t1', fingerprint), list);
		bench.clock.now += 2 * 86_400_000;
		expect(await outcome([leaf])).to.match(/should have been replaced at/);
		const lenient = await bench.reopen({ certificates: { ...certificateSettings, refuseOverdueLists: false } });
		expect((await lenient.certificates.logIn([leaf.der])).ok).to.equal(true);
	});

	it('tells when what let somebody in would not do so any more', async () => {
		const fingerprint = await trust('t1', root);
		const login = await bench.access.certificates.logIn([leaf.der]);
		if (!login.ok) throw new Error(login.message);
		const { proof } = login;
		const lapse = () => bench.access.certificates.lapse(proof);
		expect(await lapse()).to.equal(undefined);
		await trusted().update('t1', fingerprint, { status: 'DISABLED' });
		expect(await lapse()).to.match(/is disabled/);
		await trusted().remove('t1', fingerprint);
		expect(await lapse()).to.match(/not trusted any more/);
		bench.clock.now += 31 * 86_400_000;
		expect(await lapse()).to.match(/expired at/);
	});

	it('reads nothing that is no certificate, however long', async () => {
		const { certificates } = bench.access;
		for (const chain of [
			[],
			[Buffer.alloc(0)],
			[Buffer.from('nonsense')],
			[leaf.der.subarray(0, 50)],
			[Buffer.alloc(100_000, 0x30)],
		])
			expect(await certificates.logIn(chain)).to.deep.equal({
				ok: false,
				reason: 'rejected',
				message: 'the certificate cannot be read',
			});
	});

	it('makes no authority without a secret, and opens no key with another one', async () => {
		const code = (work: Promise<unknown>) =>
			work.then(
				() => 'done',
				(error: { code: string }) => error.code,
			);
		const authority = { ...certificateSettings.authority, secret: undefined };
		const without = await bench.reopen({ certificates: { ...certificateSettings, authority } });
		expect(await code(without.certificates.authorities.create('t1'))).to.equal('access/noSecret');
		await bench.access.certificates.authorities.create('t1');
		const stored = JSON.stringify(await (await bench.store.collection(certificateAuthoritySpec)).get('t1'));
		expect(stored).to.contain('BEGIN ENCRYPTED PRIVATE KEY').and.not.contain('BEGIN PRIVATE KEY');
		const request = await createRequest('leaf');
		const other = await bench.reopen({
			certificates: { ...certificateSettings, authority: { ...authority, secret: 'another secret' } },
		});
		expect(await code(other.certificates.authorities.sign('t1', 'leaf', request))).to.equal('access/noSecret');
		expect(await code(bench.access.certificates.authorities.sign('t2', 'leaf', request))).to.equal('access/noCertificate');
		expect(await code(bench.access.certificates.authorities.sign('t1', 'leaf', request))).to.equal('done');
		const { fingerprint } = (await trusted().list('t1', { skip: 0, limit: 1 }))[0] ?? { fingerprint: '' };
		await trusted().update('t1', fingerprint, { status: 'DISABLED' });
		expect(await code(bench.access.certificates.authorities.sign('t1', 'leaf', request))).to.equal('access/invalid');
		await trusted().remove('t1', fingerprint);
		expect(await code(bench.access.certificates.authorities.sign('t1', 'leaf', request))).to.equal('access/noCertificate');
	});
});
