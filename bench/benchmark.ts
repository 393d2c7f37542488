/** Where the benchmarks put their data, and what they are asked for. */
export interface Workshop {
	/** A directory of this run alone, on a disk where there is one. */
	readonly directory: string;
	/** Profiles of the service's processor time go there, when they are wanted. */
	readonly profileDirectory: string | undefined;
}

/** Figures of one run, by name. */
export type Figures = Readonly<Record<string, number>>;

/** One of the things that are compared. Each run starts it in a fresh process and ends that. */
export interface Target {
	readonly name: string;
	readonly run: () => Promise<Figures>;
}

/** How one figure is shown. */
export interface FigureColumn {
	readonly key: string;
	readonly heading: string;
	readonly digits: number;
}

/** The ratio of one figure between two targets of the same round, and what it should be, where that was settled. */
export interface Comparison {
	readonly what: string;
	readonly figure: string;
	readonly target: string;
	readonly peer: string;
	readonly aim?: Aim;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** One benchmark: what it compares, and how it is explained. */
export interface Benchmark {
	readonly name: string;
	readonly title: string;
	/** What is measured and how, in paragraphs of Markdown. */
	readonly explanation: readonly string[];
	readonly columns: readonly FigureColumn[];
	readonly comparisons: readonly Comparison[];
	/** Whether it runs where none is named; so do those without it. */
	readonly isPossible?: () => boolean;
	/** Does once what all rounds need, and gives the targets in the order of the first round. */
	readonly prepare: (workshop: Workshop) => Promise<readonly Target[]>;
}
