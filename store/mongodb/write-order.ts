/** What a write needs to itself: documents (each a collection and a name in it), and whole collections. */
export interface Claims {
	readonly documents: readonly (readonly [collection: string, name: string])[];
	readonly collections: readonly string[];
}

/** Lets writes that touch the same document go one after the other, in the order in which they came. */
export interface WriteOrder {
	/** `onReady` is called, at once or later, when nothing that came before touches what is claimed. Returns the function that ends the claim. */
	enter(claims: Claims, onReady: () => void): () => void;
}

interface Ticket {
	waitingFor: number;
	isDone: boolean;
	readonly onReady: () => void;
	readonly followers: Ticket[];
}

interface Lane {
	/** The last write that claimed the whole collection. */
	whole: Ticket | undefined;
	/** The last write of each document, and all that are under way, since then. */
	readonly last: Map<string, Ticket>;
	readonly open: Set<Ticket>;
}

export function createWriteOrder(): WriteOrder {
	const lanes = new Map<string, Lane>();
	const laneOf = (collection: string): Lane => {
		const lane = lanes.get(collection) ?? { whole: undefined, last: new Map(), open: new Set() };
		lanes.set(collection, lane);
		return lane;
	};

	const enter = (claims: Claims, onReady: () => void): (() => void) => {
		const ticket: Ticket = { waitingFor: 0, isDone: false, onReady, followers: [] };
		const before = new Set<Ticket>();
		const follow = (other: Ticket | undefined): void => {
			if (other !== undefined && other !== ticket && !other.isDone) before.add(other);
		};
		for (const collection of claims.collections) {
			const lane = laneOf(collection);
			follow(lane.whole);
			for (const other of lane.open) follow(other);
			lane.whole = ticket;
			lane.last.clear();
			lane.open.clear();
		}
		for (const [collection, name] of claims.documents) {
			const lane = laneOf(collection);
			follow(lane.whole);
			follow(lane.last.get(name));
			lane.last.set(name, ticket);
			lane.open.add(ticket);
		}
		ticket.waitingFor = before.size;
		for (const other of before) other.followers.push(ticket);
		if (before.size === 0) onReady();
		return () => leave(claims, ticket);
	};

	const leave = (claims: Claims, ticket: Ticket): void => {
		ticket.isDone = true;
		for (const collection of claims.collections) {
			const lane = laneOf(collection);
			if (lane.whole === ticket) lane.whole = undefined;
		}
		for (const [collection, name] of claims.documents) {
			const lane = laneOf(collection);
			lane.open.delete(ticket);
			if (lane.last.get(name) === ticket) lane.last.delete(name);
		}
		for (const follower of ticket.followers) {
			follower.waitingFor--;
			if (follower.waitingFor === 0) follower.onReady();
		}
	};

	return { enter };
}
