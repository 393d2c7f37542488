import { parseArgs } from 'node:util';

export interface DemoOptions {
	readonly devices: number;
	readonly failureRate: number;
	readonly installMilliseconds: number;
	readonly timeoutSeconds: number;
}

const parameters = [
	{ name: 'devices', unset: 25, min: 1, max: 1000, meaning: 'how many devices there are' },
	{ name: 'failure-rate', unset: 0.1, min: 0, max: 1, meaning: 'how many of the packages cannot be installed, from 0 to 1' },
	{
		name: 'install-milliseconds',
		unset: 1000,
		min: 0,
		max: 60_000,
		meaning: 'how long a device takes for a package, on average',
	},
	{ name: 'timeout-seconds', unset: 120, min: 1, max: 3600, meaning: 'when to give up' },
] as const;
type Name = (typeof parameters)[number]['name'];

export const usage = [
	'npm run demo -- [options]',
	'',
	'Starts the service on a temporary store, connects devices to it that report the packages of this machine,',
	'asks each of them over HTTP to change its software, and shows what has become of it.',
	'',
	...parameters.map(({ name, unset, meaning }) => `  --${`${name} <number>`.padEnd(32)} ${meaning} (${unset})`),
	`  --${'help'.padEnd(32)} this text`,
	'',
].join('\n');

/**
 * The options of the command line; `undefined` when help is asked for.
 * @throws Error that says what is wrong and what would be right
 */
export function readOptions(line: string[]): DemoOptions | undefined {
	const text = { type: 'string' } as const;
	const options = { devices: text, 'failure-rate': text, 'install-milliseconds': text, 'timeout-seconds': text };
	const { values } = parseArgs({ args: line, options: { ...options, help: { type: 'boolean' } } });
	if (values.help) return undefined;
	const read = (wanted: Name): number => {
		const parameter = parameters.find(({ name }) => name === wanted);
		const { unset, min, max } = parameter ?? { unset: 0, min: 0, max: 0 };
		const given = values[wanted];
		const value = given === undefined ? unset : Number(given);
		const isRight = value >= min && value <= max && (wanted === 'failure-rate' || Number.isInteger(value));
		if (!isRight || given === '') throw new Error(`--${wanted} is '${given}': right is a number from ${min} to ${max}`);
		return value;
	};
	return {
		devices: read('devices'),
		failureRate: read('failure-rate'),
		installMilliseconds: read('install-milliseconds'),
		timeoutSeconds: read('timeout-seconds'),
	};
}
