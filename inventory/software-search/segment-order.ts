/** Compares runs of digits as the numbers they are, however long. */
export function compareDigits(a: string, b: string): number {
	const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
	return left.length === right.length ? compareTexts(left, right) : left.length - right.length;
}

/** In the order of UTF-16 code units, which is that of ASCII where that is all there is. */
export function compareTexts(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
