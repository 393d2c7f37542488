import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Response } from 'supertest';
import { type AccessOptions, openAccess, type TenantLimits } from '../../access/index.ts';
import { type AuditTrail, openAuditTrail } from '../../audit/index.ts';
import { type EventLimits, openEvents } from '../../events/index.ts';
import { type BinaryLimits, openBinaries, openInventory, type PackageLimits } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import { logRecord } from '../../service/audit-parts.ts';
import { auditTable } from '../../service/audit-table.ts';
import { createFirstPlaces } from '../../service/first-place.ts';
import {
	createHttpApp,
	type HttpOptions,
	type HttpServices,
	httpRoutes,
	type Readiness,
	type Route,
} from '../../service/http/index.ts';
import { createMetrics } from '../../service/metrics.ts';
import type { RefusedLogin } from '../../service/refused-logins.ts';
import { createSerialCheck } from '../../service/serial-check.ts';
import { openFileContents } from '../../store/files/index.ts';
import type { ContentStore } from '../../store/index.ts';
import { accessSettings } from './access-settings.ts';
import { type CallOptions, createCheckedHttpClient, type HttpMethod } from './checked-http-client.ts';
import { openTestStore } from './test-store.ts';

export const tenant = 't1';
export const otherTenant = 't2';

export const noLimits: TenantLimits = { devices: 0, packages: 0, storageBytes: 0, requestsPerSecond: 0 };

/** Credentials as `user:password`, by who has them. */
export const credentials = {
	admin: `${tenant}/admin:admin-password`,
	otherAdmin: `${otherTenant}/admin:other-password`,
	device: `${tenant}/device_dev1:dev1-password`,
	foreignDevice: `${tenant}/device_dev2:dev2-password`,
	operator: `${tenant}/operator:operator-password`,
	reader: `${tenant}/reader:reader-password`,
	/** May do everything with one group of devices, and nothing else. */
	manager: `${tenant}/manager:manager-password`,
	/** The same with a group that has no devices. */
	foreignManager: `${tenant}/foreign:foreign-password`,
	/** These three are made by `openRouteObjects`: a user without roles, a device below the device, one of another tenant. */
	nobody: `${tenant}/nobody:nobody-password`,
	childDevice: `${tenant}/device_dev1child:child-password`,
	otherDevice: `${otherTenant}/device_dev1:other-dev1-password`,
	management: 'management/admin:management-password',
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
	formMaxBytes: 64 * 1024,
	urlMaxCharacters: 16_000,
	headersMaxCount: 100,
	// Its clock stands still: all of a test is in one second.
	requestsPerSecond: { address: 0, user: 0, device: 0 },
	corsOrigins: [],
	hstsSeconds: 0,
	answerTimeoutMilliseconds: 60_000,
	pageSizeMax: 2000,
	pageSizeDefault: 5,
	childReferencesMax: 1000,
	scansAtOnce: 2,
	scansWaitingPerUser: 20,
	packageLimits,
	maxFragments: 200,
	showAdvancedListInInventory: false,
	requestTimeoutMilliseconds: 10_000,
	uploadTimeoutMilliseconds: 10_000,
	standstillMilliseconds: 5000,
	readTimeoutMilliseconds: 5000,
	binaryRedirect: 'nobody',
	bulkRegistrationMaxLines: 20,
	certificateListMaxBytes: 100_000,
	objectMaxBytes: 1024 * 1024,
	softwareSearch: {
		maxLength: 1000,
		maxTerms: 20,
		orderOfType: new Map([
			['apt', 'debian'],
			['rpm', 'rpm'],
			['npm', 'semver'],
		]),
	},
	trustedProxies: ['loopback'],
	sessionSeconds: accessSettings.tokens.sessionSeconds,
	identityProviders: [],
	answerSeconds: 5,
	loginSeconds: 600,
};

const eventLimits: EventLimits = {
	eventMaxBytes: 1024 * 1024,
	maxFragments: 200,
	maxPerDevice: 1000,
	retentionMilliseconds: 86_400_000,
};
const binaryLimits: BinaryLimits = { maxBytes: 10_000_000, tenantMaxBytes: async () => 0, leftoverAfterMilliseconds: 86_400_000 };

export interface HttpFixture {
	readonly url: string;
	/** The API description, as it is served. */
	readonly description: unknown;
	readonly routes: readonly Route[];
	/** Calls as somebody; the answer has been checked against the API description. */
	readonly call: (caller: Caller | undefined, method: HttpMethod, path: string, options?: CallOptions) => Promise<Response>;
	/** Creates a device with these fragments; its id. */
	readonly createDevice: (fragments: object) => Promise<string>;
	readonly services: HttpServices;
	readonly audit: AuditTrail;
	/** What the service was told about refused logins. */
	readonly refused: readonly RefusedLogin[];
	/** Where the bytes of binaries are. */
	readonly contents: ContentStore;
	/** What the service was told about removed devices. */
	readonly removed: { readonly tenant: string; readonly ids: readonly string[] }[];
	/** All log lines, as JSON texts. */
	readonly logLines: string[];
	/** Milliseconds since 1970; a test moves it. */
	time: number;
	readiness: Readiness;
	/** Every later call of the store fails. */
	readonly closeStore: () => Promise<void>;
	readonly close: () => Promise<void>;
}

/** The whole HTTP side on a store in memory, with the users of `credentials`, on a free port of the loopback. */
export async function openHttpFixture(
	options: Partial<HttpOptions> = {},
	{
		binaries: limits,
		events: ofEvents,
		contents: given,
		access: otherAccess,
	}: {
		readonly binaries?: Partial<BinaryLimits>;
		readonly events?: Partial<EventLimits>;
		readonly contents?: ContentStore;
		readonly access?: Partial<AccessOptions>;
	} = {},
): Promise<HttpFixture> {
	const settings = { ...defaults, ...options };
	let time = Date.parse('2026-11-21T20:23:30.412Z');
	const clock = () => time;
	const logLines: string[] = [];
	const log = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) });
	const opened = await openTestStore(clock);
	const audit = await openAuditTrail({
		store: opened,
		table: auditTable,
		clock,
		elapsed: () => performance.now(),
		limits: { valueMaxCharacters: 2000, changesMax: 100, deviceReports: true, retentionDays: 30 },
		application: 'advanced-software-mgmt',
		onStored: (record) => logRecord(log, record),
	});
	const { store } = audit;
	const refused: RefusedLogin[] = [];
	const access = await openAccess({
		store,
		clock,
		elapsed: clock,
		...accessSettings,
		...otherAccess,
	});
	const inventory = await openInventory({
		store,
		clock,
		limits: {
			packages: settings.packageLimits,
			maxFragments: settings.maxFragments,
			objectMaxBytes: 1024 * 1024,
			maxChildReferences: 1000,
			maxAncestors: 20,
			maxExternalIds: 10,
			search: { maxLength: 8000, maxDepth: 12, maxTerms: 100, maxWildcards: 8, maxWildcardText: 100, maxScanned: 100_000 },
			ofTenant: access.tenants.limitsOf,
		},
	});
	const contents = given ?? (await openFileContents({ minFreeBytes: 0, isExclusive: true }));
	const binaries = openBinaries({ inventory, contents, clock, limits: { ...binaryLimits, ...limits } });
	const operations = await openOperations({
		store,
		inventory,
		clock,
		numbersAtATime: 100,
		limits: { operationMaxBytes: 1024 * 1024, maxItems: 1000 },
		fault: ({ fragments }) => (JSON.stringify(fragments).length > 100_000 ? 'It does not fit one message' : undefined),
	});
	const events = await openEvents({ store, binaries, clock, numbersAtATime: 100, limits: { ...eventLimits, ...ofEvents } });
	const services: HttpServices = {
		inventory,
		binaries,
		operations,
		events,
		access,
		audit,
		noteRefusedLogin: (login) => void refused.push(login),
		serialFault: createSerialCheck({ access }),
		firstPlaces: createFirstPlaces({ access, inventory, log }),
		metrics: createMetrics(),
		log,
		clock,
		elapsed: clock,
		options: settings,
		readiness: async () => fixture.readiness,
		sampleMetrics: async () => {},
		version: '0.0.0-test',
		onDevicesRemoved: (ofTenant, ids) => void fixture.removed.push({ tenant: ofTenant, ids }),
	};
	const server = createServer(createHttpApp(services)).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const description: unknown = await (await fetch(`${url}/service/advanced-software-mgmt/openapi.json`)).json();
	const client = createCheckedHttpClient({ url, description });
	const fixture: HttpFixture = {
		url,
		description,
		routes: httpRoutes(services),
		call: (caller, method, path, callOptions) => client(caller && credentials[caller], method, path, callOptions),
		async createDevice(fragments) {
			const answer = await fixture.call('admin', 'post', '/inventory/managedObjects', {
				body: { c8y_IsDevice: {}, ...fragments },
			});
			return answer.body.id;
		},
		services,
		audit,
		refused,
		contents,
		removed: [],
		logLines,
		get time() {
			return time;
		},
		set time(now) {
			time = now;
		},
		readiness: { store: { ready: true }, broker: { ready: true } },
		closeStore: () => store.close(),
		close: async () => {
			server.closeAllConnections();
			server.close();
			binaries.close();
			await contents.close();
			await store.close();
		},
	};
	await createUsers(services);
	return fixture;
}

async function createUsers({ access }: HttpServices): Promise<void> {
	await access.prepare({
		tenant,
		adminUserName: 'admin',
		adminPassword: 'admin-password',
		bootstrapPassword: 'bootstrap-password',
		managementUserName: 'admin',
		managementPassword: 'management-password',
	});
	await access.prepare({ tenant: otherTenant, adminUserName: 'admin', adminPassword: 'other-password' });
	await access.users.set(tenant, 'device_dev1', 'dev1-password', 'device');
	await access.users.set(tenant, 'device_dev2', 'dev2-password', 'device');
	await access.users.set(tenant, 'operator', 'operator-password', 'operator');
	await access.users.set(tenant, 'reader', 'reader-password', 'reader');
	await access.users.set(tenant, 'manager', 'manager-password', 'user');
	await access.users.set(tenant, 'foreign', 'foreign-password', 'user');
}

/** Expects a refusal with this status whose message says what is wrong. */
export function expectRefusal(answer: Pick<Response, 'status' | 'body'>, status: number, message: RegExp): void {
	expect({ status: answer.status, message: answer.body.message }).to.deep.equal({ status, message: answer.body.message });
	expect(answer.body.message).to.match(message);
}
