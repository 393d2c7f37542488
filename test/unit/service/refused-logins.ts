import { expect } from 'chai';
import { pino } from 'pino';
import type { AuditNote } from '../../../audit/index.ts';
import { createRefusedLogins } from '../../../service/refused-logins.ts';

describe('service/refused-logins', () => {
	function open(perMinute: number) {
		const noted: AuditNote[] = [];
		const state = { time: 0 };
		const note = createRefusedLogins({
			config: {
				audit: {
					refusedLoginsPerMinute: perMinute,
					retentionDays: 0,
					deviceReports: false,
					valueMaxCharacters: 100,
					changesMax: 10,
				},
			},
			trail: { note: async (facts) => void noted.push(facts) as never },
			access: {
				tenants: {
					find: async (tenant) =>
						['t1', 'acme', 'leaving'].includes(tenant)
							? { _id: tenant, creationTime: 0, status: tenant === 'leaving' ? 'DELETING' : 'ACTIVE' }
							: undefined,
					ofHost: async (host) => (host === 'acme.test' ? 'acme' : 't1'),
				},
			},
			elapsed: () => state.time,
			log: pino({ level: 'silent' }),
		});
		const refuse = async (user: string | undefined, times = 1, host = 'localhost') => {
			for (let n = 0; n < times; n++) note({ user, host, reason: 'wrong', channel: 'http', address: 'a' });
			await new Promise(setImmediate);
		};
		return { noted, state, refuse };
	}

	it('notes them for the tenant that is named, or that of the service where there is no such tenant', async () => {
		const { noted, refuse } = open(10);
		for (const user of ['bob', 't1/bob', 'other/bob', 'leaving/bob', undefined, `${'x'.repeat(1000)}/y`]) await refuse(user);
		expect(noted.map(({ tenant, user }) => `${tenant}: ${user?.slice(0, 20)}`)).to.deep.equal([
			't1: bob',
			't1: bob',
			'management: other/bob',
			'management: leaving/bob',
			't1: ',
			't1: xxxxxxxxxxxxxxxxxxxx',
		]);
	});

	it('notes them for the tenant of the host name where none is named', async () => {
		const { noted, refuse } = open(10);
		for (const user of ['bob', 't1/bob']) await refuse(user, 1, 'acme.test');
		expect(noted.map(({ tenant, user }) => `${tenant}: ${user}`)).to.deep.equal(['acme: bob', 't1: bob']);
	});

	it('notes so many a minute, and says with the next how many there were', async () => {
		const { noted, state, refuse } = open(2);
		await refuse('bob', 5);
		expect(noted).to.have.length(2);
		state.time = 60_000;
		await refuse('bob');
		expect(noted.map(({ text }) => text)).to.deep.equal([
			'Login refused: wrong',
			'Login refused: wrong',
			'Login refused: wrong; 3 more were refused and are not on record',
		]);
	});

	it('notes none where none are wanted', async () => {
		const { noted, refuse } = open(0);
		await refuse('bob', 3);
		expect(noted).to.deep.equal([]);
	});
});
