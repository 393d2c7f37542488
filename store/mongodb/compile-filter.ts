import { BSONRegExp, type Document } from 'mongodb';
import type { Comparison, Filter } from '../document-store.ts';
import { segmentsOf } from '../field-path.ts';
import { orderedOf, scalarOf } from '../filter-operand.ts';
import { toWellFormed } from '../text.ts';
import { endOfPrefix } from '../wildcard.ts';
import { encodePath } from './bson-document.ts';

const none: Document = { _id: { $in: [] } };

/** Translates a filter: everything is checked, nothing is passed on that the port does not have. @throws TypeError */
export function compileFilter(filter: Filter): Document {
	const parts: Document[] = [];
	for (const [key, condition] of Object.entries(filter)) {
		if (key === '$and' || key === '$or' || key === '$nor') {
			if (condition !== undefined) parts.push(compileLogic(key, condition));
		} else if (key.startsWith('$')) throw new TypeError(`unknown filter operator '${key}'`);
		else for (const part of compileField(key, condition)) parts.push({ [encodePath(segmentsOf(key))]: part });
	}
	const [first] = parts;
	if (first === undefined) return {};
	return parts.length === 1 ? first : { $and: parts };
}

/** Whether a filter names one document, and which. */
export function pinnedId({ _id }: Filter): string | undefined {
	return typeof _id === 'string' ? _id : undefined;
}

function compileLogic(key: '$and' | '$or' | '$nor', filters: Filter[string]): Document {
	if (!isList<Filter>(filters)) throw new TypeError(`${key} needs a list of filters`);
	const parts = filters.map(compileFilter);
	// MongoDB takes no empty lists.
	if (parts.length === 0) return key === '$or' ? none : {};
	return { [key]: parts };
}

/** The conditions on one field, all of which must hold. */
function compileField(path: string, condition: Filter[string]): Document[] {
	if (condition === undefined) throw new TypeError(`filter: '${path}' is undefined; leave the key out to match anything`);
	if (isList(condition)) throw new TypeError(`filter: '${path}' cannot be compared with a list; use $in`);
	if (typeof condition !== 'object' || condition === null) return [{ $eq: scalarOf(condition) }];
	const plain: Document = {};
	const parts: Document[] = [];
	for (const [operator, operand] of Object.entries(condition)) {
		if (operator === '$wildcard' && operand !== undefined) parts.push(wildcard(operand));
		else if (operand !== undefined) addOperator(plain, operator, operand);
	}
	if (Object.keys(plain).length > 0) parts.push(plain);
	if (parts.length === 0) throw new TypeError(`filter: '${path}' has no condition`);
	return parts;
}

function addOperator(compiled: Document, operator: string, operand: Comparison[keyof Comparison]): void {
	switch (operator) {
		case '$eq':
		case '$ne':
			compiled[operator] = scalarOf(operand);
			return;
		case '$gt':
		case '$gte':
		case '$lt':
		case '$lte':
			compiled[operator] = orderedOf(operand);
			return;
		case '$in':
			if (!isList(operand)) throw new TypeError('$in needs a list');
			compiled.$in = operand.map(scalarOf);
			return;
		case '$exists':
			if (typeof operand !== 'boolean') throw new TypeError('$exists needs true or false');
			compiled.$exists = operand;
			return;
		default:
			throw new TypeError(`unknown filter operator '${operator}'`);
	}
}

/** The range of texts that begin as the pattern does comes with it, so that an index is read there only. */
function wildcard(text: unknown): Document {
	if (typeof text !== 'string') throw new TypeError('$wildcard needs a text');
	const pattern = toWellFormed(text);
	const star = pattern.indexOf('*');
	if (star < 0) return { $eq: pattern };
	const prefix = pattern.slice(0, star);
	const end = prefix === '' ? undefined : endOfPrefix(prefix);
	return { $gte: prefix, ...(end !== undefined && { $lt: end }), $regex: toRegularExpression(pattern) };
}

/**
 * Anchored, and made of literals only. What stands between two stars is taken where it comes first, for good (an atomic group):
 * that is always right, and no pattern of a user can make the database try all combinations.
 * The end is written as "nothing follows", because `$` also matches before a line break.
 */
function toRegularExpression(pattern: string): BSONRegExp {
	const [first = '', ...rest] = pattern.split(/\*+/).map(literal);
	const last = rest.pop() ?? '';
	return new BSONRegExp(`^${first}${rest.map((part) => `(?>[\\s\\S]*?${part})`).join('')}[\\s\\S]*${last}(?![\\s\\S])`);
}

function literal(text: string): string {
	return text.replace(/[!-/:-@[-`{-~]/g, '\\$&').replaceAll('\0', '\\x00');
}

function isList<T>(value: unknown): value is readonly T[] {
	return Array.isArray(value);
}
