import type { Filter } from '../store/index.ts';
import type { ManagedObject, ManagedObjectId } from './managed-object.ts';

export type ChildKind = 'childDevices' | 'childAssets' | 'childAdditions';
export const childKinds = ['childDevices', 'childAssets', 'childAdditions'] as const satisfies readonly ChildKind[];

/** One document a link, so that no list of children lives in a document. */
export interface ChildLink {
	readonly _id: string;
	readonly tenant: string;
	readonly parent: ManagedObjectId;
	readonly kind: ChildKind;
	readonly child: ManagedObjectId;
	/** The child's `seq`: the order in which children are listed. */
	readonly seq: number;
}

export function childLink(
	tenant: string,
	parent: ManagedObjectId,
	kind: ChildKind,
	child: Pick<ManagedObject, 'id' | 'seq'>,
): ChildLink {
	return { _id: `${tenant}/${parent}/${kind}/${child.id}`, tenant, parent, kind, child: child.id, seq: child.seq };
}

/** The links below a parent by their ids, which `scan` reads in order. */
export function linksBelow(tenant: string, parent: ManagedObjectId, kind: ChildKind): Filter {
	const start = `${tenant}/${parent}/${kind}/`;
	return { _id: { $gt: start, $lt: `${start}\u{10FFFF}` } };
}
