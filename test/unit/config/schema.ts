import { expect } from 'chai';
import { settings } from '../../../config/index.ts';

/** Names that operators and other programs rely on. */
const promised = [
	'HTTP_PORT',
	'HTTPS_PORT',
	'MQTT_PORT',
	'MQTTS_PORT',
	'HOST',
	'TLS_CERT_FILE',
	'TLS_KEY_FILE',
	'DATA_DIR',
	'MONGODB_URL',
	'TENANT_ID',
	'ADMIN_USERNAME',
	'ADMIN_PASSWORD',
	'BOOTSTRAP_PASSWORD',
	'LOG_LEVEL',
	'CONFIG_FILE',
];

describe('config/schema', () => {
	it('has the promised names', () => {
		expect(settings.map(({ name }) => name)).to.include.members(promised);
	});

	it('names every setting once, in capitals', () => {
		const names = settings.map(({ name }) => name);
		expect(new Set(names).size).to.equal(names.length);
		for (const name of names) expect(name).to.match(/^[A-Z][A-Z0-9_]*[A-Z0-9]$/);
	});

	it('describes every setting in one sentence and says what is right', () => {
		for (const { name, meaning, right } of settings) {
			expect(meaning, name).to.match(/^[A-Z][^\n]+\.$/);
			expect(right, name).not.to.equal('');
		}
	});

	it('says the unit in the name of every duration and size', () => {
		for (const { name, key, meaning } of settings) {
			if (/\bseconds?\b/i.test(meaning)) expect(key, name).to.match(/Seconds$|PerSecond$/);
			if (/\bbytes\b/i.test(meaning)) expect(key, name).to.match(/Bytes$/);
		}
	});
});
