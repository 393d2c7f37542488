import { BSON, type Document } from 'mongodb';
import { DocumentRefusedError, type StoredDocument } from '../document-store.ts';
import { isWellFormed, toWellFormed } from '../text.ts';

/*
 * Field names in the database. MongoDB takes a dot for a path and a leading dollar sign for an operator, BSON ends a name
 * at U+0000, and its driver takes `_bsontype` for a mark of its own. Such names are written with `%`, as in URLs.
 */

/** Counts the requirements that touched a document. No field name is written like this. */
export const touchField = '%t';

/** BSON in the database may be 16 MiB; a little is left for what the command adds. */
const maxBytes = 16 * 1024 * 1024 - 16 * 1024;
const maxDepth = 100;

const escapes: ReadonlyMap<string, string> = new Map([
	['%', '%25'],
	['.', '%2E'],
	['\u0000', '%00'],
]);
const unescapes: ReadonlyMap<string, string> = new Map([
	['%25', '%'],
	['%2E', '.'],
	['%00', '\u0000'],
	['%24', '$'],
	['%5F', '_'],
	['%', ''],
]);

/** A field name as the database holds it. */
export function encodeName(name: string): string {
	if (name === '') return '%';
	if (name === '_bsontype') return '%5Fbsontype';
	const whole = toWellFormed(name).replace(/[%.\0]/g, (character) => escapes.get(character) ?? character);
	return whole.startsWith('$') ? `%24${whole.slice(1)}` : whole;
}

function decodeName(name: string): string {
	return name.replace(/%(25|2E|00|24|5F)?/g, (escaped) => unescapes.get(escaped) ?? escaped);
}

/** A field path, whose dots reach into objects, as the database takes it. */
export function encodePath(segments: readonly string[]): string {
	return segments.map(encodeName).join('.');
}

/** @throws TypeError for what cannot be an id. */
export function checkId(id: string): string {
	if (typeof id !== 'string') throw new TypeError('_id must be a text');
	if (!isWellFormed(id)) throw new TypeError('_id must be well-formed Unicode');
	return id;
}

/** A value as the database holds it, and the bytes that it takes at most. */
export interface EncodedValue<T> {
	readonly value: T;
	readonly bytes: number;
}

/** @throws TypeError for a wrong id, DocumentRefusedError for what MongoDB cannot hold. */
export function encodeDocument(document: StoredDocument): EncodedValue<Document> {
	const { _id, ...fields } = document;
	const size = { bytes: 3 * checkId(_id).length };
	return checkSize({ _id, ...encodeFields(fields, 1, size) }, size.bytes, `the document '${_id}'`);
}

/** What an update sets a field to. @throws DocumentRefusedError for what MongoDB cannot hold. */
export function encodeValue(value: unknown, path: readonly string[]): EncodedValue<unknown> {
	const size = { bytes: 0 };
	const field = encodeOne(value, path.length, size);
	checkSize({ field }, size.bytes, `the value of '${path.join('.')}'`);
	return { value: field, bytes: size.bytes };
}

function checkSize(value: Document, atMost: number, what: string): EncodedValue<Document> {
	// The bound is three times what usual text takes.
	const bytes = atMost > maxBytes ? BSON.calculateObjectSize(value) : atMost;
	if (bytes > maxBytes)
		throw new DocumentRefusedError(`${what} is larger than a document of MongoDB can be: ${bytes} of ${maxBytes} bytes`);
	return { value, bytes };
}

function encodeFields(fields: object, depth: number, size: { bytes: number }): Document {
	if (depth > maxDepth)
		throw new DocumentRefusedError(`the document is nested more than ${maxDepth} levels deep, which MongoDB cannot hold`);
	const encoded: Document = {};
	for (const [name, value] of Object.entries(fields)) {
		if (value === undefined || typeof value === 'function') continue;
		const encodedName = encodeName(name);
		size.bytes += 3 * encodedName.length + 8;
		setField(encoded, encodedName, encodeOne(value, depth, size));
	}
	return encoded;
}

// The same as JSON.stringify takes and leaves.
function encodeOne(value: unknown, depth: number, size: { bytes: number }): unknown {
	switch (typeof value) {
		case 'string':
			size.bytes += 3 * value.length + 8;
			return toWellFormed(value);
		case 'number':
			size.bytes += 8;
			return Number.isFinite(value) ? value : null;
		case 'boolean':
			size.bytes += 1;
			return value;
		case 'object': {
			size.bytes += 8;
			if (value === null) return null;
			if (Array.isArray(value)) return encodeList(value, depth + 1, size);
			if ('toJSON' in value && typeof value.toJSON === 'function') return encodeOne(value.toJSON(), depth, size);
			return encodeFields(value, depth + 1, size);
		}
		default:
			return null;
	}
}

function encodeList(list: readonly unknown[], depth: number, size: { bytes: number }): unknown[] {
	if (depth > maxDepth)
		throw new DocumentRefusedError(`the document is nested more than ${maxDepth} levels deep, which MongoDB cannot hold`);
	// Each element has its position for a name.
	size.bytes += 8 * list.length;
	return list.map((element) => encodeOne(element, depth, size));
}

// An own field `__proto__`, which an assignment would not make.
function setField(target: Document, name: string, value: unknown): void {
	if (name !== '__proto__') target[name] = value;
	else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A document as the port gives it out. What the driver made is used again where it can be. */
export function decodeDocument<T extends StoredDocument>(stored: Document): T {
	delete stored[touchField];
	return decodeOne(stored) as T;
}

function decodeOne(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) {
		for (let position = 0; position < value.length; position++) value[position] = decodeOne(value[position]);
		return value;
	}
	return decodeFields(value);
}

function decodeFields(fields: Document): unknown {
	// Whole numbers that an increment has made larger than a double can tell apart.
	if (fields._bsontype === 'Long') return Number(fields);
	const names = Object.keys(fields);
	const target: Document = names.some((name) => name.includes('%')) ? {} : fields;
	for (const name of names) {
		const value: unknown = fields[name];
		const isSame = target === fields;
		if (isSame && (typeof value !== 'object' || value === null)) continue;
		setField(target, isSame ? name : decodeName(name), decodeOne(value));
	}
	return target;
}
