/** Writes the generated pages; with `--check` only tells which are stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pages } from './docs/pages.ts';

const check = process.argv.includes('--check');

for (const { file, render } of pages) {
	const text = await render();
	if (read(file) === text) continue;
	if (check) {
		process.exitCode = 1;
		process.stdout.write(`${file} is stale: run npm run docs\n`);
		continue;
	}
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, text);
	process.stdout.write(`${file} written\n`);
}

function read(file: string): string | undefined {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
		throw error;
	}
}
