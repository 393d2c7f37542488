import { expect } from 'chai';
import { DockerfileParser } from 'dockerfile-ast';
import { ConfigError, load, settings } from '../../config/index.ts';
import { readText, readVariables, readYaml } from '../support/deploy-files.ts';

type Variables = Readonly<Record<string, string>>;

interface ComposeFile {
	readonly services: Readonly<Record<string, { readonly environment: Variables }>>;
}

interface Deployment {
	readonly spec: {
		readonly template: {
			readonly spec: { readonly containers: readonly { readonly env: readonly { readonly name: string }[] }[] };
		};
	};
}

const known = new Set(settings.map(({ name }) => name));
/** Secrets that are not any text: addresses that hold a password, and other login providers. */
const secretValues: Variables = {
	MONGODB_URL: 'mongodb://user:secret@mongodb.example:27017/devices?replicaSet=rs0',
	MQTT_BRIDGE_URL: 'mqtts://user:secret@broker.example',
	BINARIES_MONGODB_URL: 'mongodb://user:secret@mongodb.example:27017/binaries?replicaSet=rs0',
	OIDC_PROVIDERS: '[{"id": "company", "issuer": "https://idp.example", "clientId": "devices", "roles": {"all": "reader"}}]',
};
/** Read by Node.js and its packages, not by the service. */
const notOurs = new Set(['NODE_ENV']);

/** The settings of each way to run the service. A value that is not known before comes as a text that any setting of its kind takes. */
const ways: readonly (readonly [file: string, variables: Variables])[] = [
	['Dockerfile', ofDockerfile()],
	...Object.entries(readYaml<ComposeFile>('compose.yaml')[0]?.services ?? {})
		.filter(([name]) => name.startsWith('service'))
		.map(([name, { environment }]) => [`compose.yaml ${name}`, withoutInterpolation(environment)] as const),
	['deploy/kubernetes', { ...readVariables('deploy/kubernetes/base/settings.env'), ...ofDeployment() }],
	['deploy/systemd/environment.example', readVariables('deploy/systemd/environment.example')],
	['deploy/systemd', { ...ofUnit('deploy/systemd/device-software-management.service'), ...ofUnit('deploy/systemd/tls.conf') }],
];

describe('deploy/settings', () => {
	for (const [file, variables] of ways) {
		it(`are those of the service in ${file}`, () => {
			const names = Object.keys(variables).filter((name) => !notOurs.has(name));
			expect(names).to.not.be.empty;
			expect(names.filter((name) => !known.has(name))).to.deep.equal([]);
		});

		it(`have values that the service takes in ${file}`, () => {
			expect(faultsOf(variables)).to.deep.equal([]);
		});
	}

	it('would be seen to be wrong', () => {
		expect(faultsOf({ MQTT_PORT: 'x', MONGODB_URL: 'x' })).to.have.members(['MQTT_PORT', 'MONGODB_URL']);
	});

	it('are not made up in the guides', () => {
		// Variables of compose.yaml, of the Dockerfile and of Node.js, and capabilities.
		const others = /^(HTTP|MQTT)_PUBLISHED(_2)?$|^MONGODB_PASSWORD$|^CAP_|^NODE_(ENV|IMAGE)$/;
		for (const page of ['docker', 'kubernetes', 'systemd', 'monitoring', 'many-processes', 'scale']) {
			const names = [...readText(`docs/guides/${page}.md`).matchAll(/\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name);
			expect(
				names.filter((name) => !known.has(name) && !others.test(name)),
				page,
			).to.deep.equal([]);
		}
	});
});

/** The names of settings that are wrong. */
function faultsOf(variables: Variables): string[] {
	try {
		load(variables);
		return [];
	} catch (error) {
		if (error instanceof ConfigError) return error.faults.map(({ name }) => name);
		throw error;
	}
}

function ofDockerfile(): Variables {
	const steps = DockerfileParser.parse(readText('Dockerfile')).getENVs();
	const properties = steps.flatMap((step) => step.getProperties());
	return Object.fromEntries(properties.map((property) => [property.getName(), property.getValue() ?? '']));
}

function withoutInterpolation(variables: Variables): Variables {
	const plain = (value: string) => value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll(/\$\{\w+:\?[^}]*\}/g, 'secret');
	return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, plain(value)]));
}

function ofDeployment(): Variables {
	const [deployment] = readYaml<Deployment>('deploy/kubernetes/base/deployment.yaml');
	const names = deployment?.spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name)) ?? [];
	return Object.fromEntries(names.map((name) => [name, secretValues[name] ?? 'secret']));
}

function ofUnit(path: string): Variables {
	return Object.fromEntries(
		[...readText(path).matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
	);
}
