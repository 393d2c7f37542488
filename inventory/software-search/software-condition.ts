import { InventoryError } from '../inventory-error.ts';
import { compareVersions, isVersionOrder, type OrderOfType, type VersionOrder, versionOrderNames } from './version-order.ts';

export type VersionComparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** What one package of a device must be; all of it. */
export interface SoftwareCondition {
	/** The device must not have such a package. */
	readonly isNegated: boolean;
	readonly name: string;
	readonly type?: string;
	/** Of every package, instead of that of its type. */
	readonly order?: VersionOrder;
	readonly versions: readonly { readonly comparison: VersionComparison; readonly version: string }[];
}

export interface ConditionLimits {
	/** Characters of one condition. */
	readonly maxLength: number;
	/** Names, types, versions and orders of all conditions. */
	readonly maxTerms: number;
}

/** Both ways to write a comparison; longer ones first. The words are those of FIQL and RSQL, and need no escape in a URL. */
const comparisons: readonly (readonly [written: string, comparison: VersionComparison])[] = [
	['=lt=', '<'],
	['=le=', '<='],
	['=gt=', '>'],
	['=ge=', '>='],
	['==', '='],
	['!=', '!='],
	['<=', '<='],
	['>=', '>='],
	['<', '<'],
	['>', '>'],
	['=', '='],
];

const fields = ['type', 'version', 'order'] as const;
const quoted = /'(?:[^']|'')*'/y;
const bare = /[^\s;'<>=!*]+/y;
const field = /[a-z]+/y;

/**
 * Reads conditions such as `openssl;type=apt;version<3.0.15`, or `!openssl` for devices without it.
 * @throws InventoryError `inventory/badQuery` with the position (1 is the first character), what is there and what would be right
 */
export function parseSoftwareConditions(texts: readonly string[], limits: ConditionLimits): SoftwareCondition[] {
	let terms = 0;
	return texts.map((text, index) => {
		const where = texts.length === 1 ? 'software' : `software ${index + 1} of ${texts.length}`;
		const reader = createReader(text, where);
		if (text.length > limits.maxLength)
			throw reader.fault(limits.maxLength, `at most ${limits.maxLength} characters`, `${text.length}`);
		return parseCondition(reader, () => {
			if (++terms > limits.maxTerms)
				throw reader.fault(reader.at(), `at most ${limits.maxTerms} terms in all conditions together`, 'one more');
		});
	});
}

function parseCondition(reader: Reader, countTerm: () => void): SoftwareCondition {
	const isNegated = reader.take('!');
	countTerm();
	const name = reader.value('the name of a package');
	let type: string | undefined;
	let order: VersionOrder | undefined;
	const versions: { comparison: VersionComparison; version: string; at: number }[] = [];
	while (!reader.isAtEnd()) {
		if (!reader.take(';')) throw reader.faultHere("';' or the end");
		countTerm();
		const at = reader.at();
		const what = reader.field();
		const operatorAt = reader.at();
		const comparison = reader.comparison();
		if (what !== 'version' && comparison !== '=') throw reader.fault(operatorAt, `'=' behind ${what}`, comparison);
		const valueAt = reader.at();
		if (what === 'version') {
			versions.push({ comparison, version: reader.value('a version'), at: valueAt });
			continue;
		}
		if ((what === 'type' ? type : order) !== undefined) throw reader.fault(at, `${what} once`, what);
		const value = reader.value(what === 'type' ? 'a software type' : 'the name of an order');
		if (what === 'type') type = value;
		else if (isVersionOrder(value)) order = value;
		else throw reader.fault(valueAt, `one of ${versionOrderNames.join(', ')}`, value);
	}
	for (const { version, at } of versions) {
		if (order && compareVersions(order, version, version) === undefined)
			throw reader.fault(at, `a version in the order ${order}`, version);
	}
	return {
		isNegated,
		name,
		...(type !== undefined && { type }),
		...(order && { order }),
		versions: versions.map(({ comparison, version }) => ({ comparison, version })),
	};
}

type Reader = ReturnType<typeof createReader>;

function createReader(text: string, where: string) {
	let at = 0;

	function fault(position: number, expected: string, found: string): InventoryError {
		const shown = found === '' ? 'the end' : `'${found.slice(0, 40)}'`;
		return new InventoryError(
			'inventory/badQuery',
			`${where} cannot be read at position ${position + 1}: expected ${expected}, found ${shown}`,
			{ parameter: 'software', position: position + 1, expected, found: found.slice(0, 40) },
		);
	}

	function faultHere(expected: string): InventoryError {
		const hint = /\s/.test(text[at] ?? '')
			? ' (a plus sign in a URL is written %2B, and values with spaces are put between single quotes)'
			: text[at] === '*'
				? ' (names are compared exactly; an asterisk that is meant is put between single quotes)'
				: '';
		return fault(at, expected + hint, text.slice(at, at + 1));
	}

	function match(pattern: RegExp): string | undefined {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0];
		at += found?.length ?? 0;
		return found;
	}

	return {
		at: () => at,
		fault,
		faultHere,
		isAtEnd: () => at === text.length,
		take(character: string): boolean {
			if (text[at] !== character) return false;
			at++;
			return true;
		},
		field(): (typeof fields)[number] {
			const from = at;
			const word = match(field) ?? text.slice(at, at + 1);
			const known = fields.find((each) => each === word);
			if (!known) throw fault(from, `one of ${fields.join(', ')}`, word);
			return known;
		},
		comparison(): VersionComparison {
			const found = comparisons.find(([written]) => text.startsWith(written, at));
			if (!found) throw faultHere(`one of ${comparisons.map(([written]) => written).join(' ')}`);
			at += found[0].length;
			return found[1];
		},
		/** Up to the next semicolon; or between single quotes, where two of them stand for one. */
		value(expected: string): string {
			if (text[at] !== "'") {
				const word = match(bare);
				if (word === undefined) throw faultHere(expected);
				return word;
			}
			const from = at;
			const found = match(quoted);
			if (found === undefined) throw fault(from, "a text that ends with '", text.slice(from));
			const value = found.slice(1, -1).replaceAll("''", "'");
			if (value === '') throw fault(from, `${expected}, which is not empty`, found);
			return value;
		},
	};
}

/** Whether a package of that name is what a condition asks for; each version is compared once. */
export function packageTest({ type, order, versions }: SoftwareCondition, orderOfType: OrderOfType) {
	const known = new Map<string, boolean>();

	function compute(version: string, softwareType: string | undefined): boolean {
		if (type !== undefined && softwareType !== type) return false;
		const by = order ?? orderOf(orderOfType, softwareType);
		return versions.every((wanted) => {
			const found = compareVersions(by, version, wanted.version);
			// What cannot be compared is only the same, or another one.
			if (found === undefined) return wanted.comparison === (version === wanted.version ? '=' : '!=');
			return holds[wanted.comparison](found);
		});
	}

	return (version: string, softwareType: string | undefined): boolean => {
		const key = softwareType === undefined ? version : `${version}\u0001${softwareType}`;
		const isKnown = known.get(key);
		if (isKnown !== undefined) return isKnown;
		const isWanted = compute(version, softwareType);
		known.set(key, isWanted);
		return isWanted;
	};
}

export function orderOf(orderOfType: OrderOfType, softwareType: string | undefined): VersionOrder {
	return orderOfType.get(softwareType ?? '') ?? 'numeric';
}

const holds: Readonly<Record<VersionComparison, (found: number) => boolean>> = {
	'=': (found) => found === 0,
	'!=': (found) => found !== 0,
	'<': (found) => found < 0,
	'<=': (found) => found <= 0,
	'>': (found) => found > 0,
	'>=': (found) => found >= 0,
};
