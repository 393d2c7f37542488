import { compareDigits, compareTexts } from './segment-order.ts';

const segments = /[0-9]+|[A-Za-z]+|[~^]/g;

/**
 * Compares `[epoch:]version[-release]` as RPM does (rpm-version(7), `labelCompare`): what has no release is older than what has one.
 * `undefined` where one has no letter and no digit.
 */
export function compareRpmVersions(a: string, b: string): number | undefined {
	const left = parse(a);
	const right = left && parse(b);
	if (!right) return undefined;
	const byEpoch = compareDigits(left.epoch, right.epoch);
	if (byEpoch !== 0) return byEpoch;
	const byVersion = compareRpmParts(left.version, right.version);
	if (byVersion !== 0) return byVersion;
	const byRelease = Number(left.release !== undefined) - Number(right.release !== undefined);
	return byRelease === 0 ? compareRpmParts(left.release ?? '', right.release ?? '') : byRelease;
}

function parse(text: string): { readonly epoch: string; readonly version: string; readonly release?: string } | undefined {
	if (!/[A-Za-z0-9]/.test(text) || /\s/.test(text)) return undefined;
	const [, epoch = '', rest = ''] = /^(?:([0-9]+):)?(.*)$/su.exec(text) ?? [];
	const hyphen = rest.lastIndexOf('-');
	return hyphen < 0 ? { epoch, version: rest } : { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}

/** `rpmvercmp`: of one part of a version. */
export function compareRpmParts(a: string, b: string): number {
	const left = a.match(segments) ?? [];
	const right = b.match(segments) ?? [];
	for (let at = 0; at < left.length || at < right.length; at++) {
		const order = compareSegments(left[at], right[at]);
		if (order !== 0) return order;
	}
	return 0;
}

/** From the oldest: a tilde, the end, a caret, letters, numbers. */
function compareSegments(a: string | undefined, b: string | undefined): number {
	const [left, right] = [rank(a), rank(b)];
	if (left !== right || a === undefined || b === undefined) return left - right;
	return left === ranks.number ? compareDigits(a, b) : compareTexts(a, b);
}

const ranks = { tilde: 0, end: 1, caret: 2, word: 3, number: 4 } as const;

function rank(segment: string | undefined): number {
	if (segment === undefined) return ranks.end;
	if (segment === '~') return ranks.tilde;
	if (segment === '^') return ranks.caret;
	return segment < ':' ? ranks.number : ranks.word;
}
