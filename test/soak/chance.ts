export type Chance = ReturnType<typeof createChance>;

export const seedLimit = 2 ** 32;

/** Numbers that look random, the same ones for the same seed (mulberry32). */
export function createChance(seed: number) {
	let state = seed >>> 0;

	function next(): number {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / seedLimit;
	}

	const between = (min: number, max: number): number => min + next() * (max - min);
	const whole = (min: number, max: number): number => Math.floor(between(min, max + 1));
	const happens = (probability: number): boolean => next() < probability;
	const pick = <T>(values: readonly T[]): T | undefined => values[whole(0, values.length - 1)];

	/** So many of them at most, in any order. */
	function some<T>(values: readonly T[], count: number): T[] {
		const left = [...values];
		return Array.from({ length: Math.min(count, left.length) }, () => left.splice(whole(0, left.length - 1), 1)).flat();
	}

	/** Another sequence, so that what one part asks for does not change what another one gets. */
	const fork = () => createChance(whole(0, seedLimit - 1));

	return { between, whole, happens, pick, some, fork };
}
