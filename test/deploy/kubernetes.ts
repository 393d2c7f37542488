import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { load } from '../../config/index.ts';
import { check, readVariables, readYaml, root } from '../support/deploy-files.ts';
import { hasProgram } from '../support/programs.ts';
import { startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

type Labels = Readonly<Record<string, string>>;
type Selector = Labels | { readonly matchLabels: Labels };

interface Manifest {
	readonly kind: string;
	readonly metadata: { readonly name: string };
	readonly spec?: {
		readonly selector?: Selector;
		readonly podSelector?: Selector;
		readonly ports?: readonly { readonly targetPort: string }[];
	};
}

interface Probe {
	readonly httpGet: { readonly path: string; readonly port: string };
}

interface Deployment {
	readonly kind: 'Deployment';
	readonly spec: {
		readonly replicas?: number;
		readonly strategy: { readonly rollingUpdate: { readonly maxUnavailable: number } };
		readonly template: {
			readonly metadata: { readonly labels: Labels };
			readonly spec: {
				readonly terminationGracePeriodSeconds: number;
				readonly securityContext: object;
				readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
				readonly containers: readonly {
					readonly name: string;
					readonly securityContext: object;
					readonly resources: { readonly requests: object; readonly limits: object };
					readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
					readonly lifecycle?: object;
					readonly startupProbe: Probe;
					readonly readinessProbe: Probe;
					readonly livenessProbe: Probe;
				}[];
			};
		};
	};
}

const folder = 'deploy/kubernetes';
const parts = ['base', 'autoscaling', 'ingress'];
const isManifest = (name: string) => /\.yaml$/.test(name) && !/^kustomization|-values\.yaml$/.test(name);
const files = parts.flatMap((part) =>
	readdirSync(join(root, folder, part))
		.filter(isManifest)
		.map((name) => `${folder}/${part}/${name}`),
);
const manifests = files.flatMap((file) => readYaml<Manifest>(file));

describe('deploy/kubernetes', function () {
	this.timeout(60_000);
	const [deployment] = readYaml<Deployment>(`${folder}/base/deployment.yaml`);
	if (!deployment) throw new Error('no Deployment');
	const pod = deployment.spec.template;
	const [container] = pod.spec.containers;
	if (!container) throw new Error('no container');
	const settings = readVariables(`${folder}/base/settings.env`);

	it('has manifests as Kubernetes knows them (kubernetes-validate)', function () {
		skipUnless(hasProgram('kubernetes-validate'), 'kubernetes-validate is not installed').call(this);
		const { failed, output } = check('kubernetes-validate', '--strict', ...files);
		expect(failed, output).to.equal(false);
		expect(output.match(/ passed for resource /g)).to.have.length(manifests.length);
	});

	it('names every manifest in its kustomization', () => {
		const named = parts.flatMap((part) =>
			readYaml<{ resources: string[] }>(`${folder}/${part}/kustomization.yaml`).flatMap(({ resources }) =>
				resources.map((resource) => `${folder}/${part}/${resource}`),
			),
		);
		expect(named).to.have.members(files);
	});

	it('selects its own pods, everywhere', () => {
		const labels = pod.metadata.labels;
		expect(Object.keys(labels)).to.not.be.empty;
		const selectors = [
			...manifests.flatMap(({ spec }) => [spec?.selector, spec?.podSelector]),
			...pod.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector),
		].filter((selector) => selector !== undefined);
		expect(selectors).to.have.length(7);
		for (const selector of selectors) expect('matchLabels' in selector ? selector.matchLabels : selector).to.deep.equal(labels);
	});

	it('gives the container no rights', () => {
		expect(pod.spec.securityContext).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
		expect(container.securityContext).to.deep.equal({
			allowPrivilegeEscalation: false,
			readOnlyRootFilesystem: true,
			capabilities: { drop: ['ALL'] },
		});
		expect(container.resources.requests).to.have.all.keys('cpu', 'memory');
		expect(container.resources.limits).to.have.property('memory');
	});

	it('has a new pod ready before an old one goes, and gives that one time to end', () => {
		expect(deployment.spec.strategy.rollingUpdate.maxUnavailable).to.equal(0);
		expect(deployment.spec.replicas).to.be.at.least(2);
		// The service itself waits for load balancers: a sleep before the signal would only keep it waiting twice.
		expect(container.lifecycle).to.equal(undefined);
		const config = load({ ...settings, MQTTS_PORT: undefined, TLS_CERT_FILE: undefined, TLS_KEY_FILE: undefined });
		const { drainDelaySeconds, drainConnectionsPerSecond } = config.processes;
		const { shutdownGraceSeconds } = config.server;
		expect(drainDelaySeconds).to.be.at.least(5);
		// As service/shut-down.ts divides the time: all connections that there may be can leave at the pace that is set.
		expect((shutdownGraceSeconds - drainDelaySeconds) * 0.7 * drainConnectionsPerSecond).to.be.at.least(
			config.mqtt.connectionsMax,
		);
		// As service/stop-signal.ts leaves some for the store.
		expect(pod.spec.terminationGracePeriodSeconds).to.be.at.least(shutdownGraceSeconds + 5);
	});

	it('probes paths that the service answers, and leads to ports that it has', async () => {
		const service = await startService();
		try {
			const { startupProbe, readinessProbe, livenessProbe } = container;
			const names = container.ports.map(({ name }) => name);
			for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
				expect(names).to.include(httpGet.port);
				expect((await fetch(service.urls.http + httpGet.path)).status, httpGet.path).to.equal(200);
			}
			expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).to.deep.equal(['/ready', '/health']);
			const led = manifests.flatMap(({ kind, spec }) =>
				kind === 'Service' ? (spec?.ports ?? []).map(({ targetPort }) => targetPort) : [],
			);
			expect(names).to.have.members([...new Set(led)]);
			const mqtts = container.ports.find(({ name }) => name === 'mqtts');
			expect(String(mqtts?.containerPort)).to.equal(settings.MQTTS_PORT);
		} finally {
			await service.close();
		}
	});

	it('has no secret of its own, and does not fall back on a store in the pod', () => {
		expect(manifests.map(({ kind }) => kind)).to.not.include('Secret');
		const secrets = readVariables(`${folder}/base/secrets.env.template`);
		expect(new Set(Object.values(secrets))).to.deep.equal(new Set(['']));
		expect(Object.keys(secrets)).to.include.members([
			'MONGODB_URL',
			'ADMIN_PASSWORD',
			'MANAGEMENT_ADMIN_PASSWORD',
			'BOOTSTRAP_PASSWORD',
		]);
		// test/deploy/image shows that the service does not start on it.
		expect(settings.DATA_DIR).to.equal('/app/no-embedded-store');
	});

	describe('put together by kustomize', () => {
		let copy: string;
		before(function () {
			skipUnless(hasProgram('kubectl'), 'kubectl is not installed').call(this);
			copy = mkdtempSync(join(tmpdir(), 'kubernetes-'));
			for (const part of parts) cpSync(join(root, folder, part), join(copy, part), { recursive: true });
			rmSync(join(copy, 'base/secrets.env'), { force: true });
			writeFileSync(
				join(copy, 'kustomization.yaml'),
				'namespace: devices\nresources: [base]\ncomponents: [autoscaling, ingress]\n',
			);
		});
		after(() => {
			if (copy) rmSync(copy, { recursive: true, force: true });
		});

		it('says that the secrets are missing', () => {
			const { failed, output } = check('kubectl', 'kustomize', copy);
			expect([failed, output.includes('secrets.env')]).to.deep.equal([true, true]);
		});

		it('is whole once they are there, and leaves the number of pods to the autoscaler', () => {
			cpSync(join(copy, 'base/secrets.env.template'), join(copy, 'base/secrets.env'));
			const { failed, output } = check('kubectl', 'kustomize', copy);
			expect(failed, output).to.equal(false);
			const built: (Manifest | Deployment)[] = parseAllDocuments(output).map((document) => document.toJS());
			expect(built).to.have.length(manifests.length + 2);
			const found = built.find((manifest): manifest is Deployment => manifest.kind === 'Deployment');
			expect(found?.spec.replicas).to.equal(undefined);
			expect(JSON.stringify(found))
				.to.match(/"name":"secrets-\w{10}"/)
				.and.to.match(/"name":"settings-\w{10}"/);
		});
	});
});
