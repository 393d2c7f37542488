import { inspect } from 'node:util';
import { expect } from 'chai';
import { managementTenant } from '../../../access/index.ts';
import { ConfigError, type Environment, load, printConfig, settings } from '../../../config/index.ts';

const tls = { TLS_CERT_FILE: 'cert.pem', TLS_KEY_FILE: 'key.pem' };

function faultsOf(environment: Environment, fileText?: string): string[] {
	try {
		load(environment, fileText);
	} catch (error) {
		if (error instanceof ConfigError) return error.message.split('\n').slice(1);
		throw error;
	}
	return [];
}

/** What a setting became, found by its name outside. */
function settled(name: string, environment: Environment, fileText?: string): unknown {
	const config: Record<string, Record<string, unknown>> = load(environment, fileText);
	const setting = settings.find((candidate) => candidate.name === name);
	return setting && config[setting.group]?.[setting.key];
}

const goodRows: readonly [name: string, written: string, value: unknown, others?: Environment][] = [
	['HTTP_PORT', '0', 0],
	['HTTP_PORT', '65535', 65_535],
	['HTTPS_PORT', '8443', 8443, tls],
	['HTTPS_PORT', '0', 0, tls],
	['MQTT_PORT', '0', 0, { HTTP_PORT: '0' }],
	['MQTT_PORT', '01883', 1883],
	['MQTT_PORT', 'off', 'off'],
	['MQTTS_PORT', '8883', 8883, tls],
	['HOST', '::', '::'],
	['HOST', 'localhost', 'localhost'],
	['DATA_DIR', ':memory:', ':memory:'],
	['DATA_DIR', '/var/lib/my data', '/var/lib/my data'],
	['TENANT_ID', 't', 't'],
	['TENANT_ID', 'T123456', 'T123456'],
	['TENANT_ID', `${managementTenant}1`, `${managementTenant}1`],
	['ADMIN_USERNAME', 'jane.doe@example.com', 'jane.doe@example.com'],
	['LOG_LEVEL', 'debug', 'debug'],
	['LOG_LEVEL', 'silent', 'silent'],
	['DEVICE_AUTO_CREATION', 'false', false],
	['DEVICE_AUTO_CREATION', 'true', true],
	['MQTT_PAYLOAD_MAX_BYTES', '65536', 65_536],
	['PACKAGES_MAX', '1', 1],
	['MQTT_BRIDGE_TOPIC_ROOT', 'plant/c8y', 'plant/c8y'],
	['MQTT_BRIDGE_PARTITIONS', '256', 256],
	['HTTPS_PORT', '', undefined],
	['HTTP_PORT', '', 8080],
	['MONGODB_URL', '', undefined],
	['BINARIES_STORE', 'files', 'files'],
	['BINARIES_STORE', 's3', 's3', { S3_BUCKET: 'files' }],
	['BINARIES_STORE', 'gridfs', 'gridfs', { MONGODB_URL: 'mongodb://host/' }],
	['S3_ENDPOINT', 'http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
	['TRUSTED_PROXIES', 'loopback,10.0.0.0/8,fd00::/8,192.0.2.1', 'loopback,10.0.0.0/8,fd00::/8,192.0.2.1'],
	['CORS_ORIGINS', 'https://ui.example.com,http://localhost:4200', 'https://ui.example.com,http://localhost:4200'],
	['CORS_ORIGINS', '', undefined],
	['AUTH_TOKEN_ALGORITHM', 'ES256', 'ES256'],
	['OIDC_PROVIDERS', '[]', []],
	[
		'OIDC_PROVIDERS',
		'[{"id":"a","issuer":"https://idp.example.com","clientId":"c","roles":{"ops":"admin"}}]',
		[
			{
				id: 'a',
				issuer: 'https://idp.example.com',
				clientId: 'c',
				roles: { ops: 'admin' },
				scope: 'openid profile email',
				userClaim: 'preferred_username',
				rolesClaim: 'groups',
			},
		],
	],
];

const badRows: readonly [name: string, written: string, others?: Environment][] = [
	['BINARIES_MONGODB_URL', 'localhost:27017'],
	['TRUSTED_PROXIES', 'everybody'],
	['TRUSTED_PROXIES', '10.0.0.0/33'],
	['TRUSTED_PROXIES', 'loopback, 10.0.0.1'],
	['CORS_ORIGINS', '*'],
	['CORS_ORIGINS', 'null'],
	['CORS_ORIGINS', 'https://ui.example.com/'],
	['CORS_ORIGINS', 'https://UI.example.com'],
	['CORS_ORIGINS', 'https://ui.example.com, https://b.example.com'],
	['CORS_ORIGINS', 'https://*.example.com'],
	['CORS_ORIGINS', 'ws://ui.example.com'],
	['MQTT_KEEP_ALIVE_MAX_SECONDS', '0'],
	['MQTT_JSON_MAX_DEPTH', '101'],
	['AUTH_TOKEN_ALGORITHM', 'none'],
	['AUTH_TOKEN_ALGORITHM', 'HS512'],
	['AUTH_HASH_MEMORY_KIB', '1024'],
	['PASSWORD_MIN_CHARACTERS', '7'],
	['OIDC_PROVIDERS', 'https://idp.example.com'],
	['OIDC_PROVIDERS', '{}'],
	['OIDC_PROVIDERS', '[{"id":"a"}]'],
	['OIDC_PROVIDERS', '[{"id":"a b","issuer":"https://i","clientId":"c","roles":{}}]'],
	['OIDC_PROVIDERS', '[{"id":"a","issuer":"https://i","clientId":"c","roles":{},"extra":1}]'],
	['OIDC_PROVIDERS', '[{"id":"a","issuer":"http://idp.example.com","clientId":"c","roles":{}}]'],
	['BINARIES_STORE', 'disk'],
	['S3_ENDPOINT', 'http://user:password@host/'],
	['BINARIES_LEFTOVER_AFTER_SECONDS', '3600'],
	['HTTP_PORT', '65536'],
	['HTTP_PORT', '-1'],
	['HTTP_PORT', '80a'],
	['HTTP_PORT', '80.5'],
	['HTTP_PORT', '0x50'],
	['HTTP_PORT', '1e3'],
	['HTTP_PORT', ' 80'],
	['HTTP_PORT', '99999999999999999999'],
	['HTTPS_PORT', 'on', tls],
	['MQTT_PORT', '8080'],
	['MQTT_PORT', 'OFF'],
	['MQTTS_PORT', 'off', tls],
	['MQTT_BRIDGE_URL', 'broker.example'],
	['MQTT_BRIDGE_URL', 'http://broker.example'],
	['MQTT_BRIDGE_URL', 'mqtt://'],
	['MQTT_BRIDGE_URL', 'mqtt://service:50%@broker.example'],
	['MQTT_BRIDGE_URL', 'mqtt://service:%ff@broker.example'],
	['MQTT_BRIDGE_TOPIC_ROOT', '$share/g'],
	['MQTT_BRIDGE_TOPIC_ROOT', 'c8y/'],
	['MQTT_BRIDGE_TOPIC_ROOT', '+'],
	['MQTT_BRIDGE_CLIENT_ID', 'a/b'],
	['MQTT_BRIDGE_PARTITIONS', '0'],
	['MQTT_BRIDGE_SHARING', 'topic'],
	['MQTTS_PORT', '1883', tls],
	['MQTTS_PORT', 'undefined', tls],
	['HOST', 'a b'],
	['HOST', 'http://localhost'],
	['DATA_DIR', ' '],
	['TLS_KEY_FILE', '\t'],
	['TENANT_ID', '1t'],
	['TENANT_ID', 'my-tenant'],
	['TENANT_ID', 't'.repeat(33)],
	['TENANT_ID', 't1\n'],
	['TENANT_ID', managementTenant],
	['ADMIN_USERNAME', 't1/admin'],
	['ADMIN_USERNAME', 'admin:x'],
	['LOG_LEVEL', 'INFO'],
	['LOG_LEVEL', 'verbose'],
	['DEVICE_AUTO_CREATION', 'yes'],
	['DEVICE_AUTO_CREATION', '1'],
	['MQTT_PACKET_MAX_BYTES', '16184'],
	['SHUTDOWN_GRACE_SECONDS', '0'],
	['PACKAGES_MAX', '0'],
	['HTTP_BODY_MAX_BYTES', '16MiB'],
	['MONGODB_URL', 'localhost:27017'],
	['MONGODB_URL', 'mongodb://'],
	['MONGODB_URL', 'mongodb://a host/'],
	['MONGODB_DATABASE', 'a.b'],
	['MONGODB_POOL_MAX', '4'],
	['MONGODB_POOL_MIN', '51'],
];

describe('config/load', () => {
	for (const [name, written, value, others] of goodRows) {
		it(`takes ${name}=${JSON.stringify(written)}`, () => {
			expect(settled(name, { ...others, [name]: written })).to.deep.equal(value);
		});
	}

	for (const [name, written, others] of badRows) {
		it(`refuses ${name}=${JSON.stringify(written)}`, () => {
			const faults = faultsOf({ ...others, [name]: written });
			expect(faults).to.have.length(1);
			expect(faults[0]).to.match(new RegExp(`^ {2}${name}: found .+ in the environment; right is .+`, 's'));
		});
	}

	it('has every setting without an environment', () => {
		const config = load({});
		expect(config.http.port).to.equal(8080);
		expect(config.mqtt.port).to.equal(1883);
		expect(config.http.httpsPort).to.equal(undefined);
		expect(config.tenant.adminPassword).to.equal(undefined);
	});

	it('has no default for a secret', () => {
		for (const setting of settings.filter(({ secret }) => secret)) expect(setting.value, setting.name).to.equal(undefined);
	});

	it('freezes the result', () => {
		const config = load({});
		expect(config).to.be.frozen;
		for (const group of Object.values(config)) expect(group).to.be.frozen;
	});

	it('ignores variables that are no settings', () => {
		expect(load({ PATH: '/bin', HTTP_PROT: '1' })).to.deep.equal(load({}));
	});

	it('tells why the tenant of the service itself cannot be that of its user', () => {
		expect(faultsOf({ TENANT_ID: managementTenant })).to.deep.equal([
			'  TENANT_ID: found "management" in the environment; right is 1 to 32 letters and digits, a letter first, and not management, which is the tenant of the service itself',
		]);
	});

	it('wants a client certificate and its key together', () => {
		expect(faultsOf({ MQTT_BRIDGE_CERT_FILE: 'client.pem' })).to.deep.equal([
			'  MQTT_BRIDGE_KEY_FILE: found nothing; right is a path of a PEM file, because MQTT_BRIDGE_CERT_FILE is set',
		]);
		expect(faultsOf({ MQTT_BRIDGE_KEY_FILE: 'client.key' })).to.have.length(1);
	});

	it('names all faults at once, each once, with what was found and what would be right', () => {
		const environment = { HTTP_PORT: 'x', MQTTS_PORT: '99999', LOG_LEVEL: 'loud', MONGODB_URL: 'mongo://u:hidden@h' };
		expect(faultsOf(environment, '{ "MQTT_PORT": true, "HTTP_PROT": 1 }')).to.deep.equal([
			'  HTTP_PROT: found this name in the file; right is a name of docs/reference/configuration.md',
			'  HTTP_PORT: found "x" in the environment; right is a whole number from 0 to 65535',
			'  MQTT_PORT: found true in the file; right is a whole number from 0 to 65535, or off',
			'  MQTTS_PORT: found "99999" in the environment; right is a whole number from 0 to 65535',
			'  MONGODB_URL: found [redacted] in the environment; right is mongodb://user:password@host:27017/database?replicaSet=rs0, with @ : and / in a password written as %40, %3A and %2F',
			'  LOG_LEVEL: found "loud" in the environment; right is one of fatal, error, warn, info, debug, trace, silent',
			'  TLS_CERT_FILE: found nothing; right is a path of a PEM file, because HTTPS_PORT, HTTPS_DEVICES_PORT or MQTTS_PORT is set',
			'  TLS_KEY_FILE: found nothing; right is a path of a PEM file, because HTTPS_PORT, HTTPS_DEVICES_PORT or MQTTS_PORT is set',
		]);
	});

	describe('between settings', () => {
		it('refuses files of one process beside a database of several', () => {
			const [fault, ...others] = faultsOf({ BINARIES_STORE: 'files', MONGODB_URL: 'mongodb://host/db' });
			expect(fault).to.match(
				/^ {2}BINARIES_STORE: found "files" in the environment; right is gridfs or s3, because MONGODB_URL is set/,
			);
			expect(others).to.deep.equal([]);
		});

		it('needs what the store of binaries is reached by', () => {
			const needs: readonly (readonly [Environment, string])[] = [
				[{ BINARIES_STORE: 's3' }, 'S3_BUCKET'],
				[{ BINARIES_STORE: 'gridfs' }, 'BINARIES_MONGODB_URL'],
				[{ S3_SECRET_ACCESS_KEY: 'secret' }, 'S3_ACCESS_KEY_ID'],
				[{ S3_ACCESS_KEY_ID: 'id' }, 'S3_SECRET_ACCESS_KEY'],
			];
			for (const [environment, name] of needs) {
				const faults = faultsOf(environment);
				expect(faults, name).to.have.length(1);
				expect(faults[0]).to.match(new RegExp(`^  ${name}: found nothing; right is .*, because `));
			}
		});

		it('needs a certificate and a key for a TLS listener', () => {
			expect(faultsOf({ HTTPS_PORT: '0' })).to.have.length(2);
			expect(faultsOf({ MQTTS_PORT: '0', TLS_CERT_FILE: 'cert.pem' })).to.have.length(1);
			expect(faultsOf({ HTTPS_PORT: '0', MQTTS_PORT: '0', ...tls })).to.deep.equal([]);
			expect(faultsOf(tls)).to.deep.equal([]);
		});

		it('keeps the ports of the listeners apart, but for 0', () => {
			expect(faultsOf({ HTTP_PORT: '5', HTTPS_PORT: '5', MQTT_PORT: '5', MQTTS_PORT: '5', ...tls })).to.have.length(3);
			expect(faultsOf({ HTTP_PORT: '0', HTTPS_PORT: '0', MQTT_PORT: '0', MQTTS_PORT: '0', ...tls })).to.deep.equal([]);
		});

		it('blames a default that a given value does not go with', () => {
			expect(faultsOf({ MQTT_PAYLOAD_MAX_BYTES: '2000000' })).to.deep.equal([
				'  MQTT_PACKET_MAX_BYTES: found the default 1048576; right is more than MQTT_PAYLOAD_MAX_BYTES, which it must have room for',
			]);
		});

		it('leaves room in a packet for the largest software list', () => {
			expect(faultsOf({ MQTT_PACKET_MAX_BYTES: '262144' })).to.deep.equal([
				'  MQTT_PACKET_MAX_BYTES: found "262144" in the environment; right is more than MQTT_LIST_PAYLOAD_MAX_BYTES, which it must have room for',
			]);
			expect(faultsOf({ MQTT_PACKET_MAX_BYTES: '262145' })).to.deep.equal([]);
		});
	});

	describe('the file', () => {
		const good: readonly [fileText: string, name: string, value: unknown][] = [
			['{}', 'HTTP_PORT', 8080],
			['{ "HTTP_PORT": 81 }', 'HTTP_PORT', 81],
			['{ "HTTP_PORT": "81" }', 'HTTP_PORT', 81],
			['{ "DEVICE_AUTO_CREATION": false }', 'DEVICE_AUTO_CREATION', false],
			['{ "HOST": "::1" }', 'HOST', '::1'],
		];
		for (const [fileText, name, value] of good) {
			it(`may be ${fileText}`, () => {
				expect(settled(name, {}, fileText)).to.equal(value);
			});
		}

		const bad: readonly [fileText: string, name: string][] = [
			['', 'CONFIG_FILE'],
			['{', 'CONFIG_FILE'],
			['[]', 'CONFIG_FILE'],
			['null', 'CONFIG_FILE'],
			['"HTTP_PORT"', 'CONFIG_FILE'],
			['{ "http_port": 81 }', 'http_port'],
			['{ "__proto__": { "HTTP_PORT": 81 } }', '__proto__'],
			['{ "toString": 1 }', 'toString'],
			['{ "CONFIG_FILE": "other.json" }', 'CONFIG_FILE'],
			['{ "HTTP_PORT": null }', 'HTTP_PORT'],
			['{ "HTTP_PORT": 80.5 }', 'HTTP_PORT'],
			['{ "HTTP_PORT": [81] }', 'HTTP_PORT'],
			['{ "HTTP_PORT": "" }', 'HTTP_PORT'],
			['{ "HOST": 1 }', 'HOST'],
			['{ "DEVICE_AUTO_CREATION": 1 }', 'DEVICE_AUTO_CREATION'],
			['{ "ADMIN_PASSWORD": 12345678 }', 'ADMIN_PASSWORD'],
			['{ "MONGODB_URL": "localhost" }', 'MONGODB_URL'],
		];
		for (const [fileText, name] of bad) {
			it(`may not be ${fileText || 'empty'}`, () => {
				const faults = faultsOf({}, fileText);
				expect(faults).to.have.length(1);
				expect(faults[0]).to.match(new RegExp(`^ {2}${name}: found `));
			});
		}

		it('gives way to the environment', () => {
			expect(load({ HTTP_PORT: '82' }, '{ "HTTP_PORT": 81 }').http.port).to.equal(82);
		});

		it('counts where a variable of the environment is empty', () => {
			expect(load({ HTTP_PORT: '' }, '{ "HTTP_PORT": 81 }').http.port).to.equal(81);
		});
	});

	describe('secrets', () => {
		const environment = {
			ADMIN_PASSWORD: 'correct horse',
			BOOTSTRAP_PASSWORD: 'battery staple',
			MONGODB_URL: 'mongodb://operator:horse@db.example/service?replicaSet=rs0',
		};
		const leak = /horse|staple/;

		it('are given away by reveal() only', () => {
			const config = load(environment);
			expect(config.tenant.adminPassword?.reveal()).to.equal('correct horse');
			expect(config.mongodb.url?.reveal()).to.equal(environment.MONGODB_URL);
			for (const shown of [
				JSON.stringify(config),
				inspect(config, { depth: null, showHidden: true }),
				`${config.tenant.adminPassword}`,
				printConfig(environment),
			]) {
				expect(shown).to.include('[redacted]').and.not.match(leak);
			}
		});

		it('stay hidden in what is printed, and so does where the database is', () => {
			const lines = printConfig(environment).split('\n');
			expect(lines).to.include('MONGODB_URL = "[redacted]"  # environment');
			expect(printConfig(environment)).not.to.match(/operator|db\.example/);
		});

		it('stay hidden in faults', () => {
			expect(faultsOf({ ADMIN_PASSWORD: 'horse'.repeat(300) })).to.have.length(1);
			expect(faultsOf({ ADMIN_PASSWORD: 'horse'.repeat(300) }).join()).not.to.match(leak);
			expect(faultsOf({}, '{ "ADMIN_PASSWORD": ["horse"] }').join()).not.to.match(leak);
			expect(faultsOf({}, '{ "ADMIN_PASSWORD": "horse" x }').join()).not.to.match(leak);
		});
	});

	it('prints every setting with its value and where it comes from', () => {
		const lines = printConfig({ HTTP_PORT: '81' }, '{ "LOG_LEVEL": "warn" }').trimEnd().split('\n');
		expect(lines).to.have.length(settings.length);
		expect(lines).to.include.members([
			'HTTP_PORT = 81  # environment',
			'LOG_LEVEL = "warn"  # file',
			'MQTT_PORT = 1883  # default',
			'HTTPS_PORT = (unset)  # default',
		]);
	});

	it('throws the faults instead of printing', () => {
		expect(() => printConfig({ HTTP_PORT: 'x' })).to.throw(ConfigError, 'HTTP_PORT');
	});

	it('names the field of a provider that is wrong, and shows no secret of it', () => {
		const provider = { id: 'a', issuer: 'http://idp.example.com', clientId: 'c', clientSecret: 'hidden-secret', roles: {} };
		const [fault = '', ...others] = faultsOf({ OIDC_PROVIDERS: JSON.stringify([provider]) });
		expect(others).to.deep.equal([]);
		expect(fault).to.contain('0.issuer: must be an https:// address').and.not.to.contain('hidden-secret');
		const right = { OIDC_PROVIDERS: JSON.stringify([{ ...provider, issuer: 'https://idp.example.com' }]) };
		expect(printConfig(right)).not.to.contain('hidden-secret');
		expect(inspect(load(right), { depth: null })).not.to.contain('hidden-secret');
		const twice = [provider, provider].map((each) => ({ ...each, issuer: 'https://idp.example.com' }));
		expect(faultsOf({ OIDC_PROVIDERS: JSON.stringify(twice) }).join()).to.contain('another id each');
	});
});
