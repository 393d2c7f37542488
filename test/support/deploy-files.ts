import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const root = join(import.meta.dirname, '../..');

/** The text of a file of the project. */
export function readText(path: string): string {
	return readFileSync(join(root, path), 'utf8');
}

/** The documents of a YAML file of the project, in the shape that the caller knows it to have. @throws Error when it is not YAML */
export function readYaml<T>(path: string): T[] {
	return parseAllDocuments(readText(path), { merge: true }).map((document) => {
		const fault = document.errors[0] ?? document.warnings[0];
		if (fault) throw new Error(`${path}: ${fault.message}`);
		return document.toJS();
	});
}

/** The variables of a file of `NAME=value` lines. */
export function readVariables(path: string): Record<string, string> {
	const lines = readText(path)
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'));
	return Object.fromEntries(
		lines.map((line) => {
			const found = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
			if (!found) throw new Error(`${path}: not NAME=value: ${line}`);
			return [found[1], found[2]];
		}),
	);
}

/** Runs a program of others in the project's folder; its output, both streams, is for the message of a test. */
export function check(program: string, ...options: string[]): { readonly failed: boolean; readonly output: string } {
	const { status, stdout, stderr }: SpawnSyncReturns<string> = spawnSync(program, options, { cwd: root, encoding: 'utf8' });
	return { failed: status !== 0, output: `${stdout}${stderr}` };
}
