import { parseArgs } from 'node:util';
import { type ChainLink, type ChainReport, verifyChains } from '../audit/index.ts';
import { type Environment, load } from '../config/index.ts';
import { leaveExitCode } from './exit-code.ts';
import { createLog } from './log.ts';
import { hasStore, openStore } from './open-store.ts';
import { parseWords } from './parse-words.ts';
import { UsageError } from './store-place.ts';

/** What the command ends with. */
const exitCodes = { right: 0, failed: 1, usage: 2, broken: 3 } as const;

const helpText = `npm run verify-audit -- [--expect <tenant>:<number>:<hash>]...

Looks at every audit record of the store of these settings: whether each is as it was written, follows the one before it,
and none is missing. With the embedded database, no service may run on it: use a restored backup.

  --expect   the end of a chain as an earlier run printed it: whoever can write to the whole store can build a new chain,
             but none with that hash in it
  --help     shows this text and ends

Where a chain begins with what AUDIT_RETENTION_DAYS has left, that is said; it is all right, for the removal is on record
in the chain. What else is missing is broken.

Ends with 0 when all is right, 1 when it could not be looked at, 2 when the words are wrong, 3 when something is broken.
`;

/** The command `verify-audit`. Sets the exit code. */
export async function verifyAudit(words: string[], environment: Environment, file: string | undefined): Promise<void> {
	await leaveExitCode(exitCodes, async () => run(words, environment, file));
}

async function run(words: string[], environment: Environment, file: string | undefined): Promise<number> {
	const { help, expected } = readWords(words);
	if (help) {
		process.stdout.write(helpText);
		return exitCodes.right;
	}
	const config = load(environment, file);
	// To open an embedded store that is not there would make it.
	if (!hasStore(config)) throw new Error(`there is no store in ${config.store.dataDir}`);
	const opened = await openStore(config, createLog('warn', process.stderr), Date.now);
	try {
		process.stdout.write(`Audit records in ${opened.place}\n`);
		const reports: ChainReport[] = [];
		for await (const report of verifyChains(opened.store, expected)) {
			process.stdout.write(reportText(report));
			reports.push(report);
		}
		const { text, exitCode } = verdictOf(reports);
		process.stdout.write(`${text}\n`);
		return exitCode;
	} finally {
		await opened.close();
	}
}

/** The last line, and what the command ends with. */
export function verdictOf(reports: readonly ChainReport[]): { readonly text: string; readonly exitCode: number } {
	if (reports.some(({ fault }) => fault)) return { text: 'Broken', exitCode: exitCodes.broken };
	if (reports.some(({ isExpectedGone }) => isExpectedGone))
		return { text: 'In order, but not compared with all that was expected', exitCode: exitCodes.failed };
	return { text: 'All right', exitCode: exitCodes.right };
}

/** What is said of one chain, in lines. */
export function reportText({
	tenant,
	records,
	unsealed,
	anchor,
	removalRecord,
	isExpectedGone,
	head,
	fault,
}: ChainReport): string {
	const from = fault || anchor.seq === 0 ? '' : `; those up to ${anchor.seq} were removed by age, as ${removalRecord} tells`;
	const waiting = unsealed > 0 ? `, ${unsealed} not in the chain yet` : '';
	const lines = [`${tenant}: ${records} records in order${waiting}${from}`];
	if (fault) {
		const id = fault.id === undefined ? '' : ` (${fault.id})`;
		lines.push(`${tenant}: BROKEN at ${fault.seq}${id}: ${fault.reason}`);
	}
	if (isExpectedGone)
		lines.push(`${tenant}: what was expected lies among the removed: note the end more often than AUDIT_RETENTION_DAYS`);
	if (!fault && head.seq > 0) lines.push(`  end, to be kept elsewhere: --expect ${tenant}:${head.seq}:${head.hash}`);
	return lines.map((line) => `  ${line}\n`).join('');
}

function readWords(words: string[]): { readonly help: boolean; readonly expected: ReadonlyMap<string, ChainLink> } {
	const options = { expect: { type: 'string', multiple: true }, help: { type: 'boolean' } } as const;
	const { values } = parseWords(() => parseArgs({ args: words.filter((word) => word !== '--'), options }));
	const expected = new Map<string, ChainLink>();
	for (const text of values.expect ?? []) {
		const [, tenant, seq, hash] = /^([^:]+):([0-9]{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
		if (tenant === undefined || hash === undefined)
			throw new UsageError(`--expect must be <tenant>:<number>:<hash>, as an earlier run printed it\n\n${helpText}`);
		if (expected.has(tenant)) throw new UsageError(`--expect may be given once for '${tenant}'`);
		expected.set(tenant, { seq: Number(seq), hash });
	}
	return { help: values.help ?? false, expected };
}
