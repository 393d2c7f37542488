import { shownText } from './errors.ts';

/** A value that was read, or why it cannot be; `reason` says what would be right. */
export type ReadValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

interface ValueType {
	readonly meaning: string;
	/** Reads a text; an empty one is a value that the message did not give. */
	readonly read: (text: string, now: number) => ReadValue;
}

/** The types that a value of a request template may have; STRING where none is given. [SR-10] */
export const valueTypes = {
	STRING: { meaning: 'Text, not looked at.', read: (text) => good(text) },
	DATE: { meaning: 'A time in ISO 8601; the time of the service where none is sent.', read: readDate },
	NUMBER: {
		meaning: 'A number.',
		read: (text) => (decimal.test(text) && Number.isFinite(Number(text)) ? good(Number(text)) : bad('a number', text)),
	},
	INTEGER: {
		meaning: 'A whole number.',
		read: (text) => (isWhole(text) ? good(Number(text)) : bad('a whole number', text)),
	},
	UNSIGNED: {
		meaning: 'A whole number that is not negative.',
		read: (text) => (isWhole(text) && !text.startsWith('-') ? good(Number(text)) : bad('a whole number without a sign', text)),
	},
	FLAG: { meaning: 'An empty object; nothing is sent for it.', read: () => good({}) },
	SEVERITY: oneOf('The severity of an alarm', ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING']),
	ALARMSTATUS: oneOf('The status of an alarm', ['ACTIVE', 'ACKNOWLEDGED', 'CLEARED']),
	OPERATIONSTATUS: oneOf('The status of an operation', ['PENDING', 'EXECUTING', 'SUCCESSFUL', 'FAILED']),
} as const satisfies Readonly<Record<string, ValueType>>;

export type ValueTypeName = keyof typeof valueTypes;

const names = Object.keys(valueTypes).join(' ');

/** The type of that name. */
export function parseValueType(text: string): ValueTypeName | undefined {
	return text === '' ? 'STRING' : isValueType(text) ? text : undefined;
}

/** What a type must be, for messages. */
export function valueTypeNames(): string {
	return names;
}

function isValueType(text: string): text is ValueTypeName {
	return Object.hasOwn(valueTypes, text);
}

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const whole = /^[+-]?\d+$/;
const time = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

function isWhole(text: string): boolean {
	return whole.test(text) && Number.isSafeInteger(Number(text));
}

function readDate(text: string, now: number): ReadValue {
	if (text === '') return good(new Date(now).toISOString());
	return time.test(text) ? good(text) : bad('a time in ISO 8601', text);
}

function oneOf(meaning: string, right: readonly string[]): ValueType {
	const list = right.join(' ');
	return {
		meaning: `${meaning}: ${right.join(', ')}.`,
		read: (text) => (right.includes(text) ? good(text) : bad(`one of ${list}`, text)),
	};
}

function good(value: unknown): ReadValue {
	return { ok: true, value };
}

function bad(right: string, text: string): ReadValue {
	return { ok: false, reason: text === '' ? `is missing - it must be ${right}` : `must be ${right} - found ${shownText(text)}` };
}
