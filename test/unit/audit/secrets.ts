import { expect } from 'chai';
import { isSecret, withoutSecrets } from '../../../audit/secrets.ts';

const hidden = '#';
const rows: [unknown, unknown][] = [
	[{ password: 'a' }, { password: hidden }],
	[{ a: [{ PassPhrase: 'a', b: 1 }] }, { a: [{ PassPhrase: hidden, b: 1 }] }],
	[{ accessToken: { deep: 'a' } }, { accessToken: hidden }],
	[
		{ privateKey: 'a', private_key: 'b', apiKey: 'c', 'x-api-key': 'd' },
		{ privateKey: '#', private_key: '#', apiKey: '#', 'x-api-key': '#' },
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
	[
		{ c8y_MqttCredentials: { user: 'u', password: 'p' }, c8y_Mobile: { simPin: 1234, iccid: '89' } },
		{ c8y_MqttCredentials: hidden, c8y_Mobile: { simPin: hidden, iccid: '89' } },
	],
	[
		{ c8y_Wifi: { ssid: 's', wpaKey: 'p' }, passwordPolicy: { minLength: 8, initialPassword: 'p' } },
		{ c8y_Wifi: { ssid: 's', wpaKey: hidden }, passwordPolicy: { minLength: 8, initialPassword: hidden } },
	],
	[
		[
			{ name: 'DB_PASSWORD', value: 'p' },
			{ key: 'size', value: 'p' },
		],
		[
			{ name: 'DB_PASSWORD', value: hidden },
			{ key: 'size', value: 'p' },
		],
	],
	[
		{ shouldResetPassword: true, token: null },
		{ shouldResetPassword: true, token: null },
	],
	[null, null],
	[5, 5],
	['', ''],
];

/** Names as devices, tools and this service write them. */
const secretNames = `
	password Password PASSWORD newPassword currentUserPassword adminPass adminpass admin_pass ADMIN_PASSWORD pass pwd userPwd pw
	passwd rootPasswd passphrase wifiPassphrase passcode passkey Passwort oneTimePassword otp enrollmentOtp passwordHash
	oneTimePasswordHash smtpPassword db_password c8y_Password com_example_Passwords
	secret clientSecret client_secret sharedSecret encryptedSecret secretKey
	token accessToken access_token refreshToken securityToken idToken xsrfToken X-XSRF-TOKEN tokens tfatoken apiToken sasToken
	credentials credential credentials.mqtt c8y_MqttCredentials c8y_RemoteAccessCredentials awsCredentials
	privateKey private_key private-key PrivateKeyPem apiKey api_key apikey x-api-key X-Api-Key accessKey awsAccessKeyId
	sharedKey encryptionKey signingKey masterKey networkKey wifiKey sshKey authKey psk wpaPsk sharedAccessKey
	Authorization proxy-authorization signature X-Amz-Signature X-Amz-Credential sig cookie Set-Cookie sessionId session_id
	bearer jwt pin simPin puk connectionString snmpCommunity communityString
`;
const openNames = `
	name owner type user userName keyboard compass bypass c8y_Bypass c8y_Compass passed passenger passive encompass overpass
	key keys publicKey keyId primaryKey monkey c8y_Hardware serialNumber c8y_Firmware version url status c8y_SupportedOperations
	passwordPolicy passwordStrength passwordLength tokenLifetimeSeconds token_expires_at tokenType credentialsType secretRules
	shipping spin pinned opinion option optional topology community significant design signal c8y_SignalStrength author
	c8y_Network c8y_RequiredAvailability c8y_Software desktop laptop hotplug
`;
const wordsOf = (text: string) => text.trim().split(/\s+/);

describe('audit/secrets', () => {
	it('hides what stands under the names of secrets', () => {
		expect(wordsOf(secretNames).filter((name) => !isSecret(name, 'x'))).to.deep.equal([]);
	});

	it('shows what stands under other names', () => {
		expect(wordsOf(openNames).filter((name) => isSecret(name, 'x'))).to.deep.equal([]);
	});

	it('shows whether something is so, whatever its name', () => {
		const values = [true, false, null, undefined];
		expect(values.filter((value) => isSecret('shouldResetPassword', value))).to.deep.equal([]);
		expect(isSecret('shouldResetPassword', 'true')).to.equal(true);
	});

	for (const [value, shown] of rows) {
		it(`shows ${JSON.stringify(value)} as ${JSON.stringify(shown)}`, () => {
			expect(JSON.stringify(withoutSecrets(value, hidden))).to.equal(JSON.stringify(shown));
		});
	}
});
