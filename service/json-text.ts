import { describeJsonFault } from './json-fault.ts';

/** What a JSON text says, or what is wrong with it, where, and what would be right: words that follow its name. */
export type ReadJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly fault: string };

interface Fault {
	readonly path: string;
	readonly reason: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Where a text may have halves of surrogate pairs: in UTF-8 they can only be escaped. */
const surrogateEscape = /\\u[dD][89a-fA-F]/;

/** Reads what can be stored and given back as it was sent, and refuses all else: it would come back as another value. */
export function readJson(text: string | Buffer, maxDepth: number): ReadJson {
	const decoded = typeof text === 'string' ? text : decodeUtf8(text);
	if (decoded === undefined) return { ok: false, fault: 'is not text in UTF-8' };
	let value: unknown;
	try {
		value = JSON.parse(decoded);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
		return { ok: false, fault: `is not JSON at ${describeJsonFault(decoded)}` };
	}
	const fault = findFault(value, maxDepth, surrogateEscape.test(decoded));
	if (!fault) return { ok: true, value };
	if (fault === 'deep') return { ok: false, fault: `is nested too deep: at most ${maxDepth} levels are read` };
	return { ok: false, fault: `has ${fault.path === '' ? '' : `at '${fault.path.slice(0, 200)}' `}${fault.reason}` };
}

function decodeUtf8(bytes: Buffer): string | undefined {
	try {
		return utf8.decode(bytes);
	} catch (error) {
		if (!(error instanceof TypeError)) throw error;
		return undefined;
	}
}

function findFault(value: unknown, levels: number, mayBeHalf: boolean): Fault | 'deep' | undefined {
	if (typeof value === 'number') return Number.isFinite(value) ? undefined : { path: '', reason: hugeNumber };
	if (typeof value === 'string') return mayBeHalf && isHalf(value) ? { path: '', reason: halfCharacter } : undefined;
	if (typeof value !== 'object' || value === null) return undefined;
	if (levels === 0) return 'deep';
	for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
		if (key === '__proto__') return { path: key, reason: 'a name that no field can have: use another one' };
		if (mayBeHalf && typeof key === 'string' && isHalf(key))
			return { path: toWhole(key), reason: `a name with ${halfCharacter}` };
		const fault = findFault(item, levels - 1, mayBeHalf);
		if (fault) return fault === 'deep' ? fault : { ...fault, path: step(key, fault.path) };
	}
	return undefined;
}

const hugeNumber = `a number that is too large: write one of at most ${Number.MAX_VALUE}, or text`;
const halfCharacter = 'half of a character: write both of its surrogates';

function step(key: string | number, rest: string): string {
	return `${typeof key === 'number' ? `[${key}]` : key}${rest === '' || rest.startsWith('[') ? '' : '.'}${rest}`;
}

function isHalf(text: string): boolean {
	return /\p{Surrogate}/u.test(text);
}

function toWhole(text: string): string {
	return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
