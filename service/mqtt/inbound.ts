import { isUtf8 } from 'node:buffer';
import type { Logger } from 'pino';
import { type Access, AccessError, mayDo } from '../../access/index.ts';
import { actInCall } from '../../audit/index.ts';
import { type Inventory, InventoryError, type SoftwareChange } from '../../inventory/index.ts';
import {
	type DecodedLine,
	decode,
	type ErrorName,
	encode,
	encodeBadLine,
	encodeError,
	parseTopic,
	type Topic,
	type UpstreamMessage,
} from '../../smartrest/index.ts';
import type { Metrics } from '../metrics.ts';
import { isDocumentRefused } from '../store-fault.ts';
import type { CustomMessages } from './custom-messages.ts';
import { beginShare } from './fair-share.ts';
import type { JsonMessages } from './json-messages.ts';
import { createLineAnswers, type LineAnswers } from './line-answers.ts';
import { toRefusal } from './line-error.ts';
import { noReceipt, receiptOf } from './receipt.ts';
import { type IncomingPublish, type Session, sendIfSubscribed } from './session.ts';
import { isGone, type Target, type Targets } from './targets.ts';
import type { TemplateHandlers } from './template-handlers.ts';

/** What one line wants added to and removed from the packages of a device. */
interface ChangeLine {
	readonly templateId: string;
	readonly changes: SoftwareChange[];
	/** Of the publish that it came in. */
	readonly answers: LineAnswers;
}

/** Lines about packages of one device that wait for their common write. */
interface PendingChanges {
	readonly target: Target;
	readonly lines: ChangeLine[];
}

/** Where a line comes from, and where it is answered. */
interface LineSource {
	readonly publish: IncomingPublish;
	readonly child: string | undefined;
	readonly answers: LineAnswers;
}

/**
 * Does what a device's publishes say, in order. A bad line answers on `s/e` and spoils nothing beside it;
 * only a store that cannot write fails the turn, and then nothing of it is acknowledged.
 */
export function createInbound(options: {
	readonly inventory: Inventory;
	readonly access: Access;
	readonly targets: Targets;
	readonly handlers: TemplateHandlers;
	readonly jsonMessages: JsonMessages;
	readonly customMessages: CustomMessages;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly limits: { readonly payloadMaxBytes: number; readonly listPayloadMaxBytes: number; readonly linesMax: number };
}) {
	const { inventory, access, targets, handlers, jsonMessages, customMessages, metrics, log, limits } = options;

	/** @throws StoreError when it must all be sent again */
	async function handleTurn(session: Session, turn: readonly IncomingPublish[]): Promise<void> {
		const startedAt = performance.now();
		const opened: LineAnswers[] = [];
		const share = beginShare(() => performance.now());
		let pending: PendingChanges | undefined;
		for (const publish of turn) {
			if (share.isOver()) await share.pause();
			const topic = parseTopic(publish.topic);
			if (topic?.kind === 'static' && topic.direction === 'up' && mayDo(session.principal, 'inventory:write')) {
				const answers = createLineAnswers((line) => sendIfSubscribed(session, 's/e', line));
				opened.push(answers);
				const source = { publish, child: topic.child, answers };
				for (const line of decodeLines(publish)) {
					pending = collectChange(session, source, line, pending) ?? (await handleLine(session, source, line, pending));
				}
			} else {
				await store(session, pending);
				pending = undefined;
				await actInCall(publish.topic.slice(0, 200), () => handleOther(session, publish, topic));
			}
		}
		await store(session, pending);
		for (const answers of opened) answers.end();
		metrics.mqttSeconds.observe((performance.now() - startedAt) / 1000);
		log.debug({ tenant: session.principal.tenant, device: session.serial, messages: turn.length }, 'messages handled');
	}

	function decodeLines(publish: IncomingPublish): DecodedLine[] {
		const { payload } = publish;
		if (payload.length > limits.payloadMaxBytes) {
			const isList = softwareListStart.test(payload.toString('latin1', 0, 16));
			const maximumBytes = isList ? Math.max(limits.payloadMaxBytes, limits.listPayloadMaxBytes) : limits.payloadMaxBytes;
			if (payload.length > maximumBytes)
				return [
					refusedPayload(payload, 'tooLarge', `the payload has ${payload.length} bytes - at most ${maximumBytes} are accepted`),
				];
		}
		if (!isUtf8(payload)) return [refusedPayload(payload, 'badLine', 'the payload is not text in UTF-8')];
		return decode(payload.toString('utf8'), { maximumLines: limits.linesMax });
	}

	function refusedPayload(payload: Buffer, error: ErrorName, reason: string): DecodedLine {
		return { ok: false, error, line: 1, templateId: payload.toString('latin1', 0, 3).replace(/[^\w]/g, ''), position: 1, reason };
	}

	// The bulk of what devices send: packages of an object that is known. No promise is made for them.
	function collectChange(
		session: Session,
		{ child, answers }: LineSource,
		line: DecodedLine,
		pending: PendingChanges | undefined,
	): PendingChanges | undefined {
		if (!line.ok || !isChange(line.message)) return undefined;
		const target = targets.cached(session, child);
		if (!target || (pending && pending.target.id !== target.id)) return undefined;
		const open = pending ?? { target, lines: [] };
		const changes: SoftwareChange[] = [];
		try {
			// These handlers only collect: there is nothing to wait for.
			void callHandler({ session, target, receipt: noReceipt, change: (change) => changes.push(change) }, line.message);
			open.lines.push({ templateId: line.message.id, changes, answers });
		} catch (error) {
			answerFailure(session, answers, line.message.id, error);
		}
		metrics.mqttMessages.add('up', line.message.id);
		return open;
	}

	async function handleLine(
		session: Session,
		source: LineSource,
		line: DecodedLine,
		pending: PendingChanges | undefined,
	): Promise<PendingChanges | undefined> {
		const { answers } = source;
		if (!line.ok) {
			sendError(session, answers, encodeBadLine(line), 'bad line');
			return pending;
		}
		const { message } = line;
		metrics.mqttMessages.add('up', message.id);
		const open = isChange(message) ? pending : await store(session, pending);
		try {
			return await actInCall(message.id, () => perform(session, source, message, open));
		} catch (error) {
			if (!isGone(error)) {
				answerFailure(session, answers, message.id, error);
				return open;
			}
		}
		// The device was deleted while it was connected: its next message creates it anew.
		targets.forget(session);
		try {
			return await actInCall(message.id, () => perform(session, source, message, open));
		} catch (error) {
			answerFailure(session, answers, message.id, error);
			return open;
		}
	}

	/** Does what one message says. Returns what is to be written later, with what was to be written before. */
	async function perform(
		session: Session,
		{ publish, child, answers }: LineSource,
		message: UpstreamMessage,
		pending: PendingChanges | undefined,
	): Promise<PendingChanges | undefined> {
		const target = await findTarget(session, child, message);
		const open = pending?.target.id === target.id ? pending : await store(session, pending);
		const changes: SoftwareChange[] = [];
		if (!isChange(message)) {
			await callHandler({ session, target, receipt: receiptOf(publish, message.line), change: ignore }, message);
			return undefined;
		}
		await callHandler({ session, target, receipt: noReceipt, change: (change) => changes.push(change) }, message);
		return { target, lines: [...(open?.lines ?? []), { templateId: message.id, changes, answers }] };
	}

	function callHandler(
		context: Parameters<TemplateHandlers['SendHeartbeat']>[0],
		message: UpstreamMessage,
	): Promise<void> | undefined {
		// The table's type ties each handler to its message; the compiler cannot follow that through a look-up by name.
		const handler = handlers[message.template] as (line: typeof context, message: UpstreamMessage) => Promise<void> | undefined;
		return handler(context, message);
	}

	async function findTarget(session: Session, child: string | undefined, message: UpstreamMessage): Promise<Target> {
		const first = message.template === 'DeviceCreation' ? message.fields : undefined;
		return child === undefined ? targets.own(session, first) : targets.child(session, child, first);
	}

	/** Writes what is pending; `undefined` stands for nothing pending any more. */
	async function store(session: Session, pending: PendingChanges | undefined): Promise<undefined> {
		if (!pending) return undefined;
		// Taken out, so that a failure further on does not write them twice.
		const lines = pending.lines.splice(0);
		try {
			await write(session, pending.target, lines);
		} catch (error) {
			if (!isGone(error)) throw error;
			// The device was deleted while it was connected: its next message creates it anew.
			targets.forget(session);
			await writeAnew(session, pending.target.serial, lines);
		}
		return undefined;
	}

	async function writeAnew(session: Session, serial: string, lines: readonly ChangeLine[]): Promise<void> {
		try {
			await write(session, await targets.child(session, serial), lines);
		} catch (error) {
			for (const { templateId, answers } of lines) answerFailure(session, answers, templateId, error);
		}
	}

	/** Writes all lines in one go; where that is refused, each by itself, so that a bad one spoils no good one. */
	async function write(session: Session, target: Target, lines: readonly ChangeLine[]): Promise<void> {
		const changes = lines.flatMap((line) => line.changes);
		if (changes.length === 0) return;
		try {
			const templates = [...new Set(lines.map(({ templateId }) => templateId))].join(' ');
			await actInCall(templates, () => inventory.software.change(session.principal.tenant, target.id, changes));
		} catch (error) {
			if (isGone(error)) throw error;
			const [first] = lines;
			if (first && lines.length === 1) answerFailure(session, first.answers, first.templateId, error);
			else if (error instanceof InventoryError || isDocumentRefused(error))
				for (const line of lines) await write(session, target, [line]);
			else throw error;
		}
	}

	/** @throws the error itself where it is not the line's fault: then the device has to send it again */
	function answerFailure(session: Session, answers: LineAnswers, templateId: string, error: unknown): void {
		const refusal = toRefusal(error);
		if (!refusal) throw error;
		sendError(session, answers, encodeError(refusal.error, templateId, refusal.message), 'refused line');
	}

	function sendError(session: Session, answers: Pick<LineAnswers, 'add'>, line: string, kind: string): void {
		metrics.mqttErrors.inc({ kind });
		log.debug({ tenant: session.principal.tenant, device: session.serial, answer: line }, kind);
		answers.add(line);
	}

	async function handleOther(session: Session, publish: IncomingPublish, topic: Topic | undefined): Promise<void> {
		const permission = topic?.kind === 'credentials' ? 'credentials:poll' : 'inventory:write';
		if (!topic || topic.direction === 'down' || !mayDo(session.principal, permission)) return refuseTopic(session, publish);
		switch (topic.kind) {
			case 'credentials':
				return pollCredentials(session, publish.payload.toString('utf8').trim());
			case 'token':
				return sendToken(session);
			case 'template':
			case 'custom':
			case 'default':
				return customMessages.handle(session, publish, topic);
			case 'inventory':
			case 'event':
			case 'alarm':
			case 'measurement':
				return jsonMessages.handle(session, publish, topic);
			default:
				return refuseTopic(session, publish);
		}
	}

	async function refuseTopic(session: Session, publish: IncomingPublish): Promise<void> {
		sendError(
			session,
			{ add: (line) => sendIfSubscribed(session, 's/e', line) },
			encodeError('notSupported', '', `nothing can be published on '${publish.topic.slice(0, 100)}' here`),
			'refused topic',
		);
	}

	async function sendToken(session: Session): Promise<void> {
		const token = await access.tokens.issue(session.principal, session.host);
		sendIfSubscribed(session, 's/dat', encode('Token', { fields: { token } }));
	}

	async function pollCredentials(session: Session, token: string): Promise<void> {
		// They are given once: not to somebody who does not hear them.
		const isHeard = !session.closed && session.subscriptions.has('s/dcr') && !session.connection.isFull();
		const credentials = await access.registration
			.poll(session.serial, { isHeard, ...(token !== '' && { token }) })
			.catch((error: unknown) => noteThrottled(session, error));
		if (!isHeard) {
			if (session.askedUnheard === undefined)
				log.info(
					{ device: session.serial },
					'a device asks for credentials and does not listen: it gets them when it subscribes to s/dcr',
				);
			session.askedUnheard = token;
		}
		if (!credentials) return;
		const { tenant, userName, password } = credentials;
		log.info({ tenant, device: session.serial }, 'device credentials issued');
		sendIfSubscribed(session, 's/dcr', encode('Credentials', { fields: { tenant, username: userName, password } }));
	}

	function noteThrottled(session: Session, error: unknown): undefined {
		if (!(error instanceof AccessError)) throw error;
		if (!session.wasThrottled) log.info({ device: session.serial }, `a device has to wait for its credentials: ${error.message}`);
		session.wasThrottled = true;
	}

	/** The device listens to a topic from now on: what it asked for before, and could not hear, is done again. */
	async function listens(session: Session, topic: string): Promise<void> {
		const token = session.askedUnheard;
		if (topic !== 's/dcr' || token === undefined) return;
		delete session.askedUnheard;
		await actInCall('s/ucr', () => pollCredentials(session, token));
	}

	return { handleTurn, listens };
}

function isChange({ template }: UpstreamMessage): boolean {
	return template === 'AppendAdvancedSoftwareItems' || template === 'RemoveAdvancedSoftwareItems';
}

// Devices cut software lists by the number of packages, not by bytes.
const softwareListStart = /^\s*(?:140|141|142|116)(?:[\s,]|$)/;

function ignore(): void {}
