/** Why a line cannot be cut into fields: the field's place in its line (from 1), what is wrong and what would be right. */
export interface CsvFault {
	position: number;
	reason: string;
}

/** The fields of one line; with a fault, those that stand before it. `line` counts from 1. */
export interface CsvRecord {
	line: number;
	fields: string[];
	fault?: CsvFault;
}

const tab = 9;
const lineFeed = 10;
const carriageReturn = 13;
const space = 32;
const quote = 34;
const comma = 44;
const backslash = 92;
const byteOrderMark = 0xfeff;

/**
 * Cuts a payload into lines and fields; never throws, leaves out blank lines, takes time linear in the payload [SR-CSV].
 * A line with a faulty quoted field ends at the first line break after that field's opening quote, so that the lines beside
 * it are still read. After `maximumRecords` the rest is not looked at.
 */
export function decodeRecords(payload: string, maximumRecords = Number.POSITIVE_INFINITY): CsvRecord[] {
	const cursor: Cursor = { text: payload, at: payload.charCodeAt(0) === byteOrderMark ? 1 : 0, line: 1, comma: -1, lineFeed: -1 };
	const records: CsvRecord[] = [];
	while (cursor.at < payload.length && records.length < maximumRecords) {
		const record = readRecord(cursor);
		if (record.fields.length !== 1 || record.fields[0] !== '' || record.fault !== undefined) records.push(record);
	}
	return records;
}

/** Writes fields as one line, each quoted only where it must be: some devices split at every comma. */
export function encodeRecord(fields: readonly string[]): string {
	return fields.map(encodeField).join(',');
}

const needsQuotes = /[",\r\n\t]|^\s|\s$/;

/** Writes one field, quoted only where it must be, with `"` escaped by a backslash. */
export function encodeField(value: string): string {
	return needsQuotes.test(value) ? `"${value.split('"').map(doubleLastBackslashes).join('\\"')}"` : value;
}

/** Before a quote a backslash would be taken for an escape; anywhere else it is an ordinary character. */
function doubleLastBackslashes(text: string): string {
	return text + '\\'.repeat(countBackslashesBefore(text, text.length, 0));
}

/** The next comma and line feed are remembered: looking for them anew in each line would make many short lines quadratic. */
interface Cursor {
	readonly text: string;
	at: number;
	line: number;
	comma: number;
	lineFeed: number;
}

function readRecord(cursor: Cursor): CsvRecord {
	const { text, line } = cursor;
	const fields: string[] = [];
	for (;;) {
		const start = skipBlanks(text, cursor.at);
		let end: number;
		if (text.charCodeAt(start) === quote) {
			const quoted = readQuoted(text, start);
			if (quoted.fault !== undefined) {
				goToNextLine(cursor, start);
				return { line, fields, fault: { position: fields.length + 1, reason: quoted.fault } };
			}
			end = quoted.end;
			cursor.line += countLineFeeds(cursor, start, end);
			fields.push(quoted.value);
		} else {
			end = Math.min(findComma(cursor, start), findLineFeed(cursor, start));
			fields.push(text.slice(start, skipBlanksBack(text, start, end)));
		}
		if (text.charCodeAt(end) !== comma) {
			goToNextLine(cursor, end);
			return { line, fields };
		}
		cursor.at = end + 1;
	}
}

type Quoted = { fault?: undefined; value: string; end: number } | { fault: string };

/** Reads a field from its opening quote up to the comma, the line break or the end that follows it. */
function readQuoted(text: string, opening: number): Quoted {
	let value = '';
	let from = opening + 1;
	for (;;) {
		const at = text.indexOf('"', from);
		if (at === -1) return { fault: 'the quoted field is not closed - close it with a double quote' };
		const run = readQuoteRun(text, from, at);
		value += text.slice(from, at - run.backslashes) + '\\'.repeat(run.backslashesMeant) + '"'.repeat(run.quotesMeant);
		if (run.closes && run.atFieldEnd) return { value, end: run.end };
		if (run.closes) {
			return { fault: 'text follows the closing quote - write a comma after it or escape the quote with a backslash' };
		}
		from = run.next;
	}
}

interface QuoteRun {
	backslashes: number;
	backslashesMeant: number;
	quotesMeant: number;
	closes: boolean;
	atFieldEnd: boolean;
	/** Behind the run. */
	next: number;
	/** Behind the run and the blanks after it. */
	end: number;
}

/**
 * Says what a run of quotes, with the backslashes before it, means. Devices write `\"` or `""`, and those that double leave
 * backslashes alone, so `\""` is a backslash and a quote in one dialect, a quote and the field's end in the other: what
 * follows decides. Only right before a quote can a backslash be an escape, and there a doubled one stands for one.
 */
function readQuoteRun(text: string, from: number, at: number): QuoteRun {
	const backslashes = countBackslashesBefore(text, at, from);
	let next = at + 1;
	while (text.charCodeAt(next) === quote) next++;
	const quotes = next - at;
	const end = skipBlanks(text, next);
	const atFieldEnd = isFieldEnd(text, end);
	const isEscape = backslashes % 2 === 1 && (quotes === 1 || (quotes % 2 === 0) === atFieldEnd);
	const unescaped = isEscape ? quotes - 1 : quotes;
	const halves = isEscape || quotes === 1;
	return {
		backslashes,
		backslashesMeant: halves ? Math.floor(backslashes / 2) : backslashes,
		quotesMeant: Math.floor(unescaped / 2) + (isEscape ? 1 : 0),
		closes: unescaped % 2 === 1,
		atFieldEnd,
		next,
		end,
	};
}

function goToNextLine(cursor: Cursor, from: number): void {
	cursor.at = findLineFeed(cursor, from) + 1;
	cursor.line++;
}

function findComma(cursor: Cursor, from: number): number {
	if (cursor.comma < from) cursor.comma = indexOrEnd(cursor.text, ',', from);
	return cursor.comma;
}

function findLineFeed(cursor: Cursor, from: number): number {
	if (cursor.lineFeed < from) cursor.lineFeed = indexOrEnd(cursor.text, '\n', from);
	return cursor.lineFeed;
}

function indexOrEnd(text: string, character: string, from: number): number {
	const found = text.indexOf(character, from);
	return found === -1 ? text.length : found;
}

function isFieldEnd(text: string, at: number): boolean {
	const code = text.charCodeAt(at);
	return code === comma || code === lineFeed || at >= text.length;
}

function isBlank(code: number): boolean {
	return code === space || code === tab || code === carriageReturn;
}

function skipBlanks(text: string, from: number): number {
	let at = from;
	while (isBlank(text.charCodeAt(at))) at++;
	return at;
}

function skipBlanksBack(text: string, start: number, end: number): number {
	let at = end;
	while (at > start && isBlank(text.charCodeAt(at - 1))) at--;
	return at;
}

function countBackslashesBefore(text: string, end: number, start: number): number {
	let at = end;
	while (at > start && text.charCodeAt(at - 1) === backslash) at--;
	return end - at;
}

function countLineFeeds(cursor: Cursor, start: number, end: number): number {
	let count = 0;
	for (let at = findLineFeed(cursor, start); at < end; at = findLineFeed(cursor, at + 1)) count++;
	return count;
}
