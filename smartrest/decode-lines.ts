import { type CsvRecord, decodeRecords } from './csv.ts';
import type { BadLine } from './errors.ts';

/** Decodes each line of a payload, in order; those after `maximumLines` give one bad line together. */
export function decodeLines<Line>(
	payload: string,
	maximumLines: number,
	decodeLine: (record: CsvRecord) => Line | BadLine,
): (Line | BadLine)[] {
	const records = decodeRecords(payload, maximumLines + 1);
	const lines = (records.length > maximumLines ? records.slice(0, maximumLines) : records).map(decodeLine);
	const surplus = records[maximumLines];
	if (surplus !== undefined) {
		lines.push(
			tooLarge(surplus.line, `the payload has more than ${maximumLines} lines - this one and those after it are not read`),
		);
	}
	return lines;
}

export function tooLarge(line: number, reason: string): BadLine {
	return { ok: false, error: 'tooLarge', line, templateId: '', position: 1, reason };
}
