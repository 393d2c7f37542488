import type { AuditChange, AuditFacts, AuditValue } from './audit-record.ts';
import type { AuditedDocument, ChangesRow } from './audit-table.ts';
import { sha256 } from './record-hash.ts';
import { isSecret, withoutSecrets } from './secrets.ts';

/** What a record says of a change, but for who made it and when. */
export type ChangeFacts = Pick<AuditFacts, 'tenant' | 'type' | 'activity' | 'text' | 'source' | 'changes'>;

export interface ChangeLimits {
	/** Characters of one value; a longer one is replaced by its digest and length. */
	readonly valueMaxCharacters: number;
	/** Attributes of one record; those beyond are named together. */
	readonly changesMax: number;
}

/** What is said in the place of a secret. */
export const hidden = '(secret)';

/** What is different between two states of a document; nothing where only left out fields are. */
export function changesBetween(
	row: ChangesRow,
	before: AuditedDocument | undefined,
	after: AuditedDocument | undefined,
	limits: ChangeLimits,
): AuditChange[] {
	const [old, fresh] = [attributesOf(row, before), attributesOf(row, after)];
	const names = [...new Set([...old.keys(), ...fresh.keys()])];
	const changed = names.filter((name) => JSON.stringify(old.get(name)) !== JSON.stringify(fresh.get(name)));
	const shown = changed.slice(0, limits.changesMax).map((name): AuditChange => {
		const isHidden = row.secret?.includes(name) ?? false;
		const value = (of: ReadonlyMap<string, unknown>) =>
			isHidden || isSecret(name, of.get(name)) ? hidden : shownValue(of.get(name), limits);
		const [was, is] = [old.has(name), fresh.has(name)];
		return {
			attribute: name,
			changeType: was && is ? 'REPLACED' : is ? 'ADDED' : 'REMOVED',
			...(was && { previousValue: value(old) }),
			...(is && { newValue: value(fresh) }),
		};
	});
	const rest = changed.slice(limits.changesMax);
	if (rest.length === 0) return shown;
	return [...shown, { attribute: `and ${rest.length} more`, changeType: 'REPLACED', newValue: shownValue(rest, limits) }];
}

/** Whether an update of these paths changes nothing that is on record. */
export function isLeftOut({ leftOut }: ChangesRow, paths: readonly string[]): boolean {
	return paths.every((path) => leftOut.some((each) => path === each || path.startsWith(`${each}.`)));
}

function attributesOf(row: ChangesRow, document: AuditedDocument | undefined): Map<string, unknown> {
	const attributes = new Map<string, unknown>();
	const { leftOut, spread = {} } = row;
	for (const [name, value] of Object.entries(document ?? {})) {
		if (name !== '_id' && value !== undefined && !leftOut.includes(name) && !isSpread(spread, name, value))
			attributes.set(name, value);
	}
	for (const [name, prefix] of Object.entries(spread)) {
		const value = document?.[name];
		if (!isSpread(spread, name, value)) continue;
		for (const [inner, item] of Object.entries(value)) {
			if (item === undefined || leftOut.includes(`${name}.${inner}`)) continue;
			// A fragment may be called as a field is.
			attributes.set(attributes.has(prefix + inner) ? `${name}.${inner}` : prefix + inner, item);
		}
	}
	return attributes;
}

function isSpread(spread: NonNullable<ChangesRow['spread']>, name: string, value: unknown): value is object {
	return Object.hasOwn(spread, name) && typeof value === 'object' && value !== null;
}

/** A value as a record holds it: without secrets, and not too long. */
export function shownValue(value: unknown, { valueMaxCharacters }: ChangeLimits): AuditValue {
	const open = withoutSecrets(value, hidden);
	if (typeof open === 'number' || typeof open === 'boolean' || open === null) return open;
	const text = typeof open === 'string' ? open : (JSON.stringify(open) ?? '');
	return text.length <= valueMaxCharacters ? text : `sha256:${sha256(text)} of ${text.length} characters`;
}
