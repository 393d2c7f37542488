import type { Express } from 'express';
import { pino } from 'pino';
import { openAccess } from '../../access/index.ts';
import { openInventory, type PackageLimits } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import { createHttpApp } from '../../service/http/app.ts';
import type { HttpOptions, HttpServices, Readiness } from '../../service/http/http-options.ts';
import { createMetrics } from '../../service/metrics.ts';
import { openSqliteStore } from '../../store/sqlite/index.ts';

export const tenant = 't1';
export const otherTenant = 't2';

/** Credentials as `user:password`, by who has them. */
export const credentials = {
	admin: `${tenant}/admin:admin-password`,
	otherAdmin: `${otherTenant}/admin:other-password`,
	device: `${tenant}/device_dev1:dev1-password`,
	foreignDevice: `${tenant}/device_dev2:dev2-password`,
	bootstrap: 'management/devicebootstrap:bootstrap-password',
	wrongPassword: `${tenant}/admin:wrong`,
} as const;
export type Caller = keyof typeof credentials;

export const packageLimits: PackageLimits = {
	maxPackages: 60_000,
	nameMaxLength: 255,
	versionMaxLength: 255,
	typeMaxLength: 255,
	urlMaxLength: 4096,
};

const defaults: HttpOptions = {
	bodyMaxBytes: 16 * 1024 * 1024,
	jsonMaxDepth: 64,
	pageSizeMax: 2000,
	pageSizeDefault: 5,
	packageLimits,
	maxFragments: 200,
	defaultTenant: tenant,
	showAdvancedListInInventory: false,
};

export interface HttpFixture {
	readonly app: Express;
	readonly services: HttpServices;
	/** What the service was told about removed devices. */
	readonly removed: { readonly tenant: string; readonly ids: readonly string[] }[];
	/** All log lines, as JSON texts. */
	readonly logLines: string[];
	/** Milliseconds since 1970; a test moves it. */
	time: number;
	readiness: Readiness;
	/** Closes the store; every later call of it fails. */
	readonly close: () => Promise<void>;
}

/** The whole HTTP side on a store in memory, with the users of `credentials`; nothing listens. */
export async function openHttpFixture(options: Partial<HttpOptions> = {}): Promise<HttpFixture> {
	const settings = { ...defaults, ...options };
	const clock = () => fixture.time;
	const store = await openSqliteStore({ directory: ':memory:', now: clock });
	const inventory = await openInventory({
		store,
		clock,
		limits: {
			packages: settings.packageLimits,
			maxFragments: settings.maxFragments,
			objectMaxBytes: 1024 * 1024,
			maxChildReferences: 1000,
		},
	});
	const operations = await openOperations({
		store,
		inventory,
		clock,
		limits: { operationMaxBytes: 1024 * 1024, maxItems: 1000 },
		fault: ({ fragments }) => (JSON.stringify(fragments).length > 100_000 ? 'It does not fit one message' : undefined),
	});
	const access = await openAccess({
		store,
		clock,
		limits: { cacheEntries: 100, cacheTtlMilliseconds: 3_600_000, failuresPerMinute: 20 },
		tokenLifetimeSeconds: 3600,
	});
	const logLines: string[] = [];
	const services: HttpServices = {
		inventory,
		operations,
		access,
		metrics: createMetrics(),
		log: pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) }),
		clock,
		options: settings,
		readiness: async () => fixture.readiness,
		sampleMetrics: async () => {},
		version: '0.0.0-test',
		onDevicesRemoved: (ofTenant, ids) => void fixture.removed.push({ tenant: ofTenant, ids }),
	};
	const fixture: HttpFixture = {
		app: createHttpApp(services),
		services,
		removed: [],
		logLines,
		time: Date.parse('2026-11-21T20:23:30.412Z'),
		readiness: { store: { ready: true }, broker: { ready: true } },
		close: () => store.close(),
	};
	await createUsers(services);
	return fixture;
}

async function createUsers({ access }: HttpServices): Promise<void> {
	await access.prepare({ tenant, adminUserName: 'admin', adminPassword: 'admin-password', bootstrapPassword: 'bootstrap-password' });
	await access.prepare({ tenant: otherTenant, adminUserName: 'admin', adminPassword: 'other-password' });
	await access.users.set(tenant, 'device_dev1', 'dev1-password', 'device');
	await access.users.set(tenant, 'device_dev2', 'dev2-password', 'device');
}
