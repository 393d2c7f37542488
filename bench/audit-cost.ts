import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actAs, openAuditTrail } from '../audit/index.ts';
import { openInventory, type SoftwareChange, type SoftwarePackage } from '../inventory/index.ts';
import { auditTable } from '../service/audit-table.ts';
import { openSqliteStore } from '../store/sqlite/index.ts';

const [devices, rounds] = [500, 20];
const tenant = 't1';
const limits = { maxPackages: 60_000, nameMaxLength: 255, versionMaxLength: 255, typeMaxLength: 255, urlMaxLength: 4096 };

const put = (item: SoftwarePackage): SoftwareChange => ({ action: 'put', item });

/** What one change costs, in microseconds of processor time of all threads: the change with its record, and sealing that. No packages are a changed fragment. */
async function measure(deviceReports: boolean, packages: number): Promise<{ readonly change: number; readonly seal: number }> {
	const directory = mkdtempSync(join(tmpdir(), 'audit-cost-'));
	const store = await openSqliteStore({ directory, now: Date.now });
	const trail = await openAuditTrail({
		store,
		table: auditTable,
		clock: Date.now,
		elapsed: () => performance.now(),
		limits: { valueMaxCharacters: 2000, changesMax: 100, deviceReports, retentionDays: 0 },
		application: 'bench',
		onStored: () => undefined,
	});
	const none = { devices: 0, packages: 0, storageBytes: 0, requestsPerSecond: 0 };
	const inventory = await openInventory({
		store: trail.store,
		clock: Date.now,
		limits: {
			packages: limits,
			maxFragments: 200,
			objectMaxBytes: 1024 * 1024,
			maxChildReferences: 1000,
			maxAncestors: 20,
			maxExternalIds: 100,
			search: { maxLength: 8000, maxDepth: 12, maxTerms: 100, maxWildcards: 8, maxWildcardText: 100, maxScanned: 100_000 },
			ofTenant: async () => none,
		},
	});
	const ids = [];
	for (let n = 0; n < devices; n++) {
		const device = await inventory.devices.ensure(tenant, `d${n}`, () => ({
			owner: `device_d${n}`,
			name: `d${n}`,
			type: 't',
			fragments: {},
		}));
		ids.push(device.id);
		await inventory.software.change(tenant, device.id, [put({ name: 'first', version: '1', softwareType: 'apt', url: '' })]);
	}
	await trail.seal([]);
	const started = process.cpuUsage();
	for (let round = 0; round < rounds; round++) {
		await Promise.all(
			ids.map((id, n) =>
				actAs<unknown>({ tenant, userName: `device_d${n}`, isDevice: true, channel: 'mqtt', device: `d${n}`, call: '141' }, () =>
					packages === 0
						? inventory.objects.update(tenant, id, { fragments: { c8y_Hardware: { model: `m${round}`, serialNumber: `d${n}` } } })
						: inventory.software.change(
								tenant,
								id,
								Array.from({ length: packages }, (_, k) =>
									put({ name: `p${round}-${k}`, version: '1', softwareType: 'apt', url: '' }),
								),
							),
				),
			),
		);
	}
	const changed = process.cpuUsage(started);
	const before = process.cpuUsage();
	await trail.seal([]);
	const sealed = process.cpuUsage(before);
	await store.close();
	rmSync(directory, { recursive: true });
	const each = ({ user, system }: NodeJS.CpuUsage) => Math.round((user + system) / (devices * rounds));
	return { change: each(changed), seal: each(sealed) };
}

await measure(true, 1);
for (const packages of process.argv[2] === 'one' ? [0, 1] : [0, 1, 100])
	for (const deviceReports of process.argv[2] === 'one' ? [true] : [false, true]) {
		const { change, seal } = await measure(deviceReports, packages);
		process.stdout.write(`${packages} packages, AUDIT_DEVICE_REPORTS=${deviceReports}: ${change} µs, sealing ${seal} µs\n`);
	}
