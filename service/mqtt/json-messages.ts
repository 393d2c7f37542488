import type { Logger } from 'pino';
import { type Inventory, InventoryError, isDeeperThan, type ObjectPatch, parseObjectBody } from '../../inventory/index.ts';
import type { Topic } from '../../smartrest/index.ts';
import type { Metrics } from '../metrics.ts';
import { isDocumentRefused } from '../store-fault.ts';
import { LineError } from './line-error.ts';
import { type IncomingPublish, type Session, sendIfSubscribed } from './session.ts';
import { isGone, type Targets } from './targets.ts';
import { availability } from './template-handlers.ts';

export type JsonTopic = Extract<Topic, { kind: 'inventory' | 'event' | 'alarm' | 'measurement' }>;
export type JsonMessages = ReturnType<typeof createJsonMessages>;

/** What devices publish as JSON. A message that is refused answers on `error`. */
export function createJsonMessages(options: {
	readonly inventory: Inventory;
	readonly targets: Targets;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly clock: () => number;
	readonly limits: { readonly maxFragments: number; readonly payloadMaxBytes: number; readonly jsonMaxDepth: number };
}) {
	const { inventory, targets, metrics, log, clock, limits } = options;

	async function handle(session: Session, publish: IncomingPublish, topic: JsonTopic): Promise<void> {
		metrics.mqttMessages.add('up', topic.kind);
		try {
			const body = parse(publish.payload);
			if (topic.kind === 'inventory') await update(session, topic.externalId ?? session.serial, body);
			// Events, alarms and measurements are no part of this product: accepted, and not kept.
			else await targets.own(session);
		} catch (error) {
			const refusal = isDocumentRefused(error) ? new LineError('refused', error.message) : error;
			if (!(refusal instanceof LineError) && !(refusal instanceof InventoryError)) throw error;
			answer(session, publish, refusal);
		}
	}

	function parse(payload: Buffer): unknown {
		if (payload.length > limits.payloadMaxBytes) {
			throw new LineError('tooLarge', `The payload has ${payload.length} bytes: at most ${limits.payloadMaxBytes} are accepted`);
		}
		const body = parseText(payload.toString('utf8'));
		if (isDeeperThan(body, limits.jsonMaxDepth))
			throw new LineError('badLine', `The payload is nested too deep: at most ${limits.jsonMaxDepth} levels are read`);
		return body;
	}

	async function update(session: Session, serial: string, body: unknown): Promise<void> {
		const patch = parseObjectBody(body, limits);
		try {
			await merge(session, serial, body, patch);
		} catch (error) {
			if (!isGone(error)) throw error;
			// The device was deleted while it was connected: its next message creates it anew.
			targets.forget(session);
			await merge(session, serial, body, patch);
		}
	}

	async function merge(session: Session, serial: string, body: unknown, patch: ObjectPatch): Promise<void> {
		const target = serial === session.serial ? await targets.own(session) : await targets.known(session, serial);
		if (!target) throw new LineError('refused', `No managed object has the external id 'c8y_Serial/${serial}'`);
		// Over MQTT a device cannot take away its name or type; an empty object is a sign of life.
		const { name, type, ...rest } = patch;
		const isHeartbeat = typeof body === 'object' && body !== null && Object.keys(body).length === 0;
		await inventory.objects.update(session.principal.tenant, target.id, {
			...rest,
			...(name != null && { name }),
			...(type != null && { type }),
			fragments: isHeartbeat ? availability(clock()) : rest.fragments,
		});
	}

	function answer(session: Session, publish: IncomingPublish, error: LineError | InventoryError): void {
		metrics.mqttErrors.inc({ kind: 'refused JSON' });
		const code = error instanceof LineError ? `mqtt/${error.error}` : error.code;
		log.debug({ tenant: session.principal.tenant, device: session.serial, topic: publish.topic, code }, error.message);
		sendIfSubscribed(session, 'error', JSON.stringify({ error: code, message: error.message, messageId: publish.messageId }));
	}

	return { handle };
}

function parseText(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new LineError('badLine', `The payload is not JSON: ${error instanceof Error ? error.message : String(error)}`);
	}
}
