/** `*` stands for any characters, everything else for itself; the whole text must match. */
export function matchesWildcard(text: string, pattern: string): boolean {
	const parts = pattern.split('*');
	const first = parts[0] ?? '';
	if (parts.length === 1) return text === first;
	const last = parts[parts.length - 1] ?? '';
	if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
	let position = first.length;
	const end = text.length - last.length;
	for (const part of parts.slice(1, -1)) {
		const found = text.indexOf(part, position);
		if (found < 0 || found + part.length > end) return false;
		position = found + part.length;
	}
	return true;
}

/** The first text, in UTF-8 order, behind all texts that start with the prefix; undefined when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
	const points = Array.from(prefix);
	for (;;) {
		const point = points.pop()?.codePointAt(0);
		if (point === undefined) return undefined;
		if (point === 0x10ffff) continue;
		return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
	}
}
