import type { Collection, CollectionSpec, DocumentStore, Step, StoredDocument } from '../store/index.ts';

/** What a managed object tells of the bytes that belong to it. */
export interface BinaryFacts {
	readonly sha256: string;
	/** Bytes. */
	readonly length: number;
	readonly contentType: string;
	/** When these bytes came, in milliseconds since 1970. */
	readonly since: number;
}

/** The bytes that a write gives to an object. */
export interface BinaryChange {
	readonly facts: BinaryFacts;
	/** Where they are, when nobody has equal ones yet. */
	readonly newKey?: string;
}

/** That a managed object needs a content; it comes and goes in the writes in which the object does. */
export interface BinaryReference extends StoredDocument {
	readonly tenant: string;
	readonly sha256: string;
	readonly length: number;
}

/** Where the bytes with a SHA-256 (the `_id`) are. It comes with the first reference. */
export interface ContentRecord extends StoredDocument {
	readonly key: string;
	/** Grows with every reference, and never shrinks: whoever found none removes on the condition that none came since. */
	readonly uses: number;
}

export const referenceSpec: CollectionSpec<BinaryReference> = {
	name: 'binaries',
	indexes: [
		{ name: 'byContent', keys: ['sha256'] },
		{ name: 'byTenant', keys: ['tenant', 'sha256', 'length'] },
	],
};
export const contentSpec: CollectionSpec<ContentRecord> = { name: 'contents', indexes: [{ name: 'byKey', keys: ['key'] }] };

/** Steps that go with the write of an object with new bytes. They fail when others came, or went, in the meantime. */
export function referenceSteps(documentId: string, tenant: string, { facts, newKey }: BinaryChange): Step[] {
	const { sha256, length } = facts;
	const reference: BinaryReference = { _id: documentId, tenant, sha256, length };
	const collection = contentSpec.name;
	return [
		newKey === undefined
			? { kind: 'update', collection, id: sha256, update: { $inc: { uses: 1 } } }
			: { kind: 'insert', collection, document: firstRecord(sha256, newKey) },
		{ kind: 'put', collection: referenceSpec.name, document: reference },
	];
}

function firstRecord(sha256: string, key: string): ContentRecord {
	return { _id: sha256, key, uses: 1 };
}

/** The step that goes with the removal of any object, and of what else has a reference. */
export function dereferenceStep(documentId: string): Step {
	return { kind: 'remove', collection: referenceSpec.name, id: documentId };
}

export type BinaryRecords = ReturnType<typeof openBinaryRecords>;

/** Which contents there are, and which of them are needed. Nothing is counted beside the references themselves. */
export function openBinaryRecords({
	store,
	references,
	contents,
}: {
	readonly store: DocumentStore;
	readonly references: Collection<BinaryReference>;
	readonly contents: Collection<ContentRecord>;
}) {
	/** Where the bytes with this SHA-256 are. */
	async function findKey(sha256: string): Promise<string | undefined> {
		return (await contents.get(sha256))?.key;
	}

	/** Bytes of all different contents that a tenant has. */
	async function usedBytes(tenant: string): Promise<number> {
		const groups = await references.groupCount(['sha256', 'length'], { tenant });
		return groups.reduce((sum, { key }) => sum + Number(key[1] ?? 0), 0);
	}

	/** Takes the records of contents that no object needs any more, one by one; their bytes are then nobody's. */
	async function* takeUnneeded(): AsyncGenerator<string> {
		const groups = await references.groupCount(['sha256'], {});
		const needed = new Set(groups.map(({ key }) => key[0]));
		for await (const { _id, key, uses } of contents.scan({})) {
			if (needed.has(_id) || (await references.count({ sha256: _id })) > 0) continue;
			const taken = await store.batch([
				{ kind: 'require', collection: contents.name, id: _id, where: { uses } },
				{ kind: 'remove', collection: contents.name, id: _id },
			]);
			if (taken.ok) yield key;
		}
	}

	async function isRecorded(key: string): Promise<boolean> {
		return (await contents.count({ key })) > 0;
	}

	/** Calls back when a reference may have gone. */
	function watchRemovals(listener: () => void): () => void {
		return references.watch((changes) => {
			if (changes.some(({ kind }) => kind !== 'inserted')) listener();
		}, listener);
	}

	return { findKey, usedBytes, takeUnneeded, isRecorded, watchRemovals };
}
