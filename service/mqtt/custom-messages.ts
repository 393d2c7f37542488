import { isUtf8 } from 'node:buffer';
import type { Logger } from 'pino';
import {
	type CollectionLimits,
	type CustomRequest,
	cutTemplateId,
	decodeCollection,
	decodeRequests,
	encode,
	encodeBadLine,
	encodeError,
	encodeResponses,
	type TemplateCollection,
	type Topic,
	type VisitBudget,
} from '../../smartrest/index.ts';
import type { Metrics } from '../metrics.ts';
import type { CustomHandlers, Json } from './custom-handlers.ts';
import { createLineAnswers, type LineAnswers } from './line-answers.ts';
import { LineError, toRefusal } from './line-error.ts';
import type { Outbound } from './outbound.ts';
import { receiptOf } from './receipt.ts';
import { type IncomingPublish, type Session, sendIfSubscribed } from './session.ts';
import { isGone, type Targets } from './targets.ts';
import type { TemplateCollections } from './template-collections.ts';

export type CustomTopic = Extract<Topic, { kind: 'template' | 'custom' | 'default'; direction: 'up' }>;
export type CustomMessages = ReturnType<typeof createCustomMessages>;

/** Where a payload comes from, and where it is answered. */
interface Source {
	readonly session: Session;
	readonly publish: IncomingPublish;
	readonly child: string | undefined;
	/** The topic of answers by response templates. */
	readonly answerTopic: string;
	readonly templates: TemplateCollection;
	readonly answers: LineAnswers;
	/** What all answers to one publish may look at. */
	readonly budget: VisitBudget;
}

/** What devices say by template collections, and the registration of these. A bad line answers on `s/e` and spoils nothing beside it. */
export function createCustomMessages(options: {
	readonly collections: TemplateCollections;
	readonly handlers: CustomHandlers;
	readonly targets: Targets;
	readonly outbound: Outbound;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly clock: () => number;
	readonly limits: CollectionLimits & {
		readonly payloadMaxBytes: number;
		readonly linesMax: number;
		readonly downlinkMaxBytes: number;
		readonly visitsMax: number;
	};
}) {
	const { collections, handlers, targets, outbound, metrics, log, clock, limits } = options;

	/** @throws StoreError when it must be sent again */
	async function handle(session: Session, publish: IncomingPublish, topic: CustomTopic): Promise<void> {
		metrics.mqttMessages.add('up', topic.kind);
		const answers = createLineAnswers((line) => {
			metrics.mqttErrors.inc({ kind: 'refused custom line' });
			log.debug({ tenant: session.principal.tenant, device: session.serial, answer: line }, 'refused custom line');
			sendIfSubscribed(session, 's/e', line);
		});
		try {
			const text = textOf(publish.payload);
			if (topic.kind !== 'template') await request(session, publish, topic, text, answers);
			else if (text === '') await answerWhetherItExists(session, topic.collection);
			else await register(session, topic.collection, text, answers);
		} catch (error) {
			const templateId = /^\w*/.exec(publish.payload.toString('latin1', 0, 32))?.[0] ?? '';
			answerFailure(answers, cutTemplateId(templateId), error);
		}
		answers.end();
	}

	function textOf(payload: Buffer): string {
		const { payloadMaxBytes } = limits;
		if (payload.length > payloadMaxBytes)
			throw new LineError('tooLarge', `the payload has ${payload.length} bytes - at most ${payloadMaxBytes} are accepted`);
		if (!isUtf8(payload)) throw new LineError('badLine', 'the payload is not text in UTF-8');
		return payload.toString('utf8');
	}

	async function answerWhetherItExists(session: Session, xId: string): Promise<void> {
		const collectionId = await collections.findId(session.principal.tenant, xId);
		const line =
			collectionId === undefined
				? encode('TemplateCollectionMissing', { fields: { xId } })
				: encode('TemplateCollectionFound', { fields: { xId, collectionId } });
		sendIfSubscribed(session, 's/dt', line);
	}

	async function register(session: Session, xId: string, text: string, answers: LineAnswers): Promise<void> {
		const decoded = decodeCollection(text, limits);
		if (!decoded.ok) {
			for (const fault of decoded.faults) answers.add(encodeBadLine(fault));
			return;
		}
		const outcome = await collections.create(session.principal, xId, decoded.document);
		if (outcome === 'exists')
			throw new LineError('refused', `template collection '${xId}' exists and cannot be changed over MQTT: use another X-ID`);
		// What was pending when the device began to listen had no template yet.
		outbound.resend(session, `s/dc/${xId}`);
		if (session.defaultCollection === xId) outbound.resend(session, 's/dd');
	}

	async function request(
		session: Session,
		publish: IncomingPublish,
		topic: Exclude<CustomTopic, { kind: 'template' }>,
		text: string,
		answers: LineAnswers,
	): Promise<void> {
		const xId = topic.kind === 'custom' ? topic.collection : session.defaultCollection;
		if (xId === undefined)
			throw new LineError('refused', 'the client id names no default template collection: connect as d:<serial>:<X-ID>');
		const known = await collections.find(session.principal.tenant, xId);
		if (!known)
			throw new LineError(
				'refused',
				`there is no template collection '${xId}': register it on s/ut/${xId} or create it in the inventory`,
			);
		const answerTopic = topic.kind === 'custom' ? `s/dc/${xId}` : 's/dd';
		const budget = { visits: limits.visitsMax };
		const source: Source = { session, publish, child: topic.child, answerTopic, templates: known.templates, answers, budget };
		for (const line of decodeRequests(text, known.templates, { maximumLines: limits.linesMax, now: clock() })) {
			if (line.ok) await perform(source, line);
			else answers.add(encodeBadLine(line));
		}
	}

	async function perform(source: Source, message: CustomRequest): Promise<void> {
		try {
			await answer(source, message, await callHandler(source, message));
		} catch (error) {
			answerFailure(source.answers, message.msgId, error);
		}
	}

	async function callHandler(source: Source, message: CustomRequest): Promise<Json | undefined> {
		try {
			return await callOnce(source, message);
		} catch (error) {
			if (!isGone(error)) throw error;
			// The device was deleted while it was connected: its next message creates it anew.
			targets.forget(source.session);
			return callOnce(source, message);
		}
	}

	async function callOnce({ session, publish, child }: Source, message: CustomRequest): Promise<Json | undefined> {
		const target = child === undefined ? await targets.own(session) : await targets.child(session, child);
		return handlers[message.kind]({ session, target, receipt: receiptOf(publish, message.line) }, message);
	}

	function answer({ session, answerTopic, templates, budget }: Source, message: CustomRequest, document: Json | undefined): void {
		if (!message.answers || !document) return;
		const rendered = encodeResponses(templates, document, { maximumBytes: limits.downlinkMaxBytes, budget });
		if (!rendered.ok) throw new LineError('failed', rendered.reason);
		if (rendered.lines.length > 0) sendIfSubscribed(session, answerTopic, rendered.lines.join('\n'));
	}

	/** @throws the error itself where it is not the line's fault: then the device has to send it again */
	function answerFailure(answers: LineAnswers, templateId: string, error: unknown): void {
		const refusal = toRefusal(error);
		if (!refusal) throw error;
		answers.add(encodeError(refusal.error, templateId, refusal.message));
	}

	return { handle };
}
