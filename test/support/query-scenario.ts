import { openTrustedCertificates } from '../../access/certificates/trusted-certificates.ts';
import { openAccess } from '../../access/index.ts';
import { openLogouts } from '../../access/logouts.ts';
import { openEvents } from '../../events/index.ts';
import { contentSpec, openBinaryRecords, referenceSpec } from '../../inventory/binary-records.ts';
import { openBridgedDevices } from '../../inventory/index.ts';
import { templates } from '../../smartrest/index.ts';
import type { DocumentStore, StoredDocument } from '../../store/index.ts';
import { accessSettings } from './access-settings.ts';
import { createBinaryClient } from './binary-client.ts';
import { eventually } from './eventually.ts';
import { type Credentials, createHttpClient } from './http-client.ts';
import type { QueryRecorder } from './query-recorder.ts';
import { upstream } from './raw-client.ts';
import type { ServiceUnderTest } from './service-fixture.ts';

interface Described {
	readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly parameters?: readonly Parameter[] }>>>>;
}
interface Parameter {
	readonly name: string;
	readonly in: string;
}

type Samples = Readonly<Record<string, readonly string[] | undefined>>;

/** What changes how an answer looks, or its order, or which page it is: tried alone, on top of every set of filters. */
const views: Samples = {
	withTotalPages: ['true'],
	withTotalElements: ['true'],
	revert: ['true'],
	withParents: ['true'],
	currentPage: ['2'],
	pageSize: ['50'],
	withChildren: ['false'],
	withGroups: ['true'],
	skipChildrenNames: ['true'],
	afterRecord: ['1-1'],
	fromSeq: ['2'],
};
/** Parameters that are refused, go with a removal, or are in `searches`. */
const others = new Set(
	'query q text childDeviceId childAssetId childAdditionId onlyRoots withGroups bulkOperationId createdFrom createdTo cascade forceCascade withDeviceUser tenant_id tenantId provider originUri state afterRecord fromSeq'.split(
		' ',
	),
);

/** What clients ask the inventory for, with the id of a device. */
const searches = (id: string): readonly string[] => [
	`text=Name`,
	`childDeviceId=${id}`,
	`childAssetId=${id}`,
	`childAdditionId=${id}`,
	'onlyRoots=true',
	...[
		"$filter=(type eq 'c8y_Software' and name eq 'python3*') $orderby=name asc",
		"$filter=((((type eq 'c8y_Software') and ((name eq '*a*') or (description eq '*a*'))) and (name eq '*a*')) and (not(has(url)))) $orderby=name asc",
		`$filter=bygroupid(${id}) and not(has(c8y_Patch)) and type eq 'c8y_SoftwareBinary' and (c8y_Software.version eq '1*') $orderby=creationTime.date desc,creationTime desc`,
		`$filter=(c8y_Software.version eq '1') and bygroupid(${id}) $orderby=c8y_Software.version,creationTime`,
		"$filter=(_id gt '0') and (has(c8y_IsDevice)) $orderby=_id asc",
		`isinhierarchyof(${id}) and owner eq admin`,
		"c8y_Availability.status eq 'AVAILABLE' and creationTime.date gt '2020-01-01T00:00:00.000Z'",
		"c8y_Availability.status eq 'UNAVAILABLE'",
		"c8y_Software.version eq '1'",
		"c8y_Hardware.serialNumber eq 'SERIAL'",
		"name eq 'a*'",
		'$filter= $orderby=name',
		'$orderby=creationTime desc',
		"(type eq 'c8y_Service') and (status eq 'up')",
	].flatMap((query) => [`query=${encodeURIComponent(query)}`, `q=${encodeURIComponent(query)}`]),
];

/** Values that lines need to do something; others get any text. */
const lines: Readonly<Record<string, readonly string[]>> = {
	100: ['100,Name,type'],
	101: ['101,plan-1:child,Child,type', '101,plan-1:goes,Child,type'],
	102: ['102,plan-1:service,systemd,Service,up'],
	107: ['107,plan-1:goes'],
	114: ['114,c8y_Command,c8y_Restart,c8y_SoftwareUpdate,c8y_SoftwareList'],
	116: ['116,a,1,http://a,b,2,'],
	117: ['117,30'],
	140: ['140,a,1,apt,http://a,b,2,deb,', '140,a,1,apt,http://a'],
	141: ['141,c,1,apt,'],
	142: ['142,c,1'],
	501: ['501,c8y_Command', '501,c8y_Restart'],
	502: ['502,c8y_Command,reason'],
	503: ['503,c8y_Restart'],
	504: ['504,1'],
	505: ['505,1,reason'],
	506: ['506,1'],
	507: ['507,c8y_Restart,reason', '507,,reason'],
};

/**
 * Makes the service ask its store whatever it can ask: every route of the description with every set of its filters, every
 * template, an operation's whole life, a publish that is sent again, a device and a process that go.
 * @throws Error when a parameter has no value here: then it has to get one
 */
export async function drive(service: ServiceUnderTest, store: QueryRecorder): Promise<void> {
	const { http, idOf, createOperation } = service.operator;
	const credentials = await service.register('plan-1');
	await http.post('/devicecontrol/newDeviceRequests', { id: 'plan-2' });
	const device = await service.connect('plan-1', credentials);
	await device.send(linesOf('100', '101', '102', '114', '140'));
	for (const fragment of ['c8y_Command', 'c8y_Restart', 'c8y_Restart', 'c8y_Command'])
		await createOperation('plan-1', { [fragment]: fragment === 'c8y_Command' ? { text: 'x' } : {} });
	const ups = templates.filter(({ direction }) => direction === 'up').map(({ id }) => id);
	for (const id of ups) for (const line of linesOf(id)) await device.send(line);
	await device.close();
	const again = await service.openRaw('plan-1');
	for (const [messageId, line] of [
		[1, '501,c8y_Restart'],
		[2, '503,c8y_Restart'],
		[3, '507,c8y_Restart,r'],
	] as const) {
		again.send({ ...upstream(messageId, line), dup: true });
		await again.next('puback');
	}
	again.close();
	const gone = await leaveProcess(store);
	const id = await idOf('plan-1');
	await http.post(`/service/advanced-software-mgmt/software?deviceId=${id}`, [
		{ name: 'a', version: '1' },
		{ name: 'b', version: '' },
	]);
	await createOperation('plan-1', { c8y_Restart: {} });

	const asDevice = createHttpClient(service.urls.http, credentials);
	const description = await http.get<Described>('/service/advanced-software-mgmt/openapi.json');
	const samples: Samples = {
		deviceId: [id],
		agentId: [id],
		ids: [`${id},${await idOf('plan-1:child')}`],
		status: ['PENDING'],
		fragmentType: ['c8y_Restart'],
		dateFrom: ['2020-01-01'],
		dateTo: ['2040-01-01'],
		type: ['type', 'ty*', '*pe'],
		name: ['a', 'a*', '*a'],
		version: ['1', '*1'],
		owner: ['admin'],
		user: ['admin'],
		source: [id],
		application: ['a'],
		software: ['a', 'a;type=x', '!a'],
		after: ['1'],
		certificateAuthority: ['true'],
		username: ['a'],
		groups: ['1'],
		onlyDevices: ['true'],
	};
	for (const method of ['get', 'delete']) {
		for (const [path, methods] of Object.entries(description.paths)) {
			const { parameters = [] } = methods[method] ?? {};
			if (methods[method] === undefined || (method === 'delete' && path.includes('{'))) continue;
			const names = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
			const unknown = names.filter((name) => !samples[name] && !views[name] && !others.has(name));
			if (unknown.length > 0) throw new Error(`${method} ${path}: give the scenario a value for ${unknown.join(', ')}`);
			const at = path
				.replace(/\{(id|deviceId)\}/, path.includes('operations/') ? '1' : id)
				.replace(/\{tenant(Id)?\}/, service.tenant)
				.replace('{fingerprint}', '0'.repeat(40))
				.replace(/\{type\}\/\{externalId\}/, 'c8y_Serial/plan-1');
			const shown = names.filter((name) => views[name]).map((name) => `${name}=${views[name]?.[0]}`);
			for (const filters of subsets(
				names.filter((name) => samples[name]),
				samples,
			)) {
				for (const view of ['', ...shown]) {
					const query = [...filters, view].filter(Boolean).join('&');
					for (const client of [http, asDevice]) await client.call(method, query ? `${at}?${query}` : at).catch(textAnswer);
				}
			}
		}
	}
	for (const search of searches(id))
		for (const view of ['', '&withTotalPages=true'])
			for (const path of [`managedObjects`, `managedObjects/count`, `managedObjects/${id}/childAdditions`])
				await http.call('get', `/inventory/${path}?${search}${view}`);
	await driveBinaries(service, store, credentials);
	await http.post('/event/events', { source: { id }, type: 'type', time: '2026-11-22', text: 'text' });
	// What a process asks for every hour.
	await (await openEvents({ store, binaries: noBinaries, clock: Date.now, numbersAtATime: 1, limits: eventLimits })).removeOld();
	for (const query of ['status=REVOKED', 'status=VALID&deviceId=a', 'deviceId=a'])
		await http.get(`/certificate-authority/certificates?${query}&withTotalPages=true`);
	const { id: group } = await http.post<{ readonly id: number }>(`/user/${service.tenant}/groups`, { name: 'plan' });
	for (const path of ['groups?pageSize=50', `groups/${group}/users`, 'groupByName/plan', 'users?groups=1'])
		await http.call('get', `/user/${service.tenant}/${path}`);
	const limits = { maxPerTenant: 10, codeSeconds: 60 };
	await (await openTrustedCertificates({ store, clock: Date.now, limits })).findBySubject(['a', 'b']);
	const access = await openAccess({ store, clock: Date.now, elapsed: () => performance.now(), ...accessSettings });
	await access.registration.sweep();
	// What a process asks for every 10 s.
	await (await openLogouts({ store, clock: Date.now })).sweep();
	await (await openBridgedDevices({ store })).listOf(0, '', 10);
	await createOperation('plan-1', { c8y_Restart: {} });
	await http.call('GET', '/metrics').catch(textAnswer);
	await eventually('the other process is forgotten', gone, (isGone) => isGone, 20_000);
	await http.delete(`/inventory/managedObjects/${id}?forceCascade=true&withDeviceUser=true`);
}

const eventLimits = { eventMaxBytes: 1000, maxFragments: 10, maxPerDevice: 10, retentionMilliseconds: 1000 };
const noBinaries = { attach: () => Promise.reject(new Error('no file comes here')) };

/** A file comes, is named, is downloaded, is replaced by another one and goes; its bytes go after it. */
async function driveBinaries(service: ServiceUnderTest, store: QueryRecorder, device: Credentials): Promise<void> {
	const operator = createBinaryClient(service.urls.http, service.admin);
	const { id, self } = await operator.upload('bytes');
	await operator.download(id);
	await service.operator.http.post('/inventory/managedObjects', { type: 'c8y_SoftwareBinary', c8y_Software: { url: self } });
	await createBinaryClient(service.urls.http, device).download(id);
	await service.operator.createOperation('plan-1', { c8y_Command: { text: self } });
	await createBinaryClient(service.urls.http, device).download(id);
	await operator.replace(id, Buffer.from('others'));
	await operator.remove(id);
	const [references, contents] = [await store.collection(referenceSpec), await store.collection(contentSpec)];
	// Asked at a start only, of bytes that are old.
	await openBinaryRecords({ store, references, contents }).isRecorded('key');
	const isSwept = () => [...store.recorded.keys()].some((shape) => shape.startsWith('binaries count { sha256'));
	await eventually('the bytes are looked for', async () => isSwept(), Boolean, 20_000);
}

/** What a process leaves that was killed; resolves to whether somebody has cleaned up after it. */
async function leaveProcess(store: DocumentStore): Promise<() => Promise<boolean>> {
	const processes = await store.collection<StoredDocument>({ name: 'processes', indexes: [], ofProcesses: true });
	const put = (collection: string, document: StoredDocument & Readonly<Record<string, unknown>>) =>
		({ kind: 'put', collection, document }) as const;
	await store.batch([
		put('processes', { _id: 'gone', startedAt: 0, host: 'h', version: '0', beats: 1 }),
		put('connections', { _id: 't1/left', process: 'gone', session: 's', waitsFor: {}, waits: 0 }),
	]);
	return async () => (await processes.get('gone')) === undefined;
}

// Some answers are no JSON.
function textAnswer(error: unknown): void {
	if (!(error instanceof SyntaxError)) throw error;
}

function linesOf(...ids: string[]): string[] {
	return ids.flatMap((id) => {
		const fields = templates.find((template) => template.id === id)?.fields ?? [];
		return lines[id] ?? [[id, ...fields.map(() => '1')].join(',')];
	});
}

/** Every set of parameters, with every value of each. */
function subsets(names: readonly string[], samples: Samples): string[][] {
	const sets: string[][] = [[]];
	for (const name of names) {
		const values = (samples[name] ?? []).map((value) => `${name}=${encodeURIComponent(value)}`);
		sets.push(...sets.flatMap((set) => values.map((value) => [...set, value])));
	}
	return sets;
}
