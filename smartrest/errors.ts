import { encodeRecord } from './csv.ts';

/** The codes that begin a line on `s/e`, by the reason that they stand for [SR-E]. */
export const errorCodes = {
	badLine: { code: '40', meaning: 'The line cannot be read or lacks a mandatory value.' },
	refused: { code: '41', meaning: 'The line is well-formed, but what it asks for cannot be done.' },
	tooLarge: { code: '42', meaning: 'The payload is larger, or has more lines, than is accepted.' },
	notSupported: { code: '50', meaning: 'The template, or what it asks for, is not served here.' },
	failed: { code: '51', meaning: 'The service failed; the same line may be sent again later.' },
} as const;

/** The name of an error code. */
export type ErrorName = keyof typeof errorCodes;

/** A line of a payload that could not be decoded: which one, at which field (from 1), why, and what would be right. */
export interface BadLine {
	ok: false;
	error: ErrorName;
	line: number;
	/** The first field as it was sent, cut to 32 characters; `''` if there is none. */
	templateId: string;
	position: number;
	/** Free of commas, quotes and line breaks. */
	reason: string;
}

/** A template id as it goes back to the device on `s/e`, where a whole foreign payload must not be echoed. */
export function cutTemplateId(id: string): string {
	return id.length > 32 ? Array.from(id.slice(0, 64)).slice(0, 32).join('') : id;
}

/** What was sent, as it may stand in a message on `s/e`. */
export function shownText(text: string): string {
	return text.replaceAll(/[",\p{Cc}]/gu, ' ').slice(0, 60);
}

/** The longest text that a line on `s/e` carries; a longer one is cut. */
const maximumTextBytes = 500;

/** Writes the line for `s/e`: `<code>,<template id>,<text>` [SR-E]; a text above 500 bytes is cut, never inside a character. */
export function encodeError(error: ErrorName, templateId: string, text: string): string {
	return encodeRecord([errorCodes[error].code, templateId, cutToBytes(text, maximumTextBytes)]);
}

/** Writes the line for `s/e` that says what is wrong with a bad line and where [SR-E]. */
export function encodeBadLine(bad: BadLine): string {
	return encodeError(bad.error, bad.templateId, `line ${bad.line} position ${bad.position}: ${bad.reason}`);
}

function cutToBytes(text: string, maximumBytes: number): string {
	if (Buffer.byteLength(text) <= maximumBytes) return text;
	let bytes = 0;
	let end = 0;
	for (const character of text) {
		bytes += Buffer.byteLength(character);
		if (bytes > maximumBytes) break;
		end += character.length;
	}
	return text.slice(0, end);
}
