import type { Config } from '../config/index.ts';
import type { Service } from './compose.ts';

const base = '/service/advanced-software-mgmt';

/** What a person needs to know after a start: where everything is, and, once, the generated passwords. */
export function readyText({ listeners, credentials, place }: Service, config: Config): string {
	const given = config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host;
	const host = ['0.0.0.0', '[::]'].includes(given) ? 'localhost' : given;
	const port = new Map(listeners.map(({ name, port: number }) => [name, number]));
	const lines = [
		['HTTP', port.has('http') && `http://${host}:${port.get('http')}`],
		['HTTPS', port.has('https') && `https://${host}:${port.get('https')}`],
		['HTTPS for devices', port.has('httpsDevices') && `https://${host}:${port.get('httpsDevices')}`],
		['MQTT', port.has('mqtt') && `mqtt://${host}:${port.get('mqtt')}`],
		['MQTT over TLS', port.has('mqtts') && `mqtts://${host}:${port.get('mqtts')}`],
		['MQTT over WebSocket', port.has('http') && `ws://${host}:${port.get('http')}/mqtt`],
		['… over TLS', port.has('https') && `wss://${host}:${port.get('https')}/mqtt`],
		['API description', port.has('http') && `http://${host}:${port.get('http')}${base}/docs`],
		['Data', place],
		['Tenant', config.tenant.id],
	];
	const shown = lines.filter(([, value]) => value).map(([name, value]) => `  ${String(name).padEnd(20)} ${value}`);
	const passwords = credentials.map(({ user, password }) => `  ${user.padEnd(30)} ${password}`);
	const once = ['', 'Generated passwords, shown this once (only their hashes are kept):', ...passwords];
	return ['', ...shown, ...(passwords.length > 0 ? once : []), '', ''].join('\n');
}
