import type { Logger } from 'pino';
import type { Access, Tenant } from '../access/index.ts';
import type { Collection, CollectionSpec, DocumentStore, Filter, StoredDocument } from '../store/index.ts';

/**
 * How the documents of a tenant are found in a collection: by the `_id`, which begins with the tenant, by an indexed field,
 * or as the one document whose `_id` the tenant `itself` is.
 * `shared` documents are nobody's, or go when nobody needs them; `last` ones go when all others have gone.
 */
export type RemovalRule = 'byId' | 'byTenant' | 'itself' | 'shared' | 'last';

/** THE table of what a tenant leaves behind, in the order in which it goes: first those who could come in. A test knows of gaps. */
export const removalRules: Readonly<Record<string, RemovalRule>> = {
	users: 'byId',
	trustedCertificates: 'byId',
	revocationLists: 'byId',
	certificateAuthorities: 'itself',
	registrations: 'byTenant',
	issuedCertificates: 'byId',
	removedDevices: 'byId',
	globalRoles: 'byId',
	tenantOptions: 'byId',
	connections: 'byId',
	bridgedDevices: 'byId',
	operations: 'byId',
	operationHeads: 'byId',
	events: 'byId',
	externalIds: 'byId',
	packages: 'byId',
	children: 'byId',
	managedObjects: 'byId',
	// The bytes themselves are swept when their last reference has gone.
	binaries: 'byId',
	auditRecords: 'byTenant',
	auditChains: 'itself',
	contents: 'shared',
	bridgeLayouts: 'shared',
	signingKeys: 'shared',
	logouts: 'shared',
	counters: 'shared',
	leases: 'shared',
	processes: 'shared',
	copies: 'shared',
	tenantDomains: 'last',
	tenants: 'last',
};

export type TenantRemoval = Awaited<ReturnType<typeof openTenantRemoval>>;

const pageSize = 500;

/**
 * Removes what deleted tenants have, page by page. Stopped anywhere, it goes on where it was: what is left is found again. Two that
 * do it at a time do no harm.
 */
export async function openTenantRemoval(options: {
	readonly store: DocumentStore;
	readonly collections: readonly CollectionSpec<StoredDocument>[];
	readonly access: Pick<Access, 'tenants'>;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	/** How long what was under way when a tenant was deleted may still write. */
	readonly graceMilliseconds: number;
	readonly log: Logger;
}) {
	const { store, access, clock, graceMilliseconds, log } = options;
	const opened = new Map<string, Collection<StoredDocument>>();
	for (const spec of options.collections) opened.set(spec.name, await store.collection(spec));

	/** Removes what there is of all deleted tenants; a tenant itself goes once nothing can come after it. */
	async function run(isStopping: () => boolean = () => false): Promise<void> {
		for (const tenant of await access.tenants.listDeleting()) {
			await removeOf(tenant._id, isStopping);
			if (isStopping() || !isQuiet(tenant)) continue;
			if (await access.tenants.removeRecord(tenant)) log.info({ deleted: tenant._id }, 'tenant deleted');
		}
	}

	function isQuiet({ deletionTime = 0 }: Tenant): boolean {
		// A clock that was set back must not keep it for ever.
		const since = clock() - deletionTime;
		return since >= graceMilliseconds || since < -graceMilliseconds;
	}

	async function removeOf(tenant: string, isStopping: () => boolean): Promise<void> {
		for (const [name, rule] of Object.entries(removalRules)) {
			const collection = opened.get(name);
			if (!collection || rule === 'shared' || rule === 'last') continue;
			let removed = 0;
			for (;;) {
				if (isStopping()) return;
				const page = await collection.find({ filter: filterOf(rule, tenant), limit: pageSize });
				if (page.length === 0) break;
				await store.batch(page.map(({ _id }) => ({ kind: 'remove', collection: name, id: _id }) as const));
				removed += page.length;
			}
			if (removed > 0) log.info({ deleted: tenant, collection: name, removed }, 'documents of a deleted tenant were removed');
		}
	}

	return { run };
}

function filterOf(rule: 'byId' | 'byTenant' | 'itself', tenant: string): Filter {
	if (rule === 'itself') return { _id: tenant };
	// The character that follows the slash.
	return rule === 'byId' ? { _id: { $gt: `${tenant}/`, $lt: `${tenant}0` } } : { tenant };
}
