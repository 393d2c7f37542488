import {
	type BatchOutcome,
	type CollectionSpec,
	type DocumentStore,
	type Step,
	type StoredDocument,
	StoreError,
} from './document-store.ts';

/** A change of the documents of one collection from the version before to `to`. */
export interface Migration {
	readonly collection: string;
	readonly to: number;
	/** One sentence for whoever runs the service. */
	readonly what: string;
	/**
	 * Changes the documents, a page at a time. It may have been stopped anywhere before, and begins again: a document that is
	 * changed already stays as it is. Documents stay readable for the version before, whose processes may be running still.
	 */
	run(context: MigrationContext): Promise<void>;
}

export interface MigrationContext {
	readonly store: DocumentStore;
	/** Aborted when another process may have taken over: then nothing more can be written. */
	readonly signal: AbortSignal;
	/** Writes like `batch`. @throws StoreError when another process has taken over */
	write(steps: readonly Step[]): Promise<BatchOutcome>;
}

interface SchemaRecord extends StoredDocument {
	readonly version: number;
}

export type Schema = Awaited<ReturnType<typeof openSchema>>;

const schemaSpec: CollectionSpec<SchemaRecord> = { name: 'schema', indexes: [] };

/** The version of stored documents that a collection has in this program. */
export function versionOf({ version = 1 }: CollectionSpec<StoredDocument>): number {
	return version;
}

/** The versions of what is stored, and the way from older ones to those of this program. */
export async function openSchema(options: {
	readonly store: DocumentStore;
	readonly collections: readonly CollectionSpec<StoredDocument>[];
	readonly migrations: readonly Migration[];
}) {
	const { store, collections, migrations } = options;
	const schema = await store.collection(schemaSpec);

	/**
	 * Whether everything stored has the version of this program; what is new gets it.
	 * @throws StoreError when something is of a newer version
	 */
	async function isCurrent(): Promise<boolean> {
		return (await findOlder()).length === 0;
	}

	async function findOlder(): Promise<{ readonly spec: CollectionSpec<StoredDocument>; readonly version: number }[]> {
		const found = new Map((await schema.find({ filter: {} })).map(({ _id, version }) => [_id, version]));
		const older: { spec: CollectionSpec<StoredDocument>; version: number }[] = [];
		for (const spec of collections) {
			const version = found.get(spec.name) ?? (await note(spec));
			if (version > versionOf(spec)) throw newer(spec, version);
			if (version < versionOf(spec)) older.push({ spec, version });
		}
		return older;
	}

	/** Notes a collection that was never noted: what is in it is older than versions are. */
	async function note(spec: CollectionSpec<StoredDocument>): Promise<number> {
		const collection = await store.collection(spec);
		const isEmpty = (await collection.find({ filter: {}, limit: 1 })).length === 0;
		const document: SchemaRecord = { _id: spec.name, version: isEmpty ? versionOf(spec) : 1 };
		const outcome = await store.batch([{ kind: 'insert', collection: schemaSpec.name, document }]);
		return outcome.ok ? document.version : ((await schema.get(spec.name))?.version ?? document.version);
	}

	/**
	 * Brings everything to the version of this program, step by step; each step is noted when it is done.
	 * @param guard makes a batch fail when another process has taken over
	 * @throws StoreError when another process has taken over
	 */
	async function migrate(guard: Step, signal: AbortSignal, tell: (migration: Migration) => void): Promise<void> {
		async function write(steps: readonly Step[]): Promise<BatchOutcome> {
			const outcome = await store.batch([guard, ...steps]);
			if (outcome.ok) return outcome;
			if (outcome.failed === 0) throw new StoreError('another process has taken over changing the stored documents');
			return { ...outcome, failed: outcome.failed - 1 };
		}
		for (const { spec, version } of await findOlder()) {
			await store.collection(spec);
			for (let to = version + 1; to <= versionOf(spec); to++) {
				const migration = migrations.find((each) => each.collection === spec.name && each.to === to);
				if (!migration) throw new StoreError(`the collection '${spec.name}' has no migration to version ${to}`);
				tell(migration);
				await migration.run({ store, signal, write });
				const where = { version: to - 1 };
				const update = { $set: { version: to } };
				await write([{ kind: 'update', collection: schemaSpec.name, id: spec.name, where, update }]);
			}
		}
	}

	return { isCurrent, migrate };
}

function newer({ name, version = 1 }: CollectionSpec<StoredDocument>, stored: number): StoreError {
	return new StoreError(
		`the collection '${name}' has documents of version ${stored}, and this program knows version ${version} of them: start the program that wrote them, or a newer one`,
	);
}
