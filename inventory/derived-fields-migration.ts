import type { CollectionSpec, Migration, Step } from '../store/index.ts';
import { parentTokens, searchFieldsOf } from './derived-fields.ts';
import type { ManagedObject } from './managed-object.ts';
import type { ChildLink } from './object-links.ts';

const pageSize = 200;

/** Gives objects that were stored without them the fields that queries are answered by. */
export function derivedFieldsMigration(
	objectSpec: CollectionSpec<ManagedObject>,
	linkSpec: CollectionSpec<ChildLink>,
): Migration {
	return {
		collection: objectSpec.name,
		to: 2,
		what: 'Managed objects carry copies of what they are searched by.',
		async run({ store, signal, write }) {
			const objects = await store.collection(objectSpec);
			const links = await store.collection(linkSpec);

			async function stepFor(object: ManagedObject): Promise<Step> {
				const { _id, tenant, id, revision, linkRevision = null } = object;
				const above = await links.find({ filter: { tenant, child: id } });
				return {
					kind: 'update',
					collection: objectSpec.name,
					id: _id,
					// Who changes it meanwhile may be of the version before, and leaves the copies as they are.
					where: { revision, linkRevision },
					update: { $set: { search: searchFieldsOf(object), parents: parentTokens(above) } },
				};
			}

			/** Alone, until nobody else changes the object at the same time. */
			async function deriveOne(id: string): Promise<void> {
				for (;;) {
					const object = await objects.get(id);
					if (!object || (await write([await stepFor(object)])).ok) return;
				}
			}

			for (let last = ''; !signal.aborted; ) {
				const page = await objects.find({ filter: { _id: { $gt: last } }, sort: [['_id', 1]], limit: pageSize });
				if (page.length === 0) return;
				if (!(await write(await Promise.all(page.map(stepFor)))).ok) for (const { _id } of page) await deriveOne(_id);
				last = page.at(-1)?._id ?? last;
			}
		},
	};
}
