import type { Comparison, Figures, Target } from './benchmark.ts';
import { type Noise, noiseBetween, readProcessorTime, waitForQuiet } from './machine.ts';

/** One target in one round. */
export interface Run {
	readonly target: string;
	readonly figures: Figures;
	readonly noise: Noise | undefined;
}

/** All targets, one after the other. */
export type Round = readonly Run[];

/** Runs all targets in every round, each second round in the opposite order, so that a slow drift of the machine favours nobody. */
export async function runRounds(
	targets: readonly Target[],
	{ rounds, patienceSeconds }: { readonly rounds: number; readonly patienceSeconds: number },
	report: (run: Run) => void,
): Promise<Round[]> {
	const done: Round[] = [];
	for (let round = 0; round < rounds; round++) {
		const runs: Run[] = [];
		for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
			await waitForQuiet(patienceSeconds);
			const before = readProcessorTime();
			const figures = await target.run();
			const run = { target: target.name, figures, noise: noiseBetween(before, readProcessorTime()) };
			report(run);
			runs.push(run);
		}
		done.push(runs);
	}
	return done;
}

/** One figure of one target, in every round. */
export function figuresOf(rounds: readonly Round[], target: string, figure: string): number[] {
	return rounds.map((round) => figureOf(round, target, figure));
}

/** The ratio in every round. */
export function ratiosOf(rounds: readonly Round[], { target, peer, figure }: Comparison): number[] {
	return rounds.map((round) => figureOf(round, target, figure) / figureOf(round, peer, figure));
}

function figureOf(round: Round, target: string, figure: string): number {
	const value = round.find((run) => run.target === target)?.figures[figure];
	if (value === undefined) throw new Error(`'${target}' gave no figure '${figure}'`);
	return value;
}
