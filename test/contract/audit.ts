import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type AuditRecord, actAs, type ChainReport, verifyChains } from '../../audit/index.ts';
import { reportText, verdictOf } from '../../service/verify-audit-command.ts';
import type { DocumentStore, Step, StoredDocument } from '../../store/index.ts';
import { openAuditFixture, type Thing, userOf } from '../support/audit-fixture.ts';
import { sized } from '../support/named-stores.ts';
import { openTestStore } from '../support/test-store.ts';

const things = 'things';
const insert = (id: string, fields: Partial<Thing> = {}): Step => ({
	kind: 'insert',
	collection: things,
	document: { _id: `t1/${id}`, tenant: 't1', ...fields } as StoredDocument,
});
const set = (id: string, fields: Record<string, unknown>): Step => ({
	kind: 'update',
	collection: things,
	id: `t1/${id}`,
	update: { $set: fields },
});

describe('contract/audit', function () {
	this.timeout(60_000);
	let store: DocumentStore;
	let fixture: Awaited<ReturnType<typeof openAuditFixture>>;
	beforeEach(async () => {
		store = await openTestStore(() => 0);
		fixture = await openAuditFixture(store);
	});
	afterEach(() => store.close());

	const shown = ({ user, activity, source, changes }: AuditRecord) => ({ user, activity, source, changes });

	describe('the store that records', () => {
		it('tells who did what, from where, with the values before and after', async () => {
			const { audited, records } = fixture;
			await actAs(userOf('anna'), () => audited.batch([insert('1', { count: 1, parts: { a: { b: 1 } } })]));
			await actAs(userOf('ben'), () => audited.batch([set('1', { count: 2, 'parts.a': { b: 2 }, 'parts.c': 'x' })]));
			await audited.batch([{ kind: 'remove', collection: things, id: 't1/1' }]);
			const found = await records();
			expect(found.map(shown)).to.deep.equal([
				{
					user: 'anna',
					activity: 'Thing created',
					source: '1',
					changes: [
						{ attribute: 'count', changeType: 'ADDED', newValue: 1 },
						{ attribute: 'a', changeType: 'ADDED', newValue: '{"b":1}' },
					],
				},
				{
					user: 'ben',
					activity: 'Thing changed',
					source: '1',
					changes: [
						{ attribute: 'count', changeType: 'REPLACED', previousValue: 1, newValue: 2 },
						{ attribute: 'a', changeType: 'REPLACED', previousValue: '{"b":1}', newValue: '{"b":2}' },
						{ attribute: 'c', changeType: 'ADDED', newValue: 'x' },
					],
				},
				{
					user: 'system',
					activity: 'Thing removed',
					source: '1',
					changes: [
						{ attribute: 'count', changeType: 'REMOVED', previousValue: 2 },
						{ attribute: 'a', changeType: 'REMOVED', previousValue: '{"b":2}' },
						{ attribute: 'c', changeType: 'REMOVED', previousValue: 'x' },
					],
				},
			]);
			expect(found[0]?.origin).to.deep.equal({ channel: 'http', address: 'address-of-anna', call: 'PUT /things' });
			expect(fixture.told.map(({ _id }) => _id)).to.deep.equal(found.map(({ _id }) => _id));
		});

		it('records nothing of a batch that fails, and tells which step of the caller it was', async () => {
			const { audited, records } = fixture;
			await audited.batch([insert('1', { count: 1 })]);
			const where = { count: 5 };
			const rows: [Step[], { failed: number; duplicate: boolean }][] = [
				[[insert('2'), insert('1')], { failed: 1, duplicate: true }],
				[[insert('2'), { ...set('1', { count: 2 }), where } as Step], { failed: 1, duplicate: false }],
				[[set('1', { count: 2 }), set('none', { count: 1 })], { failed: 1, duplicate: false }],
				[
					[
						{ kind: 'put', collection: things, document: { _id: 't1/1', tenant: 't1' } as StoredDocument },
						{ kind: 'remove', collection: things, id: 't1/none' },
						{ kind: 'require', collection: things, id: 't1/none' },
					],
					{ failed: 2, duplicate: false },
				],
			];
			for (const [steps, outcome] of rows) expect(await audited.batch(steps)).to.deep.equal({ ok: false, ...outcome });
			expect((await records()).map(({ activity }) => activity)).to.deep.equal(['Thing created']);
			expect(await fixture.things.get('t1/1')).to.deep.equal({ _id: 't1/1', tenant: 't1', count: 1 });
		});

		it('records nothing of what is no change: stamps, the same again, the removal of what is not there', async () => {
			const { audited, records, things: collection } = fixture;
			await audited.batch([insert('1', { count: 1 })]);
			await audited.batch([set('1', { beat: 5 }), set('1', { count: 1, beat: 6 })]);
			await audited.batch([
				{ kind: 'put', collection: things, document: { _id: 't1/1', tenant: 't1', count: 1, beat: 7 } as Thing },
			]);
			await audited.batch([{ kind: 'remove', collection: things, id: 't1/none' }]);
			await audited.batch([{ kind: 'put', collection: 'plain', document: { _id: 'a' } }]);
			expect(await records()).to.have.length(1);
			expect((await collection.get('t1/1'))?.beat).to.equal(7);
		});

		it('hides secrets, and shortens what is long and many', async () => {
			const { audited, records } = fixture;
			const parts = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`part${n}`, n]));
			await audited.batch([insert('1', { key: 'k-secret', parts: { ...parts, long: 'x'.repeat(101) } })]);
			await audited.batch([
				set('1', { key: 'k-other', 'parts.long': 'x', 'parts.login': { password: 'p', url: 'http://u:pw@h/?token=t' } }),
			]);
			const [created, changed] = await records();
			expect(created?.changes).to.have.length(11);
			expect(created?.changes.at(-1)?.attribute).to.equal('and 7 more');
			expect(changed?.changes).to.deep.equal([
				{ attribute: 'key', changeType: 'REPLACED', previousValue: '(secret)', newValue: '(secret)' },
				{
					attribute: 'long',
					changeType: 'REPLACED',
					previousValue: `sha256:${createHash('sha256').update('x'.repeat(101)).digest('hex')} of 101 characters`,
					newValue: 'x',
				},
				{
					attribute: 'login',
					changeType: 'ADDED',
					newValue: '{"password":"(secret)","url":"http://(secret)@h/?token=(secret)"}',
				},
			]);
		});

		it('sums up a list in one record', async () => {
			const { audited, records, lists } = fixture;
			const put = (name: string, more = {}): Step => ({
				kind: 'put',
				collection: 'lists',
				document: { _id: `t1/d/${name}`, ...more },
			});
			const remove = (name: string): Step => ({ kind: 'remove', collection: 'lists', id: `t1/d/${name}` });
			const write = (...steps: readonly Step[]) => audited.batch(steps);
			await write(put('a'), put('b', { url: 'https://me:pw@h/b', token: 'hidden' }), remove('never-there'));
			await write(put('a'), put('b', { token: 'hidden', url: 'https://me:pw@h/b' }), remove('never-there'));
			await write(put('a', { url: 'https://h/a' }), put('c'), remove('b'), put('b'), remove('c'));
			const told = (await records()).map(({ text, changes }) => [
				text,
				...changes.map(({ attribute, previousValue = '', newValue = '' }) => `${attribute}: ${previousValue} > ${newValue}`),
			]);
			const b = 'b {"url":"https://(secret)@h/b","token":"(secret)"}';
			expect(told).to.deep.equal([
				['List changed: d, 2 added', `2 added:  > a, ${b}`],
				[
					'List changed: d, 2 added, 1 changed, 2 removed',
					'2 added:  > c, b',
					'a: {} > {"url":"https://h/a"}',
					`2 removed: ${b}, c > `,
				],
			]);
			const stored = await lists.find({ filter: {}, sort: [['_id', 1]] });
			expect(stored).to.deep.equal([{ _id: 't1/d/a', url: 'https://h/a' }, { _id: 't1/d/b' }]);
		});

		it('names as many of a list as there is room for', async () => {
			const { audited, records } = fixture;
			const put = (name: string, more = { n: 0 }): Step => ({
				kind: 'put',
				collection: 'lists',
				document: { _id: `t1/d/${name}`, ...more },
			});
			const many = [...'abcdefghijkl'];
			await audited.batch(many.map((name) => ({ kind: 'put', collection: 'lists', document: { _id: `t1/d/${name}` } })));
			await audited.batch(many.map((name) => put(name, { n: 1 })));
			await audited.batch(['x'.repeat(60), 'y'.repeat(60)].map((name) => put(name)));
			await audited.batch(['z'.repeat(101), 'm'].map((name) => put(name)));
			const all = await records();
			// The fixture has room for 10 names, and 100 characters.
			expect(all[0]?.changes[0]?.newValue).to.equal('a, b, c, d, e, f, g, h, i, j, and 2 more');
			expect(all[1]?.changes.map(({ attribute }) => attribute)).to.deep.equal([...many.slice(0, 10), 'and 2 more']);
			expect(all[2]?.changes[0]?.newValue).to.equal(`${'x'.repeat(60)} {"n":0}, and 1 more`);
			expect(all[3]?.changes[0]?.newValue).to.equal('2 with long names');
		});

		it('puts on record a change of what others have made just after it was looked for', async () => {
			const late = openAuditFixture({
				...store,
				collection: async (spec) => {
					const documents = await store.collection(spec);
					const get: typeof documents.get = async (id) => {
						const found = await documents.get(id);
						if (spec.name === things && !found) await store.batch([insert('1', { count: 1 })]);
						return found;
					};
					return { ...documents, get };
				},
			});
			const { audited, records } = await late;
			expect(await audited.batch([set('1', { count: 2 })])).to.deep.equal({ ok: true });
			expect((await records()).map(({ changes }) => changes)).to.deep.equal([
				[{ attribute: 'count', changeType: 'REPLACED', previousValue: 1, newValue: 2 }],
			]);
			const nobody: Step = { kind: 'update', collection: things, id: 't2/x', update: { $set: { count: 1 } } };
			expect(await audited.batch([nobody])).to.deep.equal({ ok: false, failed: 0, duplicate: false });
			expect(await records()).to.have.lengthOf(1);
		});

		it('tells each writer apart, and what was there before each, however many write at once', async () => {
			const { audited, records, things: collection } = fixture;
			const writers = sized(40, 12);
			const each = sized(10, 4);
			await audited.batch([insert('shared', { count: 0 })]);
			await Promise.all(
				Array.from({ length: writers }, (_, writer) =>
					actAs(userOf(`user${writer}`), async () => {
						await audited.batch([insert(`own${writer}`, { count: writer })]);
						for (let n = 0; n < each; n++) {
							await audited.batch([{ kind: 'update', collection: things, id: 't1/shared', update: { $inc: { count: 1 } } }]);
							await collection.findOneAndUpdate({ _id: `t1/own${writer}` }, { $inc: { count: 1 } });
						}
					}),
				),
			);
			const all = await records();
			const shared = all.filter(({ source, activity }) => source === 'shared' && activity === 'Thing changed');
			// Whatever their order, the values before and after make one chain: nothing is said twice, and nothing left out.
			const steps = shared.map(({ changes: [change] }) => [change?.previousValue, change?.newValue]);
			steps.sort(([a], [b]) => Number(a) - Number(b));
			expect(steps).to.deep.equal(Array.from({ length: writers * each }, (_, n) => [n, n + 1]));
			for (let writer = 0; writer < writers; writer++) {
				const own = all.filter(({ source }) => source === `own${writer}`);
				expect(new Set(own.map(({ user }) => user))).to.deep.equal(new Set([`user${writer}`]));
				expect(own).to.have.length(each + 1);
				expect(shared.filter(({ user }) => user === `user${writer}`)).to.have.length(each);
			}
		});

		it('updates the first match, and returns it as it is then', async () => {
			const { audited, things: collection, records } = fixture;
			await audited.batch([insert('1', { count: 3 }), insert('2', { count: 2 })]);
			const changed = await collection.findOneAndUpdate({ tenant: 't1' }, { $set: { key: 'new' } }, { sort: [['count', 1]] });
			expect(changed).to.deep.equal({ _id: 't1/2', tenant: 't1', count: 2, key: 'new' });
			expect(await collection.findOneAndUpdate({ tenant: 't2' }, { $set: { key: 'new' } })).to.equal(undefined);
			expect(await records()).to.have.length(3);
		});

		it('lets nobody else write records, and no collection be forgotten', async () => {
			const { audited } = fixture;
			const forged: Step = { kind: 'remove', collection: 'auditRecords', id: 't1/1' };
			expect(await audited.batch([forged]).catch(String)).to.match(/written by the audit alone/);
			expect(await audited.collection({ name: 'stranger', indexes: [] }).catch(String)).to.match(/'stranger' has no row/);
		});
	});

	describe('the chain', () => {
		async function verify(expected: Record<string, { seq: number; hash: string }> = {}): Promise<ChainReport[]> {
			const reports: ChainReport[] = [];
			for await (const report of verifyChains(store, new Map(Object.entries(expected)))) reports.push(report);
			return reports;
		}
		async function fault(): Promise<string | undefined> {
			return (await verify()).find((report) => report.fault)?.fault?.reason;
		}
		async function fill(count: number): Promise<AuditRecord[]> {
			for (let n = 0; n < count; n++) await fixture.audited.batch([insert(`n${n}`, { count: n })]);
			await fixture.trail.seal([]);
			return fixture.records();
		}

		it('gives every record one place, also when several seal at once and others write', async () => {
			const other = await openAuditFixture(store);
			const count = sized(300, 60);
			const writing = Array.from({ length: count }, (_, n) =>
				(n % 2 ? fixture : other).audited.batch([
					insert(`n${n}`),
					{ kind: 'insert', collection: things, document: { _id: `t2/m${n}`, tenant: 't2' } as Thing },
				]),
			);
			for (let round = 0; round < 5; round++) await Promise.all([fixture.trail.seal([]), other.trail.seal([]), writing[round]]);
			await Promise.all(writing);
			await Promise.all([fixture.trail.seal([]), other.trail.seal([])]);
			await fixture.trail.seal([]);
			const found = await verify();
			expect(found.map(({ tenant, records, unsealed, fault: wrong }) => ({ tenant, records, unsealed, wrong }))).to.deep.equal([
				{ tenant: 't1', records: count, unsealed: 0, wrong: undefined },
				{ tenant: 't2', records: count, unsealed: 0, wrong: undefined },
			]);
		});

		it('tells how many have no place yet, and seals them when it is their turn', async () => {
			await fill(3);
			await fixture.audited.batch([insert('later')]);
			expect((await verify())[0]).to.include({ records: 3, unsealed: 1 });
			await fixture.trail.seal([]);
			expect((await verify())[0]).to.include({ records: 4, unsealed: 0 });
		});

		it('seals nothing for a process that has lost its lease', async () => {
			await fixture.audited.batch([insert('1')]);
			await fixture.trail.seal([{ kind: 'require', collection: 'things', id: 'the lease is gone' }]);
			expect((await verify())[0]).to.include({ records: 0, unsealed: 1 });
		});

		const id = (records: readonly AuditRecord[], n: number) => records[n]?._id ?? '';
		const change = (records: readonly AuditRecord[], n: number, fields: Record<string, unknown>): Step => ({
			kind: 'update',
			collection: 'auditRecords',
			id: id(records, n),
			update: { $set: fields },
		});
		const remove = (records: readonly AuditRecord[], n: number): Step => ({
			kind: 'remove',
			collection: 'auditRecords',
			id: id(records, n),
		});
		const tampering: [string, (records: AuditRecord[]) => Step[], RegExp][] = [
			['a changed text', (records) => [change(records, 3, { text: 'nothing' })], /^changed: what it says/],
			['a changed value', (records) => [change(records, 3, { changes: [] })], /^changed/],
			['a changed user', (records) => [change(records, 3, { user: 'somebody' })], /^changed/],
			['an added field', (records) => [change(records, 3, { more: 1 })], /^changed/],
			['a missing record', (records) => [remove(records, 3)], /^missing: the next record is 5/],
			['a missing last record', (records) => [remove(records, 5)], /^missing: the chain ends at 6/],
			['a missing first record', (records) => [remove(records, 0)], /^missing: the next record is 2/],
			[
				'a removal that pretends to be by age',
				(records) => [
					remove(records, 0),
					{
						kind: 'update',
						collection: 'auditChains',
						id: 't1',
						update: { $set: { anchor: { seq: 1, hash: records[0]?.hash } } },
					},
				],
				/^missing: the chain begins behind 1/,
			],
			[
				'two records in each other’s place',
				(records) => [
					change(records, 2, { seq: 4, previousHash: records[3]?.previousHash, hash: records[3]?.hash }),
					change(records, 3, { seq: 3, previousHash: records[2]?.previousHash, hash: records[2]?.hash }),
				],
				/^changed/,
			],
			['a place that is taken twice', (records) => [change(records, 3, { seq: 3 })], /^reordered|^changed|^missing/],
			[
				'a record without its hash',
				(records) => [{ ...change(records, 3, {}), update: { $unset: ['hash'] } } as Step],
				/no hash/,
			],
			[
				'a chain that was taken away',
				() => [{ kind: 'remove', collection: 'auditChains', id: 't1' }],
				/^missing: where the chain ends/,
			],
			[
				'a last record that was made anew',
				(records) => {
					const [last] = records.slice(-1);
					return [change(records, 5, { previousHash: last?.previousHash, text: 'other', hash: 'f'.repeat(64) })];
				},
				/^changed/,
			],
		];
		for (const [what, tamper, reason] of tampering) {
			it(`shows ${what}`, async () => {
				const records = await fill(6);
				expect(await fault()).to.equal(undefined);
				expect(await store.batch(tamper(records))).to.deep.equal({ ok: true });
				expect(await fault()).to.match(reason);
			});
		}

		it('shows a chain that was built anew to whoever noted its end', async () => {
			await fill(6);
			const [before] = await verify();
			if (!before) throw new Error('there is no chain');
			expect((await verify({ t1: before.head }))[0]?.fault).to.equal(undefined);
			await store.batch([
				{ kind: 'removeWhere', collection: 'auditRecords', filter: { tenant: 't1' } },
				{ kind: 'remove', collection: 'auditChains', id: 't1' },
			]);
			await fixture.trail.note({ tenant: 't1', type: 'Inventory', activity: 'a', text: 'nothing happened' });
			await fixture.trail.seal([]);
			expect((await verify())[0]?.fault).to.equal(undefined);
			expect((await verify({ t1: before.head }))[0]?.fault?.reason).to.match(/^missing: the chain went to 6/);
			for (let n = 1; n < 6; n++) await fixture.trail.note({ tenant: 't1', type: 'Inventory', activity: 'a', text: 'nothing' });
			await fixture.trail.seal([]);
			expect((await verify({ t1: before.head }))[0]?.fault?.reason).to.match(/^rebuilt/);
		});

		it('goes on behind what was removed by age', async () => {
			const kept = await openAuditFixture(store, { retentionDays: 1 });
			await fill(5);
			kept.state.time = fixture.state.time + 86_400_000 - 3;
			expect(await kept.trail.removeOld())
				.to.be.above(0)
				.and.below(5);
			kept.state.time += 1000;
			const first = (await verify())[0];
			expect(first?.fault).to.equal(undefined);
			await kept.audited.batch([insert('young')]);
			expect(await kept.trail.removeOld()).to.be.above(0);
			expect((await verify())[0]?.fault).to.equal(undefined);
			await kept.trail.seal([]);
			const [report] = await verify();
			expect(report?.fault).to.equal(undefined);
			expect(report?.anchor.seq).to.equal(5);
			expect(report?.records).to.equal(3);
			expect(await kept.trail.removeOld()).to.equal(0);
			if (!report) return;
			// It says so, and which record tells of it; an end that was noted before cannot be compared any more.
			const removals = (await kept.records()).filter(({ anchor }) => anchor);
			expect(report.removalRecord).to.equal(removals.at(-1)?._id);
			expect(reportText(report)).to.include(`; those up to 5 were removed by age, as ${report.removalRecord} tells\n`);
			expect(verdictOf([report])).to.deep.equal({ text: 'All right', exitCode: 0 });
			const early = await verify({ t1: { seq: 2, hash: 'a'.repeat(64) } });
			expect(early.map(reportText).join()).to.include('what was expected lies among the removed');
			expect(verdictOf(early).exitCode).to.equal(1);
		});

		it('tells what somebody took from what was removed by age', async () => {
			const kept = await openAuditFixture(store, { retentionDays: 1 });
			await fill(5);
			kept.state.time = fixture.state.time + 86_400_000 - 3;
			await kept.trail.removeOld();
			await kept.audited.batch([insert('young')]);
			await kept.trail.seal([]);
			const [before] = await verify();
			const anchor = before?.anchor ?? { seq: 0, hash: '' };
			const [oldest, ...younger] = (await kept.records()).filter(({ seq }) => seq !== undefined && seq > anchor.seq);
			const rows: [Step[], RegExp][] = [
				[[remove([oldest as AuditRecord], 0)], /^missing: the next record is \d/],
				[
					[
						remove([oldest as AuditRecord], 0),
						{
							kind: 'update',
							collection: 'auditChains',
							id: 't1',
							update: { $set: { anchor: { seq: oldest?.seq, hash: oldest?.hash } } },
						},
					],
					new RegExp(`^missing: the chain begins behind ${oldest?.seq}, and the removals by age on record end at ${anchor.seq}$`),
				],
			];
			expect(younger.length).to.be.above(0);
			for (const [steps, reason] of rows) {
				await store.batch(steps);
				const broken = await verify();
				expect(broken[0]?.fault?.reason).to.match(reason);
				expect(broken.map(reportText).join()).to.include('t1: BROKEN at').and.not.include('were removed by age');
				expect(verdictOf(broken)).to.deep.equal({ text: 'Broken', exitCode: 3 });
			}
		});
	});

	describe('reading', () => {
		it('pages by what was seen last as it does by numbers, in both directions, with every filter', async () => {
			const { trail } = fixture;
			for (let n = 0; n < 30; n++) {
				const time = 1000 + Math.floor(n / 4);
				const facts = { type: n % 2 ? 'Inventory' : 'User', user: `u${n % 3}`, source: `s${n % 2}`, application: 'a' };
				await trail.note({ tenant: 't1', activity: 'x', text: `${n}`, time, ...facts });
				await trail.note({ tenant: 't2', activity: 'x', text: `${n}`, time, ...facts });
			}
			for (const filter of [
				{},
				{ type: 'User' },
				{ user: 'u1' },
				{ source: 's1' },
				{ application: 'a' },
				{ dateFrom: 1002, dateTo: 1005 },
			]) {
				for (const revert of [false, true]) {
					const whole = await trail.list('t1', filter, { skip: 0, limit: 100, revert });
					expect(await trail.count('t1', filter)).to.equal(whole.length);
					const paged: AuditRecord[] = [];
					for (;;) {
						const last = paged.at(-1);
						const page = await trail.list('t1', filter, { skip: 0, limit: 3, revert, ...(last && { after: last }) });
						paged.push(...page);
						if (page.length < 3) break;
					}
					expect(paged.map(({ text }) => text)).to.deep.equal(whole.map(({ text }) => text));
				}
			}
		});
	});
});
