import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import jsTokens, { type Token } from 'js-tokens';

const root = join(import.meta.dirname, '../..');
const foreign = /^(\..*|node_modules|dist|data|docs)$/;

/** What a file imports or exports from: a path from the project's root, or a package (`node:` ones too). */
export type Import = { readonly path: string } | { readonly package: string };

/** One TypeScript file of the project. */
export interface SourceFile {
	/** From the project's root, with slashes. */
	readonly path: string;
	readonly lines: number;
	readonly imports: readonly Import[];
	/** The text without comments and without what stands in quotes or patterns, one space between tokens. */
	readonly code: string;
}

/** Every TypeScript file of the project. */
export function sourceFiles(folder = ''): SourceFile[] {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		if (foreign.test(entry.name)) return [];
		const path = posix.join(folder, entry.name);
		if (entry.isDirectory()) return sourceFiles(path);
		return path.endsWith('.ts') ? [parseSource(path, readFileSync(join(root, path), 'utf8'))] : [];
	});
}

export function parseSource(path: string, text: string): SourceFile {
	const tokens = [...jsTokens(text)].filter(
		({ type }) => !/^(WhiteSpace|LineTerminatorSequence|SingleLineComment|MultiLineComment|HashbangComment)$/.test(type),
	);
	return {
		path,
		lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
		imports: importsOf(path, tokens),
		code: tokens.map(({ type, value }) => (/String|Template|RegularExpression/.test(type) ? "''" : value)).join(' '),
	};
}

/** `from '…'`, `import '…'` and `import('…')`. */
function importsOf(path: string, tokens: readonly Token[]): Import[] {
	return tokens.flatMap((token, index): Import[] => {
		if (token.type !== 'StringLiteral') return [];
		const before = tokens[index - 1]?.value;
		const isImport = before === 'from' || before === 'import' || (before === '(' && tokens[index - 2]?.value === 'import');
		if (!isImport) return [];
		const target = token.value.slice(1, -1);
		if (target.startsWith('.')) return [{ path: posix.join(posix.dirname(path), target) }];
		return [{ package: target.split('/', target.startsWith('@') ? 2 : 1).join('/') }];
	});
}
