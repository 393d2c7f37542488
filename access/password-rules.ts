import { dictionary } from '@zxcvbn-ts/language-common';
import { AccessError } from './access-error.ts';

export interface PasswordRules {
	readonly minCharacters: number;
	readonly maxCharacters: number;
}

/**
 * Refuses a password that somebody chose and others would guess. As NIST SP 800-63B has it, there is no rule about kinds of
 * characters: length counts, and what is on every attacker's list does not.
 * @throws AccessError `access/weakPassword`
 */
export function checkNewPassword(password: string, userName: string, { minCharacters, maxCharacters }: PasswordRules): void {
	const fault = faultOf(password, userName.toLowerCase(), minCharacters, maxCharacters);
	if (fault !== undefined) throw new AccessError('access/weakPassword', `The new password ${fault}`);
}

function faultOf(password: string, userName: string, minCharacters: number, maxCharacters: number): string | undefined {
	const length = [...password].length;
	if (length < minCharacters) return `is too short: it has ${length} characters, and needs at least ${minCharacters}`;
	if (length > maxCharacters) return `is too long: at most ${maxCharacters} characters are allowed`;
	if (/[\p{Cc}\p{Cs}]/u.test(password)) return 'has a control character: leave it out';
	if (/^(.{1,8}?)\1+$/su.test(password)) return 'repeats a few characters: choose another one';
	const lowered = password.toLowerCase();
	const words = [lowered, lowered.replace(/[^\p{L}]+$/u, ''), lowered.replace(/^[^\p{L}]+/u, '')];
	if (words.includes(userName)) return 'is the user name, or that with signs beside it: choose another one';
	if (words.some((word) => commonPasswords().has(word)))
		return 'is on the lists of common passwords, or is one with signs beside it: choose another one';
	return undefined;
}

let common: ReadonlySet<string> | undefined;

// About 50,000 of them; made when first needed.
function commonPasswords(): ReadonlySet<string> {
	common ??= new Set(dictionary['passwords-common']);
	return common;
}
