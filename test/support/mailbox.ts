import { within } from './eventually.ts';

interface Taker<T> {
	readonly isWanted: (value: T) => boolean;
	readonly take: (value: T) => void;
}

export type Mailbox<T> = ReturnType<typeof createMailbox<T>>;

/** What has arrived, under keys, to be taken out in order by whoever waits for it. */
export function createMailbox<T>(owner: string) {
	const arrived = new Map<string, T[]>();
	const takers = new Map<string, Taker<T>[]>();

	function put(key: string, value: T): void {
		const waiting = listOf(takers, key);
		const index = waiting.findIndex(({ isWanted }) => isWanted(value));
		const [taker] = index >= 0 ? waiting.splice(index, 1) : [];
		if (taker) taker.take(value);
		else listOf(arrived, key).push(value);
	}

	/** The oldest wanted one that nobody has taken, or the next that arrives. */
	async function take(key: string, isWanted: (value: T) => boolean = () => true): Promise<T> {
		const present = listOf(arrived, key);
		const index = present.findIndex(isWanted);
		const [value] = index >= 0 ? present.splice(index, 1) : [];
		if (value !== undefined) return value;
		const next = new Promise<T>((resolve) => listOf(takers, key).push({ isWanted, take: resolve }));
		return within(`${owner} waits for something on '${key}'; untaken: ${JSON.stringify(present).slice(0, 500)}`, next);
	}

	/** What has arrived and was not taken; it stays. */
	function untaken(key: string): readonly T[] {
		return [...listOf(arrived, key)];
	}

	return { put, take, untaken };
}

function listOf<V>(lists: Map<string, V[]>, key: string): V[] {
	const list = lists.get(key) ?? [];
	lists.set(key, list);
	return list;
}
