/** What must not happen, beside what the ledgers tell. */
export type FindingKind = 'lost' | 'doubled' | 'impossible';

export interface Finding {
	readonly kind: FindingKind;
	readonly text: string;
}

export type Findings = ReturnType<typeof createFindings>;

const kept = 1000;

/** Collects what was found wrong, and what was counted. */
export function createFindings(say: (line: string) => void) {
	const found: Finding[] = [];
	const counts = new Map<string, number>();

	function wrong(kind: FindingKind, text: string): void {
		if (found.length < kept) found.push({ kind, text });
		say(`${kind.toUpperCase()}: ${text}`);
	}

	function count(what: string, by = 1): void {
		counts.set(what, (counts.get(what) ?? 0) + by);
	}

	return { wrong, count, found: (): readonly Finding[] => found, counted: (what: string) => counts.get(what) ?? 0, counts };
}
