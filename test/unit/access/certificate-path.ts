import { expect } from 'chai';
import { parseDer } from '../../../access/certificates/certificate.ts';
import { arrangePath, pathFault, pathTo } from '../../../access/certificates/certificate-path.ts';
import { createAuthority, createCertificate, type TestCertificate, type Wanted } from '../../support/certificate-chain.ts';

const now = Date.UTC(2026, 10, 22);
const day = 86_400_000;
const make = (name: string, wanted: Wanted = {}) => createCertificate(name, { now, ...wanted });
const authority = (name: string, wanted: Wanted = {}) => createAuthority(name, { now, ...wanted });
const read = ({ der }: TestCertificate) => parseDer(der);

describe('access/certificates/certificate-path', () => {
	it('arranges what a client sends in any order, and leaves out what does not belong', async () => {
		const root = await authority('root');
		const outer = await authority('outer', { issuer: root });
		const inner = await authority('inner', { issuer: outer });
		const leaf = await make('leaf', { issuer: inner });
		const stranger = await authority('stranger');
		for (const others of [
			[inner, outer],
			[outer, inner],
			[stranger, outer, stranger, leaf, inner],
		]) {
			const names = arrangePath(read(leaf), others.map(read)).map(({ subject }) => subject);
			expect(names).to.deep.equal(['CN=leaf', 'CN=inner', 'CN=outer']);
		}
	});

	it('ends where certificates sign each other in a circle', async () => {
		const first = await authority('a');
		const second = await authority('b', { issuer: first });
		const closing = await authority('a', { issuer: { ...second, keys: second.keys } });
		const leaf = await make('leaf', { issuer: second });
		expect(arrangePath(read(leaf), [second, first, closing].map(read)).length).to.be.at.most(4);
	});

	it('finds the part of a path that a trusted certificate vouches for', async () => {
		const root = await authority('root');
		const inner = await authority('inner', { issuer: root });
		const leaf = await make('leaf', { issuer: inner });
		const path = arrangePath(read(leaf), [read(inner)]);
		const subjects = (trusted: TestCertificate) => pathTo(read(trusted), path)?.map(({ subject }) => subject);
		expect(subjects(leaf)).to.deep.equal(['CN=leaf']);
		expect(subjects(inner)).to.deep.equal(['CN=leaf', 'CN=inner']);
		expect(subjects(root)).to.deep.equal(['CN=leaf', 'CN=inner', 'CN=root']);
		expect(subjects(await authority('root'))).to.equal(undefined);
		expect(subjects(await make('leaf'))).to.equal(undefined);
	});

	it('takes an authority that has got a new certificate for the one it was', async () => {
		const old = await authority('root');
		const renewed = await createAuthority('root', { now, issuer: old });
		const leaf = await make('leaf', { issuer: old });
		expect(pathTo(read(old), arrangePath(read(leaf), [read(old)]))).to.have.length(2);
		expect(pathTo(read(renewed), arrangePath(read(leaf), [read(old)]))).to.equal(undefined);
	});

	it('leads from what a trusted certificate signed to it, past others of the same key', async () => {
		const old = await authority('root');
		const renewed = await authority('root', { keys: old.keys });
		const leaf = await make('leaf', { issuer: old });
		const path = arrangePath(read(leaf), [read(old)]);
		expect(path).to.have.length(2);
		expect(pathTo(read(renewed), path)?.map(({ der }) => der)).to.deep.equal([leaf.der, renewed.der]);
	});

	const p384 = { name: 'ECDSA', namedCurve: 'P-384' };
	const rsa = (modulusLength: number) => ({
		name: 'RSASSA-PKCS1-v1_5',
		modulusLength,
		publicExponent: new Uint8Array([1, 0, 1]),
		hash: 'SHA-256',
	});
	const cases: readonly (readonly [what: string, leaf: Wanted, issuer: Wanted, fault: RegExp | undefined])[] = [
		['what is as it should be', {}, {}, undefined],
		['a device without key usage', { keyUsage: false }, {}, undefined],
		['a device for clients', { purposes: ['1.3.6.1.5.5.7.3.2'] }, {}, undefined],
		['a device for anything', { purposes: ['2.5.29.37.0'] }, {}, undefined],
		['RSA with 2048 bits', { key: rsa(2048) }, { key: rsa(2048) }, undefined],
		['P-384', { key: p384 }, {}, undefined],
		['Ed25519', { key: { name: 'Ed25519' } }, { key: { name: 'Ed25519' } }, undefined],
		['an authority without key usage', {}, { keyUsage: false }, undefined],
		['a device on its last day', { until: 0.001 }, {}, undefined],
		['an expired device', { until: -0.001 }, {}, /^its certificate expired at 2026-11-21T23:58/],
		['a device of tomorrow', { from: 1 }, {}, /^its certificate is not valid before 2026-11-23/],
		['an expired authority', {}, { until: -0.001 }, /^the certificate 'CN=root' that signed it expired at/],
		['an authority of tomorrow', {}, { from: 1 }, /^the certificate 'CN=root' that signed it is not valid before/],
		['a device for servers', { purposes: ['1.3.6.1.5.5.7.3.1'] }, {}, /not for clients/],
		['an authority for servers', {}, { purposes: ['1.3.6.1.5.5.7.3.1'] }, /may not sign those of clients/],
		['an issuer that is no authority', {}, { isAuthority: false, keyUsage: false }, /not one of an authority/],
		['an authority that may not sign', {}, { keyUsage: 1 }, /may not sign certificates/],
		['a short key of a device', { key: rsa(1024) }, {}, /RSA key has 1024 bits/],
		[
			'a short key of an authority',
			{},
			{ key: rsa(1024) },
			/'CN=root' that signed it is not good enough: its RSA key has 1024 bits/,
		],
		['SHA-1', { hash: 'SHA-1' }, {}, /signed with SHA-1/],
	];
	for (const [what, leafWanted, issuerWanted, fault] of cases) {
		it(`${fault ? 'refuses' : 'accepts'} ${what}`, async () => {
			const issuer = await authority('root', issuerWanted);
			const leaf = await make('leaf', { issuer, ...leafWanted });
			const path = pathTo(read(issuer), arrangePath(read(leaf), []));
			if (!path) throw new Error('there is no path');
			const found = pathFault(path, now);
			if (fault) expect(found).to.match(fault);
			else expect(found).to.equal(undefined);
		});
	}

	for (const [pathLength, between, isGood] of [
		[0, 0, true],
		[0, 1, false],
		[1, 1, true],
		[1, 2, false],
		[undefined, 3, true],
	] as const) {
		it(`${isGood ? 'accepts' : 'refuses'} ${between} authorities below one that allows ${pathLength ?? 'any number'}`, async () => {
			const root = await authority('root', { ...(pathLength !== undefined && { pathLength }) });
			const chain = [root];
			for (let index = 0; index < between; index++)
				chain.unshift(await authority(`inner ${index}`, { issuer: chain[0] ?? root }));
			const leaf = await make('leaf', { issuer: chain[0] ?? root });
			const path = pathTo(read(root), arrangePath(read(leaf), chain.map(read)));
			if (!path) throw new Error('there is no path');
			expect(pathFault(path, now) === undefined).to.equal(isGood);
		});
	}

	it('expires with time', async () => {
		const own = read(await make('own'));
		expect(pathFault([own], now)).to.equal(undefined);
		expect(pathFault([own], now + 31 * day)).to.match(/expired/);
	});
});
