import { InventoryError } from '../inventory-error.ts';

const longestQuote = 40;

/** A query that cannot be read: where it went wrong (1 is its first character), what is there, and what would be right. */
export class QueryError extends InventoryError {
	override readonly name = 'QueryError';
	readonly position: number;

	constructor(position: number, expected: string, found: string) {
		const shown = found === '' ? 'the end' : `'${found.slice(0, longestQuote)}'`;
		super('inventory/badQuery', `The query cannot be read at position ${position}: expected ${expected}, found ${shown}`, {
			position,
			expected,
			found: found.slice(0, longestQuote),
		});
		this.position = position;
	}
}
