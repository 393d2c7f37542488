import type { Logger } from 'pino';
import type { Operation } from '../../operations/index.ts';
import { encodeResponses, parseTopic } from '../../smartrest/index.ts';
import { sourceOf, toOperationDocument } from './operation-messages.ts';
import type { Session } from './session.ts';
import type { TemplateCollections } from './template-collections.ts';

export type CustomOperations = ReturnType<typeof createCustomOperations>;

/** Writes operations by the response templates of the collections that devices listen to. [SR-11] */
export function createCustomOperations(options: {
	readonly collections: TemplateCollections;
	readonly log: Logger;
	readonly limits: { readonly downlinkMaxBytes: number; readonly visitsMax: number };
}) {
	const { collections, log, limits } = options;

	/** The lines for one topic, one message; `undefined` where no template fits, and nothing is sent. */
	async function toLines(session: Session, topic: string, operation: Operation): Promise<string | undefined> {
		const xId = collectionOf(session, topic);
		const known = xId === undefined ? undefined : await collections.find(operation.tenant, xId);
		const prefix = sourceOf(operation)?.externalId;
		if (!known || prefix === undefined) return undefined;
		const rendered = encodeResponses(known.templates, toOperationDocument(operation), {
			prefix,
			maximumBytes: limits.downlinkMaxBytes,
			budget: { visits: limits.visitsMax },
		});
		if (rendered.ok) return rendered.lines.length > 0 ? rendered.lines.join('\n') : undefined;
		const { tenant, id } = operation;
		log.warn({ tenant, device: session.serial, operation: id, collection: xId }, `an operation was not sent: ${rendered.reason}`);
		return undefined;
	}

	return { toLines };
}

/** Whether operations are sent on a topic by a collection: one that is named, not all of them. */
export function isCustomTopic(topic: string): boolean {
	const parsed = parseTopic(topic);
	return parsed?.direction === 'down' && (parsed.kind === 'custom' || parsed.kind === 'default');
}

function collectionOf(session: Session, topic: string): string | undefined {
	const parsed = parseTopic(topic);
	return parsed?.kind === 'custom' ? parsed.collection : session.defaultCollection;
}
