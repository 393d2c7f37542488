/** Whether a text consists of these pieces, in order, with anything between them. */
export function matchesPieces(text: string, pieces: readonly string[]): boolean {
	const [first = '', ...rest] = pieces;
	const last = rest.pop();
	if (last === undefined) return text === first;
	if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
	const end = text.length - last.length;
	let position = first.length;
	for (const piece of rest) {
		const found = text.indexOf(piece, position);
		if (found < 0 || found + piece.length > end) return false;
		position = found + piece.length;
	}
	return true;
}
