import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Response } from 'supertest';
import { openAccess } from '../../access/index.ts';
import { type BinaryLimits, openBinaries, openInventory, type PackageLimits } from '../../inventory/index.ts';
import { openOperations } from '../../operations/index.ts';
import {
	createHttpApp,
	type HttpOptions,
	type HttpServices,
	httpRoutes,
	type Readiness,
	type Route,
} from '../../service/http/index.ts';
import { createMetrics } from '../../service/metrics.ts';
import { createSerialCheck } from '../../service/serial-check.ts';
import { openFileContents } from '../../store/files/index.ts';
import type { ContentStore } from '../../store/index.ts';
import { type CallOptions, createCheckedHttpClient, type HttpMethod } from './checked-http-client.ts';
import { openTestStore } from './test-store.ts';

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
	answerTimeoutMilliseconds: 60_000,
	pageSizeMax: 2000,
	pageSizeDefault: 5,
	childReferencesMax: 1000,
	scansAtOnce: 2,
	scansWaitingPerUser: 20,
	packageLimits,
	maxFragments: 200,
	defaultTenant: tenant,
	showAdvancedListInInventory: false,
	requestTimeoutMilliseconds: 10_000,
	uploadTimeoutMilliseconds: 10_000,
	standstillMilliseconds: 5000,
	binaryRedirect: 'nobody',
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
};

const binaryLimits: BinaryLimits = { maxBytes: 10_000_000, tenantMaxBytes: 0, leftoverAfterMilliseconds: 86_400_000 };

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
	{ binaries: limits, contents: given }: { readonly binaries?: Partial<BinaryLimits>; readonly contents?: ContentStore } = {},
): Promise<HttpFixture> {
	const settings = { ...defaults, ...options };
	const clock = () => fixture.time;
	const store = await openTestStore(clock);
	const inventory = await openInventory({
		store,
		clock,
		limits: {
			packages: settings.packageLimits,
			maxFragments: settings.maxFragments,
			objectMaxBytes: 1024 * 1024,
			maxChildReferences: 1000,
			maxAncestors: 20,
			search: { maxLength: 8000, maxDepth: 12, maxTerms: 100, maxWildcards: 8, maxWildcardText: 100, maxScanned: 100_000 },
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
	const access = await openAccess({
		store,
		clock,
		elapsed: clock,
		limits: { cacheEntries: 100, cacheTtlMilliseconds: 3_600_000, failuresPerMinute: 20 },
		tokenLifetimeSeconds: 3600,
	});
	const logLines: string[] = [];
	const services: HttpServices = {
		inventory,
		binaries,
		operations,
		access,
		isSerialOfOther: createSerialCheck({ access }),
		metrics: createMetrics(),
		log: pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) }),
		clock,
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
		contents,
		removed: [],
		logLines,
		time: Date.parse('2026-11-21T20:23:30.412Z'),
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
	});
	await access.prepare({ tenant: otherTenant, adminUserName: 'admin', adminPassword: 'other-password' });
	await access.users.set(tenant, 'device_dev1', 'dev1-password', 'device');
	await access.users.set(tenant, 'device_dev2', 'dev2-password', 'device');
}

/** Expects a refusal with this status whose message says what is wrong. */
export function expectRefusal(answer: Pick<Response, 'status' | 'body'>, status: number, message: RegExp): void {
	expect({ status: answer.status, message: answer.body.message }).to.deep.equal({ status, message: answer.body.message });
	expect(answer.body.message).to.match(message);
}
