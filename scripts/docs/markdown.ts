/** A Markdown table. Cells are Markdown; line breaks and bars in them are made harmless. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [headings, headings.map(() => '---'), ...rows];
	return lines.map((cells) => `| ${cells.map(cell).join(' | ')} |\n`).join('');
}

/** The head of a generated page. */
export function pageHead(title: string, source: string): string {
	return `<!-- Made by \`npm run docs\` from ${source}. Do not edit. -->\n\n# ${title}\n`;
}

function cell(text: string): string {
	return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
