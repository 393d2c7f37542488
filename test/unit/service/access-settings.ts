import { expect } from 'chai';
import { pino } from 'pino';
import { load } from '../../../config/index.ts';
import { firstStart } from '../../../service/access-settings.ts';

const silent = pino({ level: 'silent' });

describe('service/access-settings', () => {
	it('names every setting whose password nobody may choose, and shows none of them', () => {
		const settings = {
			ADMIN_PASSWORD: 'horse',
			MANAGEMENT_ADMIN_PASSWORD: 'iloveyou2026',
			BOOTSTRAP_PASSWORD: 'devicebootstrap1',
		};
		const start = () => firstStart(load(settings), silent);
		expect(start).to.throw(/^ADMIN_PASSWORD: The new password is too short: it has 5 characters, and needs at least 12\n/);
		expect(start).to.throw(/\nMANAGEMENT_ADMIN_PASSWORD: The new password is on the lists/);
		expect(start).to.throw(/\nBOOTSTRAP_PASSWORD: The new password is the user name/);
		expect(start).to.not.throw(/horse|iloveyou|bootstrap1/);
	});

	it('takes what is long enough by the settings, and what is not given', () => {
		expect(firstStart(load({ ADMIN_PASSWORD: 'h0rse-8x', PASSWORD_MIN_CHARACTERS: '8' }), silent).adminPassword).to.equal(
			'h0rse-8x',
		);
		expect(firstStart(load({}), silent)).to.not.have.property('adminPassword');
	});
});
