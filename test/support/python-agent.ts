import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from './programs.ts';
import { bootstrap } from './service-fixture.ts';

type Section = Readonly<Record<string, string>>;

/** The collection that the agent speaks by beside the static templates, and brings with it. */
export const agentCollection = 'c8y-dm-agent-v1.0';

/** What it says and is told by that collection; its own has more for Docker. */
const templates = {
	name: 'DM Agent',
	type: 'c8y_SmartRest2Template',
	com_cumulocity_model_smartrest_csv_CsvSmartRestTemplate: {
		requestTemplates: [
			{
				msgId: 'dm100',
				name: 'Network',
				method: 'PUT',
				api: 'INVENTORY',
				response: false,
				byId: false,
				externalIdType: 'c8y_Serial',
				mandatoryValues: [],
				customValues: [
					...['ip', 'netmask', 'name'].map((name) => ({ path: `c8y_Network.c8y_LAN.${name}`, type: 'STRING', value: '' })),
					{ path: 'c8y_Network.c8y_LAN.enabled', type: 'INTEGER', value: null },
					{ path: 'c8y_Network.c8y_LAN.mac', type: 'STRING', value: '' },
				],
			},
		],
		responseTemplates: [{ msgId: 'dm502', name: 'Message', condition: 'c8y_Message', base: '', pattern: ['c8y_Message.text'] }],
	},
	__externalId: agentCollection,
};

/**
 * The folder of a Cumulocity Python agent that has no credentials yet, and how the agent is started in it.
 * By a certificate alone it cannot connect: it asks by HTTP before it has its token, and starts anew when that fails.
 */
export function createPythonAgent(options: {
	readonly program: string;
	readonly serial: string;
	readonly mqttPort: string;
	readonly environment: Section;
}) {
	const home = mkdtempSync(join(tmpdir(), 'python-agent-'));
	const folder = join(home, '.cumulocity');
	const settingsFile = join(folder, 'agent.ini');
	mkdirSync(folder);
	writeFileSync(settingsFile, formatSettings(options.serial, options.mqttPort));
	writeFileSync(join(folder, 'DM_Agent.json'), JSON.stringify(templates));

	/** Starts it; the caller stops it. */
	function run(): Program {
		return startProgram(options.program, [], {
			...options.environment,
			HOME: home,
			// It would ask a server on the internet where it is.
			https_proxy: 'http://127.0.0.1:9',
			no_proxy: 'localhost',
		});
	}

	return {
		run,
		settings: () => readFileSync(settingsFile, 'utf8'),
		remove: () => rmSync(home, { recursive: true, force: true }),
	};
}

/** What the service has refused an agent, by MQTT and by HTTP, from what the agent has printed. */
export function refusalsIn(lines: readonly string[]): string[] {
	return lines.flatMap((line) => {
		const [, error] = / topic=s\/e msg=(.*)$/.exec(line) ?? [];
		const [, request, status] = /"([A-Z]+ \S+) HTTP\/1\.1" ([45]\d\d) /.exec(line) ?? [];
		if (error !== undefined) return [error];
		return request === undefined ? [] : [`${request} ${status}`];
	});
}

function formatSettings(serial: string, port: string): string {
	const [tenant = '', user = ''] = bootstrap.user.split('/');
	const sections: Readonly<Record<string, Section>> = {
		mqtt: {
			url: 'localhost',
			port,
			tls: 'false',
			cert_auth: 'false',
			client_cert: 'none',
			client_key: 'none',
			'ping.interval.seconds': '60',
		},
		agent: {
			name: 'dm',
			type: 'c8y_dm_example_type',
			'main.loop.interval.seconds': '10',
			requiredinterval: '10',
			loglevel: 'DEBUG',
			'device.id': serial,
			model: '',
		},
		secret: {
			'c8y.bootstrap.tenant': tenant,
			'c8y.bootstrap.user': user,
			'c8y.bootstrap.password': bootstrap.password,
		},
	};
	return Object.entries(sections)
		.map(
			([name, section]) =>
				`[${name}]\n${Object.entries(section)
					.map((pair) => `${pair.join(' = ')}\n`)
					.join('')}\n`,
		)
		.join('');
}
