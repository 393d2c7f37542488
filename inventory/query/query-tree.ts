export type Operator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

export type Value =
	/** The pieces of a text between its wildcards: one piece is a plain text. */
	| { readonly kind: 'text'; readonly parts: readonly string[] }
	/** `text` is the number as it was written: it may have been meant as a text without quotes. */
	| { readonly kind: 'number'; readonly value: number; readonly text: string }
	| { readonly kind: 'boolean'; readonly value: boolean }
	| { readonly kind: 'null' };

export interface Comparison {
	readonly kind: 'compare';
	readonly path: string;
	readonly operator: Operator;
	readonly value: Value;
}

/** A condition on managed objects. Parts of an `and` are no `and`s, parts of an `or` no `or`s; both have two parts or more. */
export type Condition =
	| { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
	| { readonly kind: 'not'; readonly part: Condition }
	| { readonly kind: 'has'; readonly path: string }
	/** Child assets and child additions of an object. */
	| { readonly kind: 'group'; readonly id: string }
	/** An object and everything below it. */
	| { readonly kind: 'hierarchy'; readonly id: string }
	| Comparison;

export type Order = readonly (readonly [path: string, direction: 1 | -1])[];

/** A query as it was read: without a condition, it is about all objects. */
export interface ParsedQuery {
	readonly condition?: Condition;
	readonly order: Order;
}

export interface QueryLimits {
	readonly maxLength: number;
	readonly maxDepth: number;
	/** Comparisons, calls and sort keys. */
	readonly maxTerms: number;
	/** Wildcards in one text. */
	readonly maxWildcards: number;
	/** Characters of a text behind a wildcard, up to the next one. */
	readonly maxWildcardText: number;
}

/** Joins conditions; the depth of the tree does not grow by parentheses that change nothing. */
export function joined(kind: 'and' | 'or', parts: readonly Condition[]): Condition {
	const flat = parts.flatMap((part) => (part.kind === kind ? part.parts : part));
	const [first] = flat;
	return flat.length === 1 && first ? first : { kind, parts: flat };
}

export function negated(part: Condition): Condition {
	return part.kind === 'not' ? part.part : { kind: 'not', part };
}

/** Levels of a tree; a term alone has one. */
export function depthOf(condition: Condition): number {
	if (condition.kind === 'not') return 1 + depthOf(condition.part);
	if (condition.kind !== 'and' && condition.kind !== 'or') return 1;
	return 1 + Math.max(...condition.parts.map(depthOf));
}
