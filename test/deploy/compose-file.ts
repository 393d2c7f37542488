import { expect } from 'chai';
import { check, readText, readYaml } from '../support/deploy-files.ts';
import { hasProgram } from '../support/programs.ts';
import { skipUnless } from '../support/skip.ts';

interface Service {
	readonly read_only?: boolean;
	readonly cap_drop?: readonly string[];
	readonly security_opt?: readonly string[];
	readonly ports?: readonly string[];
	readonly profiles?: readonly string[];
	readonly networks?: readonly string[];
	readonly volumes?: readonly string[];
	readonly healthcheck?: { readonly test: readonly string[] };
	readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
	readonly environment: Readonly<Record<string, string>>;
}

interface ComposeFile {
	readonly services: Readonly<Record<string, Service>>;
	readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
	readonly volumes: Readonly<Record<string, object>>;
}

const secrets = ['ADMIN_PASSWORD', 'MANAGEMENT_ADMIN_PASSWORD', 'BOOTSTRAP_PASSWORD', 'MONGODB_PASSWORD'];
/** Of what not everybody uses. */
const optionalSecrets = ['CERTIFICATE_AUTHORITY_SECRET'];

describe('deploy/compose-file', () => {
	const file = readYaml<ComposeFile>('compose.yaml')[0] ?? { services: {}, networks: {}, volumes: {} };
	const { mongodb, ...own } = file.services;

	it('is a compose file (schema of the compose specification)', function () {
		this.timeout(30_000);
		skipUnless(hasProgram('check-jsonschema'), 'check-jsonschema is not installed').call(this);
		const { failed, output } = check('check-jsonschema', '--builtin-schema', 'vendor.compose-spec', 'compose.yaml');
		expect(failed, output).to.equal(false);
	});

	it('gives no container more rights than it needs', () => {
		expect(Object.keys(file.services)).to.deep.equal(['service', 'service-2', 'mongodb']);
		for (const [name, service] of Object.entries(file.services)) {
			expect(service.read_only, name).to.equal(true);
			expect(service.cap_drop, name).to.deep.equal(['ALL']);
			expect(service.security_opt, name).to.deep.equal(['no-new-privileges:true']);
		}
	});

	it('asks for each secret, says what it is, and has no value for it', () => {
		const asked = [...readText('compose.yaml').matchAll(/\$\{(\w+)(.[^}]*)?\}/g)];
		const names = asked.map(([, name]) => name);
		expect(names).to.include.members([...secrets, ...optionalSecrets]);
		for (const [whole, name = '', rest = ''] of asked) {
			if (optionalSecrets.includes(name)) expect(rest, whole).to.equal(':-');
			else expect(rest, whole).to.match(secrets.includes(name) ? /^:\?set it to [a-z]/ : /^:-[\w.]+$/);
		}
	});

	it('keeps the database from everybody but the service', () => {
		expect(mongodb?.ports).to.equal(undefined);
		for (const network of mongodb?.networks ?? []) expect(file.networks[network]?.internal, network).to.equal(true);
		for (const service of Object.values(own)) expect(service.networks).to.include.members([...(mongodb?.networks ?? [])]);
		expect(mongodb?.volumes?.map((volume) => volume.split(':')[0])).to.deep.equal(Object.keys(file.volumes));
	});

	it('starts the service when the database is healthy, a second one only when asked', () => {
		expect(mongodb?.healthcheck?.test[0]).to.equal('CMD');
		for (const service of Object.values(own))
			expect(service.depends_on).to.deep.equal({ mongodb: { condition: 'service_healthy' } });
		expect(own.service?.profiles).to.equal(undefined);
		expect(own['service-2']?.profiles).to.deep.equal(['two']);
		const ports = Object.values(own).flatMap(({ ports = [] }) => ports.map((port) => /:-(\d+)/.exec(port)?.[1]));
		expect(new Set(ports).size).to.equal(4);
	});

	it('names the same replica set to the database and to the service', () => {
		const url = new URL((own.service?.environment.MONGODB_URL ?? '').replaceAll(/\$\{\w+:\?[^}]*\}/g, 'secret'));
		expect([url.protocol, url.hostname]).to.deep.equal(['mongodb:', 'mongodb']);
		const name = url.searchParams.get('replicaSet');
		expect(readText('compose.yaml')).to.contain(`--replSet ${name} `).and.to.contain(`_id: '${name}'`);
	});
});
