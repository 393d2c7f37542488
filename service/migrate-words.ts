import { parseArgs } from 'node:util';
import type { Config } from '../config/index.ts';
import { parseWords } from './parse-words.ts';
import { parsePlace, placeOf, type StorePlace, UsageError } from './store-place.ts';

export interface MigrateWords {
	readonly help: boolean;
	readonly verify: boolean;
	readonly from: StorePlace;
	readonly to: StorePlace;
}

const usage = 'migrate --from <store> --to <store>; --help tells more';

/** What the command is told to do. @throws UsageError that shows none of the values */
export function readWords(words: string[], config: Config): MigrateWords {
	const text = { type: 'string', multiple: true } as const;
	const flag = { type: 'boolean' } as const;
	const options = { from: text, to: text, verify: flag, help: flag };
	const { values, positionals } = parseWords(
		() => parseArgs({ args: words, options, allowPositionals: true }),
		`right is ${usage}`,
	);
	const { from = [], to = [], verify = false, help = false } = values;
	const [given, wanted] = [from[0], to[0]];
	if (help) return { help, verify, from: placeOf(config), to: placeOf(config) };
	// The words are not shown: one may be a URL with a password.
	if (positionals.length > 0) throw new UsageError(`a word stands alone: right is ${usage}`);
	if (from.length > 1 || to.length > 1) throw new UsageError(`--from and --to may be given once: right is ${usage}`);
	if (given === undefined) throw new UsageError(`--from is missing: right is ${usage}`);
	if (wanted === undefined && given.startsWith('sqlite:') && !config.mongodb.url)
		throw new UsageError(`MONGODB_URL is not set, and --to is not given: one of them has to say where to: right is ${usage}`);
	const places = {
		from: parsePlace('--from', given, config),
		to: wanted === undefined ? placeOf(config) : parsePlace('--to', wanted, config),
	};
	if (places.from.kind === places.to.kind) {
		const own = places.to.kind === 'sqlite' ? 'copy the directory of the stopped service' : 'use mongodump and mongorestore';
		const unset = wanted === undefined ? ' (--to is not given, so it is the store of the settings)' : '';
		throw new UsageError(`--from and --to are both ${places.to.kind}${unset}: to copy such a store, ${own}`);
	}
	return { help, verify, ...places };
}
