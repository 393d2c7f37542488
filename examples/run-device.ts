/**
 * Runs a device that reports the packages of this machine, until it is stopped.
 *
 *   DEVICE_PASSWORD=… npx tsx examples/run-device.ts [serial]
 *
 * DEVICE_USER (t1/admin) and DEVICE_PASSWORD: as whom it connects; MQTT_URL (mqtt://localhost:1883): to where.
 * INSTALL_MILLISECONDS (2000) and FAILURE_RATE (0.1): how long a package takes, and how often one cannot be installed.
 */
import { hostname } from 'node:os';
import { startDevice } from './device.ts';
import { readPackages } from './package-list.ts';

async function main(): Promise<void> {
	const { MQTT_URL: url = 'mqtt://localhost:1883', DEVICE_USER: user = 't1/admin', DEVICE_PASSWORD: password } = process.env;
	const { INSTALL_MILLISECONDS: milliseconds = 2000, FAILURE_RATE: rate = 0.1 } = process.env;
	const [serial = hostname()] = process.argv.slice(2);
	if (!password) throw new Error('DEVICE_PASSWORD is not set; the service shows a password when it starts for the first time');
	const packages = readPackages();
	const device = await startDevice({
		url,
		serial,
		user,
		password,
		packages,
		softwareTypes: [...new Set(packages.map(({ type }) => type))],
		supportedOperations: ['c8y_SoftwareUpdate'],
		installMilliseconds: Number(milliseconds),
		failureRate: Number(rate),
		onProgress: (line) => process.stdout.write(`${line}\n`),
	});
	process.stdout.write(`${serial} has reported ${packages.length} packages and waits for operations; Ctrl-C stops it\n`);
	process.once('SIGINT', () => void device.stop());
}

await main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof Error ? error.message || String(error) : String(error)}\n`);
	process.exitCode = 1;
});
