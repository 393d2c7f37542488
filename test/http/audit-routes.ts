import { expect } from 'chai';
import type { AuditRecord } from '../../audit/index.ts';
import { auditRows, form, type Kept, password } from '../support/audit-route-rows.ts';
import { createAuthority, type TestCertificate } from '../support/certificate-chain.ts';
import { basic, type HttpMethod } from '../support/checked-http-client.ts';
import { type HttpFixture, openHttpFixture, otherTenant, tenant } from '../support/http-fixture.ts';

describe('http/audit-routes', () => {
	let fixture: HttpFixture;
	let authority: TestCertificate;
	const kept: Kept = { tenant, tenantId: tenant };
	before(async () => {
		fixture = await openHttpFixture();
		authority = await createAuthority('authority', { now: fixture.time });
	});
	after(() => fixture.close());

	const rows = auditRows(
		() => fixture,
		() => authority,
	);

	/** All records, by number. */
	async function records(): Promise<Map<string, AuditRecord>> {
		const found = new Map<string, AuditRecord>();
		for (const of of [tenant, otherTenant, 'management'])
			for (const each of await fixture.audit.list(of, {}, { skip: 0, limit: 1_000_000, revert: false }))
				found.set(each._id, each);
		return found;
	}

	it('has a row for every route that changes something, with records or the reason why there are none', () => {
		const changing = fixture.routes.filter(({ method }) => method !== 'get');
		const covered = new Set(rows.map(({ call }) => call));
		const missing = changing.map(({ method, path }) => `${method.toUpperCase()} ${path}`).filter((call) => !covered.has(call));
		expect(missing).to.deep.equal([]);
		const wordless = rows.filter((row) => row.records.length === 0 && !/.{20}/.test(row.none ?? ''));
		expect(wordless.map(({ call }) => call)).to.deep.equal([]);
	});

	for (const { call, url, by = 'admin', user, send, keep, records: expected } of rows) {
		const [method = '', path = ''] = call.split(' ');
		it(`${call}${url === undefined ? '' : ` (${url})`} leaves ${expected.join(', ') || 'nothing'}`, async () => {
			const options = (await send?.(kept)) ?? {};
			const [filled = '', status] = (url ?? path).replaceAll(/\{(\w+)\}/g, (_, name: string) => kept[name] ?? name).split('#');
			const before = await records();
			const caller = options.headers?.Authorization === undefined ? by : undefined;
			const answer = await fixture.call(caller, method.toLowerCase() as HttpMethod, filled, options);
			if (status === undefined) expect(answer.status, answer.text).to.be.lessThan(300);
			else expect(answer.status).to.equal(Number(status));
			keep?.(answer.body, kept);
			const left = [...(await records()).values()].filter(({ _id }) => !before.has(_id));
			const found = left.map(({ activity, changes }) => {
				const said = expected.find(
					(each) => each === activity || changes.some(({ attribute }) => each === `${activity}: ${attribute}`),
				);
				return said ?? `${activity}: ${changes.map(({ attribute }) => attribute).join()}`;
			});
			expect(found.sort()).to.deep.equal([...expected].sort());
			for (const record of left) {
				expect(record.user).to.equal(user ?? (by === 'device' ? 'device_dev1' : by === 'management' ? 'admin' : by));
				expect(record.origin).to.deep.equal({ channel: 'http', address: '127.0.0.1', call });
				for (const { attribute, changeType, previousValue, newValue } of record.changes) {
					expect(previousValue !== undefined, `${attribute} before`).to.equal(changeType !== 'ADDED');
					expect(newValue !== undefined, `${attribute} after`).to.equal(changeType !== 'REMOVED');
				}
			}
		});
	}

	it('tells of passwords that are refused, wherever they are asked for', async () => {
		const told = () => fixture.refused.map(({ user, reason, call }) => `${call}: ${user}, ${reason}`);
		await fixture.call(undefined, 'post', '/tenant/oauth/token', form(`${tenant}/admin`, 'wrong')());
		await fixture.call('admin', 'put', '/user/currentUser/password', {
			body: { currentUserPassword: 'wrong', newPassword: password },
		});
		await fixture.call(undefined, 'post', '/.well-known/est/simpleenroll', {
			text: 'x',
			type: 'application/pkcs10',
			headers: { Authorization: basic('nobody:wrong') },
		});
		expect(told().slice(-3)).to.deep.equal([
			'POST /tenant/oauth/token: t1/admin, http/unauthorized',
			'PUT /user/currentUser/password: t1/admin, http/unauthorized',
			'POST /.well-known/est/simpleenroll: device_nobody, access/wrongOneTimePassword',
		]);
	});
});
