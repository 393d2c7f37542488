import { expect } from 'chai';
import { AccessError } from '../../../access/index.ts';
import { checkNewPassword } from '../../../access/password-rules.ts';

const rules = { minCharacters: 12, maxCharacters: 64 };

describe('access/password-rules', () => {
	const good: readonly string[] = [
		'correct horse battery',
		'öffne dich, sesam!',
		'日本語のとても長い合言葉です',
		'quite plain and long',
		'gB7!kq2#LmZ0',
		'operator-of-tests',
		`long ${'but not too '.repeat(4)}long`,
	];
	for (const password of good)
		it(`takes '${password}'`, () => expect(() => checkNewPassword(password, 'operator', rules)).not.to.throw());

	const bad: readonly (readonly [password: string, why: RegExp])[] = [
		['', /too short: it has 0 characters, and needs at least 12/],
		['elevenchars', /too short: it has 11/],
		['☃☃☃☃☃☃', /too short: it has 6/],
		['x1'.repeat(33), /too long: at most 64/],
		['aaaaaaaaaaaa', /repeats/],
		['passwordpassword', /repeats/],
		['abcabcabcabc', /repeats/],
		['password12345', /common/],
		['PassWord2026!!', /common/],
		['!!!!2026letmein', /common/],
		['operator12345', /user name/],
		['OPERATOR!!!!!', /user name/],
		['2026-operator', /user name/],
		['with\u0000nul in it', /control character/],
		['with\nline break', /control character/],
		['half \ud800 a character', /control character/],
	];
	for (const [password, why] of bad) {
		it(`refuses ${JSON.stringify(password)}, and does not repeat it`, () => {
			const check = () => checkNewPassword(password, 'Operator', rules);
			expect(check).to.throw(AccessError, why).with.property('code', 'access/weakPassword');
			if (password.length > 5) expect(check).not.to.throw(password);
		});
	}
});
