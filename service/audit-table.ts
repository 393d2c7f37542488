import { managementTenant } from '../access/index.ts';
import type { AuditedDocument, AuditRow } from '../audit/index.ts';

const none = (reason: string) => ({ kind: 'none', reason }) as const;
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
const field = (name: string) => (document: AuditedDocument) => textOf(document[name]);
const own = (name: string) => (document: AuditedDocument) => textOf(document[name]) ?? document._id;

/** What documents with fragments have beside what somebody says. */
const bookkeeping = ['tenant', 'id', 'seq', 'creationTime', 'lastUpdated', 'fragmentNames', 'revision'] as const;

/** THE table of what is on record: a row for every collection that is stored. */
export const auditTable = {
	managedObjects: {
		kind: 'changes',
		type: 'Inventory',
		what: 'Managed object',
		source: own('id'),
		label: field('name'),
		leftOut: [
			...bookkeeping,
			'linkRevision',
			'externalIdRevision',
			'software.revision',
			'search',
			'binaryIds',
			// A stamp of every message, not a change that somebody makes.
			'fragments.c8y_Availability',
		],
		spread: { fragments: '', software: 'software.' },
		// The object that shows a software list comes and goes with it.
		isOwn: ({ softwareOf }) => softwareOf === undefined,
	},
	externalIds: {
		kind: 'changes',
		type: 'Inventory',
		what: 'External id',
		source: own('managedObjectId'),
		label: ({ type, externalId }) => `${String(type)}/${String(externalId)}`,
		leftOut: ['tenant'],
	},
	packages: {
		kind: 'summary',
		type: 'Inventory',
		activity: 'Installed software changed',
		parse: parsePackageId,
		details: ({ softwareType, url, sent }) => (sent ? withoutName(sent) : { softwareType, url }),
	},
	operations: {
		kind: 'changes',
		type: 'Operation',
		what: 'Operation',
		source: own('id'),
		label: ({ deviceId, status }) => `${String(status)}, device ${String(deviceId)}`,
		leftOut: [...bookkeeping, 'binaryIds', 'externalIds', 'delivery', 'startedBy', 'endedBy'],
		spread: { fragments: '' },
	},
	tenants: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Tenant',
		source: ({ _id }) => _id,
		// Of those who look after tenants: what they do to one stays on record when it is gone.
		tenant: () => managementTenant,
		leftOut: ['creationTime', 'adminRevision'],
		secret: ['givenPasswords'],
	},
	users: {
		kind: 'changes',
		type: 'User',
		what: 'User',
		source: own('userName'),
		leftOut: ['tenant', 'creationTime', 'revision', 'keptSession'],
		secret: ['passwordHash', 'sessionsId'],
	},
	globalRoles: {
		kind: 'changes',
		type: 'User',
		what: 'Global role',
		source: ({ id }) => String(id),
		label: field('name'),
		leftOut: ['tenant', 'id'],
	},
	tenantOptions: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Tenant option',
		source: ({ category, key }) => `${String(category)}/${String(key)}`,
		leftOut: ['tenant', 'category', 'key'],
		// Tools keep passwords of other systems there.
		secret: ['value'],
	},
	trustedCertificates: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Trusted certificate',
		source: own('fingerprint'),
		label: field('name'),
		leftOut: ['tenant', 'creationTime', 'subjectKey', 'codeUsableUntil'],
		secret: ['verificationCode'],
	},
	revocationLists: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Revocation list',
		source: ({ _id }) => _id.slice(_id.indexOf('/') + 1),
		tenant: tenantOfId,
		leftOut: [],
	},
	certificateAuthorities: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Certificate authority',
		source: own('fingerprint'),
		tenant: ({ _id }) => _id,
		leftOut: [],
		secret: ['encryptedKey'],
	},
	issuedCertificates: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Device certificate',
		source: own('serialNumber'),
		label: field('device'),
		leftOut: ['tenant', 'serialNumber', 'issueTime'],
	},
	removedDevices: {
		kind: 'changes',
		type: 'DeviceRegistration',
		what: 'Lock of a removed device',
		source: own('serial'),
		leftOut: ['tenant', 'serial', 'removalTime'],
	},
	registrations: {
		kind: 'changes',
		type: 'DeviceRegistration',
		what: 'Device registration',
		source: ({ _id }) => _id,
		label: field('status'),
		leftOut: ['tenant', 'creationTime'],
		secret: ['oneTimePasswordHash', 'tokenHash'],
	},
	signingKeys: {
		kind: 'changes',
		type: 'Tenant',
		what: 'Signing key',
		source: ({ _id }) => _id,
		tenant: () => managementTenant,
		leftOut: [],
		secret: ['secret'],
	},
	events: none('what devices tell, and no change that anybody makes; what somebody removes is on record as what was done'),
	tenantDomains: none('on record as `domain` of the tenant, which changes in the same batch'),
	logouts: none('on record as what somebody did, with who it was'),
	children: none('on record as `parents` of the child, which changes in the same batch'),
	binaries: none('on record as `binary` of the managed object, which changes in the same batch; files of events go with these'),
	contents: none('where bytes are kept: follows from the binaries'),
	operationHeads: none('the newest number of an agent: follows from the operations'),
	connections: none('which process has a connection'),
	bridgedDevices: none('devices that are seen at an outside broker'),
	bridgeLayouts: none('how they are divided among processes'),
	counters: none('numbers for ids'),
	leases: none('which process does what alone'),
	processes: none('which processes run'),
	copies: none('the progress of a copy of the store, which its command tells'),
	auditRecords: none('written by the audit alone'),
	auditChains: none('written by the audit alone'),
} as const satisfies Readonly<Record<string, AuditRow>>;

function tenantOfId({ _id }: AuditedDocument): string {
	return _id.slice(0, _id.indexOf('/'));
}

const separator = '\u0001';

// The id is tenant/device, name and version; the inventory keeps them apart by this character.
function parsePackageId(id: string) {
	const slash = id.indexOf('/');
	const owner = id.indexOf(separator);
	const name = id
		.slice(owner + 1)
		.replace(separator, ' ')
		.trim();
	return { tenant: id.slice(0, slash), source: id.slice(slash + 1, owner), name };
}

function withoutName(item: unknown): Readonly<Record<string, unknown>> {
	const { name: _name, version: _version, ...rest }: Record<string, unknown> = { ...(item as object) };
	return rest;
}
