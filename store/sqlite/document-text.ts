import { decodeText, toWellFormedJson } from './values.ts';

/*
 * The column `doc` holds a document without its `_id`, which is the row's key: each document is shorter by it,
 * and a query that passes documents on without their ids takes the column as it is.
 */

/** A document as the column holds it. */
export function storedText(document: object): string {
	// As fast as the document alone, and a member that is undefined is left out.
	return toWellFormedJson(JSON.stringify({ ...document, _id: undefined }));
}

/** The whole document's text. `id` is the row's key. */
export function wholeText(id: string, doc: string): string {
	return `{"_id":${JSON.stringify(decodeText(id))}${doc === '{}' ? '}' : `,${doc.slice(1)}`}`;
}

/** The whole document. `id` is the row's key. */
export function parseStored(id: string, doc: string): Record<string, unknown> {
	return JSON.parse(wholeText(id, doc));
}

/**
 * `decodeText` in SQL, of a column or an expression: in text that `replace` reads from the left, as it does, pairs are found where
 * they were written.
 */
export function decodedSql(text: string): string {
	return `CASE instr(${text}, char(1)) WHEN 0 THEN ${text} ELSE replace(replace(${text}, char(1, 1), char(0)), char(1, 2), char(1)) END`;
}

/** The whole document's text as an SQL expression on the columns `id` and `doc`. */
export const wholeTextSql = `'{"_id":' || json_quote(${decodedSql('id')}) || CASE doc WHEN '{}' THEN '}' ELSE ',' || substr(doc, 2) END`;
