import { parseArgs } from 'node:util';
import { seedLimit } from './chance.ts';

export interface SoakOptions {
	readonly minutes: number;
	readonly store: 'sqlite' | 'mongodb';
	readonly processes: number;
	readonly devices: number;
	/** Messages about packages a second, of all devices together. */
	readonly rate: number;
	/** Operations a second, for all devices together. */
	readonly operationRate: number;
	/** Decides when which fault happens, and what each device does. */
	readonly seed: number;
	/** A folder for what the processes log. */
	readonly logs?: string;
}

/** What the two stores of a test machine carry while they leave it about half idle. The test MongoDB is many times slower than MongoDB. */
const defaults = {
	sqlite: { processes: '1', devices: '40', rate: '600', 'operation-rate': '15' },
	mongodb: { processes: '2', devices: '12', rate: '24', 'operation-rate': '2' },
} as const;

/** @throws RangeError that names the option and what would be right */
export function parseSoakOptions(words: readonly string[], freshSeed: number): SoakOptions {
	const text = { type: 'string' } as const;
	const { values } = parseArgs({
		args: [...words],
		options: {
			minutes: text,
			store: text,
			processes: text,
			devices: text,
			rate: text,
			'operation-rate': text,
			seed: text,
			logs: text,
		},
	});
	const store: string = values.store ?? 'sqlite';
	if (store !== 'sqlite' && store !== 'mongodb') throw new RangeError(`--store must be sqlite or mongodb, found '${store}'`);
	const given = { minutes: '1', seed: String(freshSeed), ...defaults[store], ...values };
	return {
		minutes: number('--minutes', given.minutes, 0.1, 7 * 24 * 60),
		store,
		processes: whole('--processes', given.processes, store === 'sqlite' ? 1 : 8),
		devices: whole('--devices', given.devices, 1000),
		rate: number('--rate', given.rate, 0.1, 100_000),
		operationRate: number('--operation-rate', given['operation-rate'], 0.1, 10_000),
		seed: whole('--seed', given.seed, seedLimit - 1, 0),
		...(values.logs !== undefined && { logs: values.logs }),
	};
}

function number(option: string, text: string, min: number, max: number): number {
	const value = Number(text);
	if (text !== '' && value >= min && value <= max) return value;
	throw new RangeError(`${option} must be a number from ${min} to ${max}, found '${text}'`);
}

function whole(option: string, text: string, max: number, min = 1): number {
	const value = Number(text);
	if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
	throw new RangeError(`${option} must be a whole number from ${min} to ${max}, found '${text}'`);
}
