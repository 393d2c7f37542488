import type { Migration, Step } from '../store/index.ts';
import { type User, userSpec } from './users.ts';

const pageSize = 200;

/** Gives users that were stored without it the list of their global roles, by which users are found. */
export const rolesMigration: Migration = {
	collection: userSpec.name,
	to: 2,
	what: 'Users carry the list of their global roles.',
	async run({ store, signal, write }) {
		const users = await store.collection(userSpec);
		for (let last = ''; !signal.aborted; ) {
			const page = await users.find({ filter: { _id: { $gt: last } }, sort: [['_id', 1]], limit: pageSize });
			if (page.length === 0) return;
			const steps = page.filter(({ globalRoles }) => !globalRoles).map(stepFor);
			// Where one of them is gone, or has its list by now, the others are given theirs alone.
			if (steps.length > 0 && !(await write(steps)).ok) for (const step of steps) await write([step]);
			last = page.at(-1)?._id ?? last;
		}
	},
};

function stepFor({ _id, role }: User): Step {
	const where = { role, globalRoles: { $exists: false } };
	return { kind: 'update', collection: userSpec.name, id: _id, where, update: { $set: { globalRoles: [role] } } };
}
