import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, type Environment, load } from '../config/index.ts';
import { type ContentsEnd, contentsPart } from '../inventory/index.ts';
import { type CopyEnd, copyStore, openProcessRecords, StoreError } from '../store/index.ts';
import { hasSameContents, openContentStore } from './binary-parts.ts';
import { leaveExitCode } from './exit-code.ts';
import { createLog } from './log.ts';
import { exitCodes, helpText, progressWriter, reportText } from './migrate-texts.ts';
import { readWords } from './migrate-words.ts';
import { collections } from './migrations.ts';
import { hasStore, openStore } from './open-store.ts';
import { onStopSignal } from './stop-signal.ts';
import { configFor, type StorePlace } from './store-place.ts';

/** The command `migrate`: copies one store into another. Sets the exit code. */
export async function migrate(words: string[], environment: Environment, file: string | undefined): Promise<void> {
	await leaveExitCode(exitCodes, async () => run(words, load(environment, file)));
}

async function run(words: string[], config: Config): Promise<number> {
	const { help, verify, from, to } = readWords(words, config);
	if (help) {
		process.stdout.write(helpText);
		return exitCodes.finished;
	}
	const log = createLog('warn', process.stderr);
	const stopping = new AbortController();
	onStopSignal(() => stopping.abort());
	const source = await openEnd('--from', from, config, log);
	try {
		await refuseUsed(source, config);
		const target = await openEnd('--to', to, config, log);
		try {
			const began = performance.now();
			const progress = progressWriter(process.stdout, () => performance.now());
			const { signal } = stopping;
			const isSamePlace = hasSameContents(configFor(config, from), configFor(config, to));
			const parts = [contentsPart(source, target, { isSamePlace })];
			const options = { collections, parts, name: randomUUID(), now: Date.now(), verify, signal, tell: progress };
			process.stdout.write(`Copying ${source.place} into ${target.place}\n`);
			const report = await copyStore({ source, target, ...options });
			process.stdout.write(reportText(report, { source, target, seconds: (performance.now() - began) / 1000 }));
			return exitCodes[report.outcome];
		} finally {
			await target.close();
		}
	} finally {
		await source.close();
	}
}

async function openEnd(
	option: string,
	place: StorePlace,
	config: Config,
	log: Logger,
): Promise<ContentsEnd & { close(): Promise<void> }> {
	const own = configFor(config, place);
	// To open an embedded store that is not there would make it.
	if (option === '--from' && !hasStore(own)) throw new StoreError(`--from: there is no store in ${own.store.dataDir}`);
	const opened = await openStore(own, log, Date.now).catch((error: unknown) => {
		const message = error instanceof Error ? error.message : String(error);
		throw new StoreError(message.replace(/^(DATA_DIR|MONGODB_URL)(?=:)/, option), { cause: error });
	});
	try {
		// Shared, in a way: what seems left over is not for this command to remove.
		const contents = await openContentStore(own, { isShared: true });
		const close = async () => {
			await contents.close();
			await opened.close();
		};
		return { store: opened.store, place: opened.place, contents, close };
	} catch (error) {
		await opened.close();
		throw error;
	}
}

/** Processes that ended without a farewell have left a record; those that run change theirs. */
async function refuseUsed({ store, place }: CopyEnd, { processes: { leaseSeconds } }: Config): Promise<void> {
	const elapsed = () => performance.now();
	const leaseMilliseconds = leaseSeconds * 1000;
	const records = await openProcessRecords({ store, elapsed, leaseMilliseconds });
	await records.look();
	if (records.count() === 0) return;
	process.stdout.write(`Processes have left a record in ${place}: looking for ${2 * leaseSeconds} seconds whether they run\n`);
	const end = elapsed() + 2 * leaseMilliseconds;
	while (elapsed() < end && records.count() > 0) {
		await delay(leaseMilliseconds / 3);
		await records.look();
	}
	if (records.count() > 0) throw new StoreError(`Processes of a service work on ${place} (${records.count()}): stop them first`);
}
