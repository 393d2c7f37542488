import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import type { Findings } from './findings.ts';
import { createMemoryRecord, type MemoryRecord } from './memory-record.ts';

/** A place in the fleet, where one process follows the other. */
export interface FleetPlace {
	readonly name: string;
	process: ServiceProcess | undefined;
	/** Whether somebody has ended it on purpose. */
	isEnding: boolean;
}

export type ServiceFleet = ReturnType<typeof createServiceFleet>;

const startsMax = 5;

/** The processes of the service, equal to each other, that are ended and started again. */
export function createServiceFleet(options: {
	readonly count: number;
	readonly settings: Readonly<Record<string, string>>;
	readonly findings: Findings;
	/** A folder that keeps what each process logs. */
	readonly logs?: string | undefined;
}) {
	const { count, settings, findings, logs } = options;
	if (logs !== undefined) mkdirSync(logs, { recursive: true });
	const places: FleetPlace[] = Array.from({ length: count }, (_, index) => ({
		name: `process ${index + 1}`,
		process: undefined,
		isEnding: true,
	}));
	const memory: MemoryRecord[] = [];
	let startCount = 0;
	let isClosed = false;

	async function start(place: FleetPlace): Promise<void> {
		for (let attempt = 1; ; attempt++) {
			try {
				const started = await startServiceProcess(settings);
				if (isClosed) return await started.kill();
				startCount++;
				memory.push(createMemoryRecord(`${place.name}, start ${startCount}`, started.pid));
				place.process = started;
				place.isEnding = false;
				void noteEnd(place, started);
				return;
			} catch (error) {
				// It may have come up while its database was away; whoever keeps processes running starts it again.
				findings.count('starts that failed');
				if (isClosed) return;
				if (attempt === startsMax) throw error;
				await delay(500);
			}
		}
	}

	async function noteEnd(place: FleetPlace, process: ServiceProcess): Promise<void> {
		const code = await process.ended;
		if (place.process !== process || place.isEnding || isClosed) return;
		findings.wrong('impossible', `${place.name} ended by itself with ${code}: ${process.output.slice(-5).join(' | ')}`);
		place.process = undefined;
		await start(place);
	}

	/** kill -9. */
	async function kill(place: FleetPlace): Promise<void> {
		place.isEnding = true;
		await place.process?.kill();
		drop(place);
	}

	/** SIGTERM. Devices that leave it find the others. */
	async function stop(place: FleetPlace): Promise<void> {
		place.isEnding = true;
		const code = await place.process?.end();
		if (code !== undefined && code !== 0)
			findings.wrong(
				'impossible',
				`${place.name} ended with ${code} when it was asked to: ${place.process?.output.slice(-5).join(' | ')}`,
			);
		drop(place);
	}

	function drop(place: FleetPlace): void {
		noteLog(place);
		place.process = undefined;
	}

	async function pause(place: FleetPlace, milliseconds: number): Promise<void> {
		const { process } = place;
		process?.pause();
		await delay(milliseconds);
		process?.resume();
	}

	/** Counts the warnings and errors of the log, and forgets the log. */
	function noteLog({ name, process }: FleetPlace): void {
		const lines = process?.output.splice(0) ?? [];
		if (logs !== undefined && lines.length > 0) appendFileSync(join(logs, `${name}.log`), `${lines.join('\n')}\n`);
		for (const line of lines) {
			const level = /^\{"level":([456]0)/.exec(line)?.[1];
			if (level) findings.count(`log: ${/"msg":"([^"]*)"/.exec(line)?.[1] ?? line}`);
		}
	}

	function noteMemory(): void {
		for (const record of memory) record.note();
		for (const place of places) noteLog(place);
	}

	const killAll = async (): Promise<void> => void (await Promise.all(places.map(kill)));

	const running = (): ServiceProcess[] => places.flatMap(({ process, isEnding }) => (process && !isEnding ? [process] : []));

	return {
		places,
		memory: memory as readonly MemoryRecord[],
		start,
		kill,
		stop,
		pause,
		noteMemory,
		mqtt: () => running().map(({ mqtt }) => mqtt),
		http: () => running().map(({ http }) => http),
		startAll: () => Promise.all(places.map(start)),
		killAll,
		/** For good: what is just starting is ended, too. */
		close: async () => {
			isClosed = true;
			await killAll();
		},
	};
}
