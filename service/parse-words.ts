import { UsageError } from './store-place.ts';

/** What a command is told, as `parse` reads it. @throws UsageError that says what is wrong, and `right` */
export function parseWords<T>(parse: () => T, right = '--help tells more'): T {
	try {
		return parse();
	} catch (error) {
		if (error instanceof TypeError) throw new UsageError(`${error.message}; ${right}`);
		throw error;
	}
}
