import type { Balance } from '../support/ledger.ts';
import type { Finding, Findings } from './findings.ts';
import { growthMaxBytes, type MemoryRecord } from './memory-record.ts';
import type { SoakLedgers } from './soak-ledgers.ts';

export interface Verdict {
	readonly lines: readonly string[];
	readonly isGood: boolean;
}

const namedMax = 50;
const headings = ['', 'sent', 'acknowledged', 'stored', 'delivered', 'lost', 'doubled'];
const kinds = [
	['packages', 'packages (141, 142)'],
	['lists', 'lists of children (140, 141)'],
	['operations', 'operations'],
] as const;

/** The ledgers as a table, and whether everything was as it must be. */
export function judgeSoak(ledgers: SoakLedgers, findings: Findings, memory: readonly MemoryRecord[]): Verdict {
	const named: Finding[] = [...findings.found()];
	const rows = kinds.map(([kind, title]) => {
		const balance = ledgers[kind].balance();
		named.push(...fromBalance(kind, balance));
		const { sent, acknowledged, stored, delivered, lost, doubled } = balance;
		const isDelivered = kind === 'operations';
		const missing = isDelivered ? new Set([...lost, ...balance.undelivered]).size : lost.length;
		return [title, sent, acknowledged, stored, isDelivered ? delivered : '-', missing, doubled.length].map(shown);
	});
	const grown = memory.map((record) => record.read()).filter(({ first, last }) => last - first > growthMaxBytes);
	for (const { name, first, last } of grown)
		named.push({ kind: 'impossible', text: `${name} grew from ${mebibytes(first)} to ${mebibytes(last)}` });
	const total = (kind: Finding['kind']) => named.filter((finding) => finding.kind === kind).length;
	return {
		lines: [
			...table([headings, ...rows]),
			'',
			...table([['memory', 'seconds', 'at its start', 'most', 'at its end'], ...memory.map(memoryRow)]),
			'',
			...[...findings.counts].sort(([a], [b]) => a.localeCompare(b)).map(([what, count]) => `${what}: ${shown(count)}`),
			'',
			...named.slice(0, namedMax).map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
			...(named.length > namedMax ? [`and ${named.length - namedMax} more`] : []),
			`${total('lost')} lost, ${total('doubled')} doubled, ${total('impossible')} that cannot be`,
		],
		isGood: named.length === 0,
	};
}

function fromBalance(kind: keyof SoakLedgers, { lost, doubled, strangers, undelivered }: Balance): Finding[] {
	const finding = (is: Finding['kind'], why: string) => (name: string) => ({ kind: is, text: `${kind}: ${name} ${why}` });
	return [
		...lost.map(finding('lost', 'was acknowledged, and is not stored')),
		...doubled.map(finding('doubled', 'is stored more than once')),
		...strangers.map(finding('impossible', 'was never sent')),
		...(kind === 'operations' ? undelivered.map(finding('lost', 'was acknowledged, and never came to its device')) : []),
	];
}

function memoryRow(record: MemoryRecord): string[] {
	const { name, seconds, first, peak, last } = record.read();
	return [name, seconds.toFixed(0), mebibytes(first), mebibytes(peak), mebibytes(last)];
}

function table(rows: readonly (readonly string[])[]): string[] {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	return rows.map((row) => row.map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0)).join('  '));
}

export function mebibytes(bytes: number): string {
	return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function shown(cell: string | number): string {
	return typeof cell === 'number' ? cell.toLocaleString('en') : cell;
}
