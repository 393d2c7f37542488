import { randomUUID } from 'node:crypto';
import type { CollectionSpec, DocumentStore, StoredDocument } from '../store/index.ts';

/** That a token, or all tokens of a tenant, are good no more. */
interface Logout extends StoredDocument {
	/** When it was written, in milliseconds since 1970. */
	readonly at: number;
	/** When the token ends in any case. */
	readonly expiresAt?: number;
	/** Of a tenant: what its tokens have in common from now on. */
	readonly generation?: string;
}

// Longer than clocks go wrong: a token must not come to life again.
const keptAfterExpirySeconds = 86_400;
const overlapMilliseconds = 600_000;

export const logoutSpec: CollectionSpec<Logout> = {
	name: 'logouts',
	indexes: [{ name: 'byTime', keys: ['at'] }],
	expire: { field: 'expiresAt', afterSeconds: keptAfterExpirySeconds },
};

/** Tokens that were ended before their time. All of them are in memory, so that a request asks nobody. */
export async function openLogouts({ store, clock }: { readonly store: DocumentStore; readonly clock: () => number }) {
	const logouts = await store.collection(logoutSpec);
	const ended = new Map<string, number>();
	const generations = new Map<string, string>();
	let readTo = Number.NEGATIVE_INFINITY;
	let gaps = 0;
	logouts.watch(
		(changes) => {
			for (const { document } of changes) if (document) take(document);
		},
		() => {
			gaps++;
			readTo = Number.NEGATIVE_INFINITY;
		},
	);
	await sweep();

	function take({ _id, expiresAt, generation }: Logout): void {
		if (generation !== undefined) generations.set(_id, generation);
		else if (expiresAt !== undefined) ended.set(_id, expiresAt);
	}

	/** Reads what no change was heard of, and forgets what has expired. */
	async function sweep(): Promise<void> {
		const [begun, gapsBefore] = [clock(), gaps];
		const since = readTo - overlapMilliseconds;
		const filter = Number.isFinite(since) ? { at: { $gte: since } } : {};
		for await (const logout of logouts.scan(filter)) take(logout);
		if (gaps === gapsBefore) readTo = begun;
		for (const [id, expiresAt] of ended) if (expiresAt + keptAfterExpirySeconds * 1000 < begun) ended.delete(id);
	}

	/** Ends one token for good, in all processes. */
	async function endToken(tokenId: string, expiresAt: number): Promise<void> {
		const document: Logout = { _id: `token ${tokenId}`, at: clock(), expiresAt };
		await store.batch([{ kind: 'put', collection: logoutSpec.name, document }]);
		take(document);
	}

	/** Ends all tokens of a tenant. */
	async function endTenant(tenant: string): Promise<void> {
		const document: Logout = { _id: `tenant ${tenant}`, at: clock(), generation: randomUUID() };
		await store.batch([{ kind: 'put', collection: logoutSpec.name, document }]);
		take(document);
	}

	const isEnded = (tokenId: string): boolean => ended.has(`token ${tokenId}`);
	const generationOf = (tenant: string): string => generations.get(`tenant ${tenant}`) ?? '';

	return { endToken, endTenant, isEnded, generationOf, sweep };
}
