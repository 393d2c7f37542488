import { expect } from 'chai';
import { createAuthority } from '../certificate-chain.ts';
import { bootstrap, management, type ServiceUnderTest, startService } from '../service-fixture.ts';
import { openTestStore } from '../test-store.ts';
import type { Caller, Ids } from './places.ts';
import { createRawHttp, type RawHttp } from './raw-http.ts';
import { type RecordedStore, recordWrites } from './recorded-store.ts';

export interface InjectionFixture {
	readonly service: ServiceUnderTest;
	readonly recorded: RecordedStore;
	readonly http: RawHttp;
	readonly ids: Ids;
	/** `user:password` */
	readonly users: Readonly<Record<Caller, string>>;
	readonly logLines: readonly string[];
	close(): Promise<void>;
}

/** The composed service on a store that remembers what is written, with one of each thing that places need. */
export async function openInjectionFixture(settings: Readonly<Record<string, string>> = {}): Promise<InjectionFixture> {
	const store = await openTestStore(Date.now);
	const recorded = recordWrites(store);
	const logLines: string[] = [];
	const cheapHashes = { AUTH_HASH_MEMORY_KIB: '7168', AUTH_HASH_PASSES: '1' };
	// It asks as fast as it can; what is then refused is in http/request-limits.
	const noLimits = { HTTP_REQUESTS_PER_SECOND_PER_ADDRESS: '0', HTTP_REQUESTS_PER_SECOND_PER_USER: '0' };
	const service = await startService(
		{ LOG_LEVEL: 'debug', ...cheapHashes, ...noLimits, ...settings },
		{ store: recorded.store, logLines },
	);
	const http = createRawHttp(service.urls.http);
	const { post, put } = service.operator.http;
	const create = async (body: object) => (await post<{ readonly id: string }>('/inventory/managedObjects', body)).id;
	const device = await create({
		name: 'device',
		c8y_IsDevice: {},
		com_cumulocity_model_Agent: {},
		c8y_SupportedOperations: ['x_Fragment', 'c8y_SoftwareUpdate', 'c8y_SoftwareList'],
	});
	const group = await create({ name: 'group', c8y_IsDeviceGroup: {} });
	const child = await create({ name: 'child' });
	await post(`/identity/globalIds/${device}/externalIds`, { type: 'c8y_Serial', externalId: 'serial-1' });
	const operation = await service.operator.createOperation('serial-1', { x_Fragment: { a: 'b' } });
	const about = { source: { id: device }, type: 'a', time: '2026-11-22', text: 'a' };
	const event = await post<{ readonly id: string }>('/event/events', about);
	await post('/user/t1/users', { userName: 'victim', password: 'long-enough-for-us' });
	const role = await post<{ readonly id: number }>('/user/t1/groups', { name: 'role' });
	await put('/tenant/options/kept', { kept: 'kept' });
	await post('/devicecontrol/newDeviceRequests', { id: 'waiting' });
	const { pem } = await createAuthority('trusted');
	const { fingerprint } = await post<{ readonly fingerprint: string }>('/tenant/tenants/t1/trusted-certificates', {
		certInPemFormat: pem,
		status: 'ENABLED',
	});
	const users = { admin: nameOf(service.admin), management: nameOf(management), bootstrap: nameOf(bootstrap) };
	const other = { id: 'other', domain: 'other.example', company: 'other', adminName: 'admin', adminPass: 'long-enough-for-us' };
	const made = await http.call({
		method: 'POST',
		path: '/tenant/tenants',
		user: users.management,
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify(other),
	});
	expect(made.status, made.text).to.equal(201);
	recorded.takeWrites();
	const ids: Ids = { device, group, child, operation: operation.id, event: event.id, role: String(role.id), fingerprint, pem };
	return {
		service,
		recorded,
		http,
		ids,
		users,
		logLines,
		close: async () => {
			http.close();
			await service.close();
			await store.close();
		},
	};
}

function nameOf({ user, password }: { readonly user: string; readonly password: string }): string {
	return `${user}:${password}`;
}

/** Each line of the log is one JSON object, whatever came from outside, and objects have what they always had. */
export function expectUnharmed({ logLines }: Pick<InjectionFixture, 'logLines'>): void {
	const faults = logLines.filter((line) => {
		if (!line.endsWith('\n') || /[\n\r\0]/.test(line.slice(0, -1))) return true;
		const entry: unknown = JSON.parse(line);
		return typeof entry !== 'object' || entry === null || 'polluted' in entry;
	});
	expect(faults).to.deep.equal([]);
	expect({}).not.to.have.property('polluted');
}
