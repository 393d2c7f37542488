/** Names inside the database; collections, indexes and columns have passed `layOut`, so they hold no quote. */

export function tableName(collection: string): string {
	return `"c:${collection}"`;
}

export function sideTable(collection: string, index: string): string {
	return `"s:${collection}:${index}"`;
}

export function indexName(collection: string, index: string): string {
	return `"i:${collection}:${index}"`;
}

/** A field path as the name of its column. */
export function quote(path: string): string {
	return `"f:${path}"`;
}
