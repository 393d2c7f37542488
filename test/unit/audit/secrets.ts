import { expect } from 'chai';
import { withoutSecrets } from '../../../audit/secrets.ts';

const hidden = '#';
const rows: [unknown, unknown][] = [
	[{ password: 'a' }, { password: hidden }],
	[{ a: [{ PassPhrase: 'a', b: 1 }] }, { a: [{ PassPhrase: hidden, b: 1 }] }],
	[{ accessToken: { deep: 'a' } }, { accessToken: hidden }],
	[
		{ privateKey: 'a', private_key: 'b', apiKey: 'c', 'x-api-key': 'd' },
		{ privateKey: '#', private_key: '#', apiKey: '#', 'x-api-key': 'd' },
	],
	['https://user:pw@host/path', 'https://#@host/path'],
	['https://token@host/path', 'https://#@host/path'],
	['see ftp://a:b@h and http://c:d@e', 'see ftp://#@h and http://#@e'],
	['https://host/f?X-Amz-Signature=abc&x=1', 'https://host/f?X-Amz-Signature=#&x=1'],
	['https://host/f?sv=1&sig=abc', 'https://host/f?sv=1&sig=#'],
	['https://host/f?a=1#part', 'https://host/f?a=1#part'],
	['mail a@b.c', 'mail a@b.c'],
	[
		{ name: 'compass', passed: true, keyboard: 'de' },
		{ name: 'compass', passed: true, keyboard: 'de' },
	],
	[{ ['__proto__']: 1 }, { ['__proto__']: 1 }],
	[null, null],
	[5, 5],
	['', ''],
];

describe('audit/secrets', () => {
	for (const [value, shown] of rows) {
		it(`shows ${JSON.stringify(value)} as ${JSON.stringify(shown)}`, () => {
			expect(JSON.stringify(withoutSecrets(value, hidden))).to.equal(JSON.stringify(shown));
		});
	}
});
