import type { AuditChange } from './audit-record.ts';
import type { AuditedDocument, SummaryRow } from './audit-table.ts';
import { type ChangeFacts, type ChangeLimits, shownValue } from './changes.ts';

/** What one batch does to the documents of one source. */
interface Summary {
	readonly row: SummaryRow;
	readonly tenant: string;
	readonly source: string;
	readonly added: Listing;
	readonly removed: Listing;
	readonly replaced: AuditChange[];
	replacedCount: number;
}

/** How many there are, and as many of them, in words, as there is room for. */
interface Listing {
	count: number;
	shown: number;
	text: string;
}

/** Sums up what a batch adds, changes and removes of many small documents: one record for each collection. */
export function createSummaries(limits: ChangeLimits) {
	const summaries = new Map<string, Summary>();

	/** Notes a change of one document; the documents of one batch and collection are those of one source. */
	function add(collection: string, row: SummaryRow, was: AuditedDocument | undefined, is: AuditedDocument | undefined): void {
		const { name, tenant, source } = row.parse((is ?? was)?._id ?? '');
		let summary = summaries.get(collection);
		summary ??= { row, tenant, source, added: listing(), removed: listing(), replaced: [], replacedCount: 0 };
		const detailsOf = (document: AuditedDocument) => shownValue(row.details(document), limits);
		if (!was || !is) {
			const document = is ?? was;
			if (document) list(is ? summary.added : summary.removed, name, () => detailsOf(document));
		} else {
			const [previousValue, newValue] = [detailsOf(was), detailsOf(is)];
			if (previousValue === newValue) return;
			summary.replacedCount++;
			if (summary.replaced.length < limits.changesMax)
				summary.replaced.push({ attribute: name, changeType: 'REPLACED', previousValue, newValue });
		}
		summaries.set(collection, summary);
	}

	function list(to: Listing, name: string, details: () => unknown): void {
		to.count++;
		if (to.shown < to.count - 1 || to.shown >= limits.changesMax) return;
		const said = details();
		const text = `${to.text}${to.shown === 0 ? '' : ', '}${name}${said === '{}' ? '' : ` ${said}`}`;
		if (text.length > limits.valueMaxCharacters) return;
		to.text = text;
		to.shown++;
	}

	function facts(): ChangeFacts[] {
		return [...summaries.values()].map(({ row, tenant, source, added, removed, replaced, replacedCount }) => {
			const counts = [`${added.count} added`, `${replacedCount} changed`, `${removed.count} removed`].filter(
				(count) => !count.startsWith('0 '),
			);
			const rest = replacedCount - replaced.length;
			return {
				tenant,
				type: row.type,
				activity: row.activity,
				text: `${row.activity}: ${source}, ${counts.join(', ')}`,
				source,
				changes: [
					...(added.count > 0
						? [{ attribute: `${added.count} added`, changeType: 'ADDED', newValue: textOf(added) } as const]
						: []),
					...replaced,
					...(rest > 0 ? [{ attribute: `and ${rest} more`, changeType: 'REPLACED' } as const] : []),
					...(removed.count > 0
						? [{ attribute: `${removed.count} removed`, changeType: 'REMOVED', previousValue: textOf(removed) } as const]
						: []),
				],
			};
		});
	}

	return { add, facts };
}

function listing(): Listing {
	return { count: 0, shown: 0, text: '' };
}

function textOf({ count, shown, text }: Listing): string {
	if (shown === 0) return `${count} with long names`;
	return shown < count ? `${text}, and ${count - shown} more` : text;
}

/** Whether two states of a document say the same, whatever the order of their fields. */
export function isSame(a: AuditedDocument | undefined, b: AuditedDocument | undefined): boolean {
	if (!a || !b) return a === b;
	const isEqual = (name: string) => a[name] === b[name] || JSON.stringify(a[name]) === JSON.stringify(b[name]);
	return Object.keys(a).every(isEqual) && Object.keys(b).every(isEqual);
}
