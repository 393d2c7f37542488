import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { check, readText, readYaml } from '../support/deploy-files.ts';
import { collectGarbage } from '../support/kept-memory.ts';
import { hasProgram } from '../support/programs.ts';
import { type ParsedExpression, parsePromql } from '../support/promql.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

interface Alert {
	readonly alert: string;
	readonly expr: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
	readonly id: number;
	readonly type: string;
	readonly title: string;
	readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
	readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface AdapterRule {
	readonly seriesQuery: string;
	readonly metricsQuery: string;
	readonly name: { readonly as: string };
}

const [alertFile] = readYaml<{ groups: { rules: Alert[] }[] }>('deploy/prometheus/alerts.yaml');
const [alertTests] = readYaml<{ tests: { input_series: { series: string }[] }[] }>('deploy/prometheus/alerts.test.yaml');
const dashboard: {
	readonly panels: readonly Panel[];
	readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
} = JSON.parse(readText('deploy/grafana/dashboard.json'));
const [adapter] = readYaml<{ rules: { custom: AdapterRule[] } }>('deploy/kubernetes/autoscaling/prometheus-adapter-values.yaml');
const alerts = alertFile?.groups.flatMap(({ rules }) => rules) ?? [];
const rules = adapter?.rules.custom ?? [];
const targets = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ ...target, title: panel.title })));

/** What Prometheus adds to each series, and the one that it makes itself. */
const targetLabels = ['job', 'instance', 'namespace', 'pod'];
const ownSeries: [string, Set<string>] = ['up', new Set()];

/** Every expression of the files, by where it stands. */
const expressions: readonly (readonly [where: string, expression: string])[] = [
	...alerts.map(({ alert, expr }) => [`the alert ${alert}`, expr] as const),
	...(alertTests?.tests ?? []).flatMap((test) =>
		test.input_series.map(({ series }) => [`the test series ${series}`, series] as const),
	),
	...targets.map(({ title, refId, expr }) => [`the panel ${title} ${refId}`, expr.replaceAll('$__rate_interval', '5m')] as const),
	...dashboard.templating.list.flatMap(({ name, definition }) => {
		const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? [];
		return definition === undefined ? [] : [[`the variable ${name}`, `sum by (${label}) (${series})`] as const];
	}),
	...rules.map(({ seriesQuery }) => [`the adapter's ${seriesQuery}`, seriesQuery] as const),
	...rules.map(({ metricsQuery, seriesQuery }) => {
		const [series] = parsePromql(seriesQuery).series;
		const query = metricsQuery
			.replaceAll('<<.Series>>', series?.metric ?? '')
			.replaceAll('<<.LabelMatchers>>', 'namespace="n"')
			.replaceAll('<<.GroupBy>>', 'pod');
		return [`the adapter's ${metricsQuery}`, query] as const;
	}),
];

describe('deploy/monitoring', () => {
	let files: CertificateFiles;
	let service: ServiceUnderTest;
	let known: ReadonlyMap<string, ReadonlySet<string>>;
	before(async () => {
		files = await createCertificateFiles();
		service = await startService({ HTTPS_PORT: '0', TLS_CERT_FILE: files.certFile, TLS_KEY_FILE: files.keyFile });
		// A figure shows its labels from the first time on that it has something to tell.
		const device = await service.connect('monitored-1');
		await device.send(['100,Monitored,type', '114,c8y_Command', '999,nonsense']);
		await device.nextLine('s/e');
		await service.operator.createOperation('monitored-1', { c8y_Command: { text: 'hello' } });
		await device.nextLine();
		const refused = await service.connect('monitored-2', { password: 'wrong' }).catch((error: Error) => error);
		expect(refused).to.be.instanceOf(Error);
		collectGarbage();
		const deadline = Date.now() + 10_000;
		do {
			known = labelsByMetric(await (await fetch(`${service.urls.http}/metrics`)).text());
			// The runtime tells of a collection by an observer, a turn of the loop or more after it.
		} while (!known.has('nodejs_gc_duration_seconds_sum') && Date.now() < deadline);
	});
	after(async () => {
		await service?.close();
		files?.remove();
	});

	it('reads the figures of a service that has something to tell', () => {
		expect([...(known.get('mqtt_messages_total') ?? [])]).to.have.members(['direction', 'template']);
		expect([...(known.get('mqtt_message_seconds_bucket') ?? [])]).to.have.members(['le']);
		expect([...(known.get('mqtt_connects_total') ?? [])]).to.have.members(['code']);
	});

	it('asks only for what the service tells, by labels that it has', () => {
		expect(expressions).to.have.length.above(80);
		const faults = expressions.flatMap(([where, expression]) =>
			strangers(parsePromql(expression), known).map((fault) => `${where}: ${fault}`),
		);
		expect(faults).to.deep.equal([]);
	});

	for (const [expression, fault] of [
		['rate(mqtt_message_total[5m])', 'no metric mqtt_message_total'],
		['rate(mqtt_message_seconds[5m])', 'no metric mqtt_message_seconds'],
		['mqtt_connections{device="a"}', 'mqtt_connections has no label device'],
		['sum by (le) (rate(mqtt_message_seconds_count[5m]))', 'nothing to group by le'],
	] as const) {
		it(`would find the fault in ${expression}`, () => {
			expect(strangers(parsePromql(expression), known)).to.deep.equal([fault]);
		});
	}

	it('has alerts that say how grave they are, what is wrong and what to look at', () => {
		expect(new Set(alerts.map(({ alert }) => alert)).size).to.equal(alerts.length);
		for (const { alert, expr, labels, annotations } of alerts) {
			expect(labels.severity, alert).to.be.oneOf(['critical', 'warning']);
			expect(annotations, alert).to.have.all.keys('summary', 'description');
			const { series, groupedBy } = parsePromql(expr);
			const told =
				groupedBy.length > 0 ? groupedBy : [...targetLabels, ...series.flatMap(({ metric }) => [...(known.get(metric) ?? [])])];
			const named = [
				...Object.values(annotations)
					.join(' ')
					.matchAll(/\$labels\.(\w+)/g),
			].map(([, label]) => label);
			expect(told, alert).to.include.members(named);
		}
	});

	it('has alert rules and tests of them that Prometheus accepts (promtool)', function () {
		skipUnless(hasProgram('promtool'), 'promtool (Debian: prometheus) is not installed').call(this);
		for (const options of [
			['check', 'rules', 'deploy/prometheus/alerts.yaml'],
			['test', 'rules', 'deploy/prometheus/alerts.test.yaml'],
			['check', 'config', 'deploy/prometheus/prometheus.yaml'],
		]) {
			const { failed, output } = check('promtool', ...options);
			expect(failed, output).to.equal(false);
		}
	});

	it('scrapes pods by the label and the port that they have', () => {
		const text = readText('deploy/prometheus/scrape-kubernetes.yaml');
		expect(readYaml('deploy/prometheus/scrape-kubernetes.yaml')).to.have.length(1);
		expect(text).to.contain('app.kubernetes.io/name=device-software-management').and.to.contain('regex: http\n');
	});

	it('has a dashboard with panels of their own place, on one data source that can be chosen', () => {
		const { panels, templating } = dashboard;
		expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
		expect(templating.list.map(({ name }) => name)).to.deep.equal(['datasource', 'job', 'instance']);
		expect(panels.filter(({ type, targets: of = [] }) => type !== 'row' && of.length === 0)).to.deep.equal([]);
		expect(new Set(targets.map(({ datasource }) => datasource.uid))).to.deep.equal(new Set([`\${datasource}`]));
		const taken = new Set<string>();
		for (const { title, gridPos } of panels) {
			expect(gridPos.x + gridPos.w, title).to.be.at.most(24);
			for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
				for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
					expect(taken.has(`${x} ${y}`), `${title} lies on another panel`).to.equal(false);
					taken.add(`${x} ${y}`);
				}
			}
		}
	});

	it('tells the autoscaler of every figure that it goes by', () => {
		const [autoscaler] = readYaml<{ spec: { metrics: { pods: { metric: { name: string } } }[] } }>(
			'deploy/kubernetes/autoscaling/horizontal-pod-autoscaler.yaml',
		);
		const names = autoscaler?.spec.metrics.map(({ pods }) => pods.metric.name);
		expect(names).to.deep.equal(rules.map(({ name }) => name.as));
	});

	it('tells that the store is not ready, and everything else that it knows', async function () {
		const { bavail, bsize } = statfsSync(tmpdir());
		skipUnless(bavail * bsize < 1024 ** 4, 'the disk has more than 1 TiB free, so no setting makes it too full').call(this);
		const folder = mkdtempSync(join(tmpdir(), 'monitoring-'));
		const full = await startService({ DATA_DIR: folder, STORE_MIN_FREE_BYTES: String(1024 ** 4) });
		try {
			const answer = await fetch(`${full.urls.http}/metrics`);
			const figures = await answer.text();
			expect(answer.status).to.equal(200);
			for (const line of ['service_ready{part="store"} 0', 'service_ready{part="broker"} 1', 'mqtt_connections 0']) {
				expect(figures).to.contain(`\n${line}\n`);
			}
		} finally {
			await full.close();
			rmSync(folder, { recursive: true, force: true });
		}
	});
});

/** What is asked for and is not there. */
function strangers({ series, groupedBy }: ParsedExpression, known: ReadonlyMap<string, ReadonlySet<string>>): string[] {
	const missing = series.flatMap(({ metric, labels }) => {
		const has = known.get(metric);
		if (!has) return [`no metric ${metric}`];
		return labels
			.filter((label) => !has.has(label) && !targetLabels.includes(label))
			.map((label) => `${metric} has no label ${label}`);
	});
	const labels = new Set([...targetLabels, ...series.flatMap(({ metric }) => [...(known.get(metric) ?? [])])]);
	return [...missing, ...groupedBy.filter((label) => !labels.has(label)).map((label) => `nothing to group by ${label}`)];
}

/** The names of all series in a text for Prometheus, with their labels. */
function labelsByMetric(text: string): Map<string, Set<string>> {
	const found = new Map<string, Set<string>>([ownSeries]);
	for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
		const of = found.get(name) ?? new Set();
		for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) of.add(label);
		found.set(name, of);
	}
	return found;
}
