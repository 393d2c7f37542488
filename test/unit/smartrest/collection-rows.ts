import { type CollectionDocument, type CollectionLimits, compileCollection } from '../../../smartrest/collection-document.ts';
import { decodeCollection } from '../../../smartrest/collection-lines.ts';
import type { TemplateCollection } from '../../../smartrest/index.ts';

export const collectionLimits: CollectionLimits = { maximumTemplates: 20, maximumFields: 6, maximumPathSteps: 8 };

/** A collection from its lines, all of which must be good. */
export function documentOf(...lines: readonly string[]): CollectionDocument {
	const decoded = decodeCollection(lines.join('\n'), collectionLimits);
	if (!decoded.ok) throw new Error(JSON.stringify(decoded.faults));
	return decoded.document;
}

export function collectionOf(...lines: readonly string[]): TemplateCollection {
	return compileCollection(documentOf(...lines), collectionLimits);
}
