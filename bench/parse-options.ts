import { type ParseArgsConfig, parseArgs } from 'node:util';

const common = {
	/** Prints, but leaves the pages as they are. */
	'no-write': { type: 'boolean', default: false },
	help: { type: 'boolean', default: false },
} as const;

const commonUsage = `  --no-write                prints, but leaves the pages as they are
  --help                    shows this text and ends
`;

/** The options of a command, its own and the common ones. With `--help` it tells of them, and the process ends. */
export function parseOptions<const T extends NonNullable<ParseArgsConfig['options']>>(usage: string, own: T) {
	const options: T & typeof common = { ...own, ...common };
	const { values } = parseArgs<{ options: T & typeof common }>({ options });
	if ('help' in values && values.help === true) {
		process.stdout.write(usage + commonUsage);
		process.exit(0);
	}
	return values;
}
