import { expectedValue, fieldOf, isPath } from './fields.ts';
import { createLexer, piecesOf, type Token } from './lexer.ts';
import { QueryError } from './query-error.ts';
import {
	type Condition,
	depthOf,
	joined,
	negated,
	type Operator,
	type Order,
	type ParsedQuery,
	type QueryLimits,
	type Value,
} from './query-tree.ts';

const operators: ReadonlySet<string> = new Set<Operator>(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);
const operatorNames = 'an operator (eq, ne, lt, le, gt, ge)';
const calls = 'has, hasany, bygroupid, isinhierarchyof';
const numberPattern = /^(-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fdlFDL]?$/;
const longestNumber = 40;
const words: Readonly<Record<string, Value>> = {
	true: { kind: 'boolean', value: true },
	false: { kind: 'boolean', value: false },
	null: { kind: 'null' },
};

/** What is inside one pair of parentheses: alternatives that are complete, and the conditions of the one being read. */
interface Level {
	readonly isNegated: boolean;
	readonly alternatives: Condition[];
	conditions: Condition[];
}

/**
 * Reads `$filter=… $orderby=…`; both parts may be missing, and so may the prefix of the first.
 * It goes through the query once, and needs no stack for parentheses, however deep.
 * @throws QueryError
 */
export function parseQuery(query: string, limits: QueryLimits): ParsedQuery {
	if (query.length > limits.maxLength)
		throw new QueryError(
			limits.maxLength + 1,
			`a query of at most ${limits.maxLength} characters`,
			query.slice(limits.maxLength),
		);
	const lexer = createLexer(query);
	let token = lexer.next();
	let terms = 0;

	function advance(): Token {
		const taken = token;
		token = lexer.next();
		return taken;
	}

	function refuse(expected: string, { at, raw }: Pick<Token, 'at' | 'raw'> = token): never {
		throw new QueryError(at + 1, expected, raw);
	}

	function expect(kind: Token['kind'], expected: string): Token {
		return is(kind) ? advance() : refuse(expected);
	}

	function countTerm(at: Token): void {
		if (++terms > limits.maxTerms) refuse(`at most ${limits.maxTerms} terms`, at);
	}

	function path(): string {
		const found = is('word') ? advance() : refuse('a path such as c8y_Software.version');
		return isPath(found.raw) ? found.raw : refuse('a path such as c8y_Software.version', found);
	}

	function id(): string {
		const found = is('word') || is('text') ? advance() : refuse('an id: decimal digits');
		const digits = found.kind === 'text' ? found.raw.slice(1, -1) : found.raw;
		return /^[0-9]{1,15}$/.test(digits) ? digits : refuse('an id: decimal digits', found);
	}

	function call(name: Token): Condition {
		expect('(', 'an opening parenthesis');
		const condition = argumentsOf(name);
		expect(')', 'a closing parenthesis');
		return condition;
	}

	function argumentsOf(name: Token): Condition {
		switch (name.raw.toLowerCase()) {
			case 'has':
				return { kind: 'has', path: path() };
			case 'bygroupid':
				return { kind: 'group', id: id() };
			case 'isinhierarchyof':
				return { kind: 'hierarchy', id: id() };
			case 'hasany': {
				const parts: Condition[] = [{ kind: 'has', path: path() }];
				while (is(',')) {
					countTerm(advance());
					parts.push({ kind: 'has', path: path() });
				}
				return joined('or', parts);
			}
			default:
				return refuse(`one of the functions ${calls}`, name);
		}
	}

	function term(): Condition {
		const first = is('word') ? advance() : refuse('a condition');
		countTerm(first);
		if (is('(')) return call(first);
		if (!isPath(first.raw)) refuse('a path such as c8y_Software.version', first);
		const operator = token.raw.toLowerCase();
		if (!is('word') || !isOperator(operator)) refuse(operatorNames);
		advance();
		const given = is('word') || is('text') ? advance() : refuse('a value');
		const value = readValue(given);
		const expected = expectedValue(fieldOf(first.raw), operator, value);
		if (expected !== undefined) refuse(expected, given);
		if (value.kind === 'text' && value.parts.length - 1 > limits.maxWildcards)
			refuse(`a text with at most ${limits.maxWildcards} wildcards`, given);
		// At each character of what is looked at, a database may try all of them.
		if (value.kind === 'text' && value.parts.slice(1).some((part) => part.length > limits.maxWildcardText))
			refuse(`a text with at most ${limits.maxWildcardText} characters between two wildcards, or behind the last one`, given);
		return { kind: 'compare', path: first.raw, operator, value };
	}

	function condition(): Condition | undefined {
		if (is('end') || is('orderby')) return undefined;
		const levels: Level[] = [];
		let level: Level = { isNegated: false, alternatives: [], conditions: [] };
		for (;;) {
			let isNegated = false;
			while (isWord('not')) {
				advance();
				isNegated = !isNegated;
			}
			if (is('(')) {
				advance();
				levels.push(level);
				level = { isNegated, alternatives: [], conditions: [] };
				continue;
			}
			const one = term();
			level.conditions.push(isNegated ? negated(one) : one);
			for (;;) {
				if (isWord('and')) break;
				if (isWord('or')) {
					level.alternatives.push(joined('and', level.conditions));
					level.conditions = [];
					break;
				}
				const whole = joined('or', [...level.alternatives, joined('and', level.conditions)]);
				const above = levels.at(-1);
				if (is(')') && above) {
					if (depthOf(whole) > limits.maxDepth) refuse(`conditions nested at most ${limits.maxDepth} deep`);
					advance();
					above.conditions.push(level.isNegated ? negated(whole) : whole);
					levels.pop();
					level = above;
					continue;
				}
				if ((!is('end') && !is('orderby')) || above)
					refuse(above ? "'and', 'or' or a closing parenthesis" : "'and', 'or', $orderby= or the end");
				if (depthOf(whole) > limits.maxDepth) refuse(`conditions nested at most ${limits.maxDepth} deep`);
				return whole;
			}
			advance();
		}
	}

	function order(): Order {
		const keys: [path: string, direction: 1 | -1][] = [];
		if (!is('orderby')) return keys;
		do {
			advance();
			countTerm(token);
			const key = path();
			const isDescending = isWord('desc');
			if (isDescending || isWord('asc')) advance();
			keys.push([key, isDescending ? -1 : 1]);
		} while (is(','));
		expect('end', 'asc, desc, a comma or the end');
		return keys;
	}

	function is(kind: Token['kind']): boolean {
		return token.kind === kind;
	}

	function isWord(text: string): boolean {
		return is('word') && token.raw.toLowerCase() === text;
	}

	const whole = condition();
	return { ...(whole && { condition: whole }), order: order() };
}

function isOperator(text: string): text is Operator {
	return operators.has(text);
}

/** A word may be a number, true, false, null or a text without quotes. */
function readValue(token: Token): Value {
	if (token.kind === 'word') {
		const { raw } = token;
		const word = Object.hasOwn(words, raw) ? words[raw] : undefined;
		if (word) return word;
		const digits = raw.length <= longestNumber ? numberPattern.exec(raw)?.[1] : undefined;
		if (digits !== undefined && Number.isFinite(Number(digits))) return { kind: 'number', value: Number(digits), text: raw };
	}
	return { kind: 'text', parts: piecesOf(token) };
}
