import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { HttpError } from './http-error.ts';

export const agentColumn = 'com_cumulocity_model_Agent.active';
/** What a line may say; what would be lost without a word is refused. */
const columns = [
	'ID',
	'AUTH_TYPE',
	'CREDENTIALS',
	'ENROLLMENT_OTP',
	'NAME',
	'TYPE',
	'IDTYPE',
	'TENANT',
	'ICCID',
	'PATH',
	'SHELL',
	agentColumn,
] as const;
export type DeviceColumns = Readonly<Partial<Record<(typeof columns)[number], string>>>;

/** One line of a file: columns that are empty in it are left out. */
export interface DeviceLine {
	/** Where it ends in the file, from 1. */
	readonly number: number;
	readonly values: DeviceColumns;
}

interface ParsedRecord {
	readonly record: readonly string[];
	readonly info: { readonly lines: number };
}

/** Reads a file of devices: the head line names the columns, and its separator holds for all. @throws HttpError `http/invalidBody` */
export function parseDeviceLines(bytes: Buffer, maxLines: number): readonly DeviceLine[] {
	const [head, ...rows] = parseRecords(bytes, maxLines + 1);
	const names = head?.record ?? [];
	const unknown = names.find((name) => !columns.some((column) => column === name));
	if (!names.includes('ID'))
		throw invalid(`The first line must name the columns, ID among them; known are ${columns.join(', ')}`);
	if (unknown !== undefined) throw invalid(`The column '${unknown.slice(0, 100)}' is not known; known are ${columns.join(', ')}`);
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined) throw invalid(`The column '${twice}' comes twice: name each one once`);
	if (rows.length > maxLines) throw invalid(`The file has more than ${maxLines} lines: send several`);
	return rows.map(({ record, info }) => ({
		number: info.lines,
		values: Object.fromEntries(names.map((name, index) => [name, record[index] ?? '']).filter(([, value]) => value !== '')),
	}));
}

function parseRecords(bytes: Buffer, maxRecords: number): readonly ParsedRecord[] {
	if (!isUtf8(bytes)) throw invalid('The file is not text in UTF-8');
	const options = { bom: true, delimiter: separatorOf(bytes), skip_empty_lines: true, trim: true, relax_column_count: true };
	try {
		const parsed: unknown = parse(bytes, { ...options, info: true, to: maxRecords + 1, max_record_size: 64 * 1024 });
		// The library's types do not follow `info`.
		return parsed as readonly ParsedRecord[];
	} catch (error) {
		throw invalid(`The file is not CSV: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read'}`);
	}
}

/** Names of columns hold none of them, so the first one in the file separates. */
function separatorOf(bytes: Buffer): string {
	return /[,;\t]/.exec(bytes.toString('latin1', 0, 4096).split('\n', 1)[0] ?? '')?.[0] ?? ',';
}

function invalid(message: string): HttpError {
	return new HttpError('http/invalidBody', message);
}
