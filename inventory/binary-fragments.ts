import type { BinaryFacts } from './binary-records.ts';

export const binaryFragment = 'c8y_IsBinary';

/** The fragments by which clients see a binary. */
export function binaryFragments({ sha256, length, contentType }: BinaryFacts): Readonly<Record<string, unknown>> {
	return { [binaryFragment]: '', contentType, length, c8y_Digest: { sha256 } };
}

/** Fragments as somebody sent them, without what only the bytes themselves can say. */
export function withoutBinaryFragments(fragments: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const { [binaryFragment]: _marker, contentType: _type, length: _length, c8y_Digest: _digest, ...others } = fragments;
	return others;
}

const binaryAddress = /^(?:https?:\/\/[^/?#\s]+)?\/inventory\/binaries\/([0-9]{1,15})\/?(?:[?#].*)?$/;

/** The ids of all binaries whose addresses are texts anywhere in a JSON value; which host they name does not matter. */
export function binaryIdsIn(value: unknown): string[] {
	const found = new Set<string>();
	collect(value, found);
	return [...found];
}

function collect(value: unknown, found: Set<string>): void {
	if (typeof value === 'string') {
		const [, id] = binaryAddress.exec(value) ?? [];
		if (id !== undefined) found.add(id);
	} else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) collect(item, found);
}

/** Types of the software repository. */
const repositoryTypes: ReadonlySet<string | undefined> = new Set([
	'c8y_Software',
	'c8y_SoftwareBinary',
	'c8y_Firmware',
	'c8y_FirmwareBinary',
	'c8y_ConfigurationDump',
]);

/** The ids of the binaries that an object offers to devices; none where it is not of the software repository. */
export function offeredBinaryIds(type: string | undefined, fragments: Readonly<Record<string, unknown>>): string[] {
	return repositoryTypes.has(type) ? binaryIdsIn(fragments) : [];
}
