import { compareDigits } from './segment-order.ts';

/** `[epoch:]upstream[-revision]`; a colon in upstream needs an epoch. */
const whole = /^(?:(?<epoch>[0-9]+):(?<tail>[A-Za-z0-9.+~:-]+)|(?<plain>[A-Za-z0-9.+~-]+))$/;

interface DebianVersion {
	readonly epoch: string;
	readonly upstream: string;
	readonly revision: string;
}

/** Compares as `dpkg --compare-versions` does (Debian Policy 5.6.12); `undefined` where one is no Debian version. */
export function compareDebianVersions(a: string, b: string): number | undefined {
	const [left, right] = [parse(a), parse(b)];
	if (!left || !right) return undefined;
	return (
		compareDigits(left.epoch, right.epoch) ||
		compareParts(left.upstream, right.upstream) ||
		compareParts(left.revision, right.revision)
	);
}

function parse(text: string): DebianVersion | undefined {
	const { epoch = '', tail, plain } = whole.exec(text)?.groups ?? {};
	const rest = tail ?? plain;
	if (rest === undefined) return undefined;
	const hyphen = rest.lastIndexOf('-');
	const [upstream, revision] = hyphen < 0 ? [rest, ''] : [rest.slice(0, hyphen), rest.slice(hyphen + 1)];
	if (upstream === '' || revision.includes(':') || (hyphen >= 0 && revision === '')) return undefined;
	return { epoch, upstream, revision };
}

/** Runs without digits and runs of digits in turn; a tilde is before the end, letters are before everything else. */
function compareParts(a: string, b: string): number {
	const left = a.match(/[^0-9]+|[0-9]+/g) ?? [];
	const right = b.match(/[^0-9]+|[0-9]+/g) ?? [];
	let [i, j] = [0, 0];
	while (i < left.length || j < right.length) {
		// A run of the one kind may be missing: it is empty then.
		const words = [isDigits(left[i]) ? '' : (left[i++] ?? ''), isDigits(right[j]) ? '' : (right[j++] ?? '')] as const;
		const byWord = compareWords(...words);
		if (byWord !== 0) return byWord;
		const byNumber = compareDigits(isDigits(left[i]) ? (left[i++] ?? '') : '', isDigits(right[j]) ? (right[j++] ?? '') : '');
		if (byNumber !== 0) return byNumber;
	}
	return 0;
}

function isDigits(run: string | undefined): boolean {
	return run !== undefined && run >= '0' && run < ':';
}

function compareWords(a: string, b: string): number {
	for (let at = 0; at < a.length || at < b.length; at++) {
		const difference = weight(a[at]) - weight(b[at]);
		if (difference !== 0) return difference;
	}
	return 0;
}

function weight(character: string | undefined): number {
	if (character === undefined) return 0;
	if (character === '~') return -1;
	return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256);
}
