import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import type { Logger } from 'pino';
import { createDeadline } from '../deadline.ts';
import type { Metrics } from '../metrics.ts';
import { type AcknowledgementOrder, createAcknowledgementOrder } from './acknowledgement-order.ts';
import type { BrokerOutages } from './broker-outages.ts';
import { createDownlinkWindow, type Downlink } from './downlink-window.ts';

/** Where the outside broker is, and as whom to connect. */
export interface BrokerAddress {
	readonly protocol: 'mqtt' | 'mqtts';
	readonly host: string;
	readonly port: number;
	readonly username?: string;
	readonly password?: string;
	readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** One message from the broker; `done` releases its acknowledgement, or, with an error, makes the broker send it again. `onAcknowledged` is called when all messages before it are done, too. */
export interface ArrivedMessage {
	readonly topic: string;
	readonly payload: Buffer;
	/** 0 at QoS 0. */
	readonly messageId: number;
	readonly redelivered: boolean;
	readonly done: (error?: Error, onAcknowledged?: () => void) => void;
}

export interface BrokerLinkOptions {
	readonly address: BrokerAddress;
	readonly clientId: string;
	readonly subscribe: readonly string[];
	/** What the session may have kept from another configuration. */
	readonly unsubscribe: readonly string[];
	readonly onMessage: (message: ArrivedMessage) => void;
	/** Called each time it is connected and listens. */
	readonly onReady?: () => void;
	/** Of all links to the broker. */
	readonly outages: BrokerOutages;
	readonly log: Logger;
	readonly metrics: Metrics;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly limits: {
		readonly unacknowledgedMaxMessages: number;
		readonly packetMaxBytes: number;
		readonly sessionExpirySeconds: number;
		readonly reconnectMaxSeconds: number;
		readonly connectTimeoutSeconds: number;
		readonly downlinkBufferMaxBytes: number;
	};
}

export type BrokerLink = ReturnType<typeof openBrokerLink>;

const firstRetryMilliseconds = 500;
const keepaliveSeconds = 30;
const maxDownlinksUnderWay = 1000;
/** More than a PUBLISH has beside its topic and payload. */
const packetHeadBytes = 16;
/** MQTT 5: nobody listens to the topic. */
const noMatchingSubscribers = 0x10;
const failure = 0x80;

/**
 * One durable session at an outside broker, which connects again by itself. Many messages may be in work at a time; each is
 * acknowledged after its work, in the order of arrival. The client library acknowledges a message when its handler is done with
 * it, and reads no other one before; told of an error it goes on without acknowledging, which is then done here.
 */
export function openBrokerLink(options: BrokerLinkOptions) {
	const { address, clientId, outages, log, metrics, limits } = options;
	const downlinks = createDownlinkWindow(limits.downlinkBufferMaxBytes);
	const maxInWork = inWorkAtMost(limits.unacknowledgedMaxMessages);
	/** Ids of messages that nobody listened to, until the library says that they were acknowledged. */
	const unheard = new Set<number>();
	let client: MqttClient | undefined;
	let ready = false;
	let fault: string | undefined = 'not connected yet';
	let failures = 0;
	let inWork = 0;
	let closing = false;
	let retry: NodeJS.Timeout | undefined;
	let readOn: (() => void) | undefined;
	let onIdle: (() => void)[] = [];

	function open(): void {
		const opened = connect(clientOptions());
		client = opened;
		opened.on('connect', ({ sessionPresent }) => {
			if (failures > 0 && !sessionPresent) log.warn('the broker has kept no session: messages may be lost');
			listen(opened).then(
				() => isReady(opened, sessionPresent),
				(error: Error) => drop(opened, error.message),
			);
		});
		unheard.clear();
		// The library takes this answer for a success, and keeps it to itself.
		opened.on('packetreceive', (packet) => {
			if (packet.cmd === 'puback' && packet.reasonCode === noMatchingSubscribers && packet.messageId !== undefined)
				unheard.add(packet.messageId);
		});
		opened.on('disconnect', ({ reasonCode }) => {
			fault = `the broker ended the connection (MQTT reason ${reasonCode ?? 0})`;
		});
		opened.on('error', ({ message }) => {
			fault = message;
		});
		opened.on('close', () => isClosed(opened));
		receive(opened);
	}

	function clientOptions(): IClientOptions {
		const { protocol, host, port, username, password, tls } = address;
		return {
			protocol,
			host,
			port,
			...(username !== undefined && { username }),
			...(password !== undefined && { password }),
			...tls,
			clientId,
			protocolVersion: 5,
			clean: false,
			resubscribe: false,
			queueQoSZero: false,
			reconnectPeriod: 0,
			keepalive: keepaliveSeconds,
			connectTimeout: limits.connectTimeoutSeconds * 1000,
			properties: {
				sessionExpiryInterval: limits.sessionExpirySeconds,
				receiveMaximum: limits.unacknowledgedMaxMessages,
				maximumPacketSize: limits.packetMaxBytes,
			},
		};
	}

	async function listen(opened: MqttClient): Promise<void> {
		await opened.unsubscribeAsync([...options.unsubscribe]);
		const granted = await opened.subscribeAsync([...options.subscribe], { qos: 1 });
		const refused = granted.filter(({ qos }) => qos >= failure).map(({ topic }) => topic);
		if (refused.length > 0) throw new Error(`the broker refuses the subscription to ${refused.slice(0, 3).join(', ')}`);
	}

	function isReady(opened: MqttClient, sessionPresent: boolean): void {
		if (opened !== client || closing) return;
		ready = true;
		fault = undefined;
		failures = 0;
		outages.connected();
		metrics.bridgeConnects.inc({ result: 'connected' });
		log.info({ sessionPresent }, 'connected to the outside broker');
		downlinks.open(Math.min(opened.serverProperties?.receiveMaximum ?? maxDownlinksUnderWay, maxDownlinksUnderWay), (message) =>
			send(opened, message),
		);
		options.onReady?.();
	}

	function send(opened: MqttClient, message: Downlink): void {
		const room = (opened.serverProperties?.maximumPacketSize ?? Number.POSITIVE_INFINITY) - packetHeadBytes;
		if (Buffer.byteLength(message.topic) + Buffer.byteLength(message.payload) > room) {
			// It would be cut off for it, again and again.
			log.warn({ topic: message.topic, maximumBytes: room }, 'a message to a device is larger than the broker takes');
			downlinks.settle(message, false);
			return;
		}
		opened.publish(message.topic, message.payload, { qos: 1 }, (error, packet) => {
			if (opened !== client) return;
			if (error) log.warn({ reason: error.message }, 'the broker refuses a message to a device');
			const isUnheard = packet?.messageId !== undefined && unheard.delete(packet.messageId);
			downlinks.settle(message, !error && !isUnheard);
		});
	}

	function receive(opened: MqttClient): void {
		const order = createAcknowledgementOrder((messageIds) => {
			if (opened !== client || !opened.connected) return;
			const packets = messageIds.map((messageId) =>
				generate({ cmd: 'puback', messageId, reasonCode: 0 }, { protocolVersion: 5 }),
			);
			opened.stream.write(Buffer.concat(packets));
		});
		opened.handleMessage = (packet: IPublishPacket, callback) => {
			const takeUp = () => {
				// What is not taken up any more is not acknowledged either: the next one of this session gets it.
				if (!closing && opened === client) work(opened, packet, order);
				callback(notYet);
			};
			// Where the window does not bound it (at QoS 0, or over several connections), the connection itself is held up.
			if (inWork < maxInWork) takeUp();
			else readOn = takeUp;
		};
	}

	function work(opened: MqttClient, packet: IPublishPacket, order: AcknowledgementOrder): void {
		const messageId = packet.qos > 0 ? (packet.messageId ?? 0) : 0;
		const acknowledge = messageId > 0 ? order.add(messageId) : undefined;
		inWork++;
		options.onMessage({
			topic: packet.topic,
			payload: Buffer.from(packet.payload),
			messageId,
			redelivered: packet.dup && packet.qos > 0,
			done(error, onAcknowledged) {
				inWork--;
				if (error) drop(opened, 'messages could not be stored');
				else acknowledge?.(onAcknowledged);
				goOn();
			},
		});
	}

	function goOn(): void {
		if (inWork < maxInWork && readOn) {
			const next = readOn;
			readOn = undefined;
			next();
		}
		if (inWork > 0) return;
		const told = onIdle;
		onIdle = [];
		for (const tell of told) tell();
	}

	/** Ends a connection, so that the broker sends again what was not acknowledged. */
	function drop(opened: MqttClient, reason: string): void {
		if (opened !== client) return;
		fault = reason;
		// What is done may still be acknowledged.
		setImmediate(() => opened.stream.destroy());
	}

	function isClosed(ended: MqttClient): void {
		if (ended !== client) return;
		client = undefined;
		ready = false;
		readOn = undefined;
		downlinks.suspend();
		ended.on('error', ignore);
		ended.end(true);
		fault ??= 'the connection was lost';
		if (closing) return;
		failures++;
		const wait = Math.min(limits.reconnectMaxSeconds * 1000, firstRetryMilliseconds * 2 ** Math.min(failures - 1, 20));
		metrics.bridgeConnects.inc({ result: 'lost' });
		if (failures === 1) outages.lost(fault, wait);
		else log.debug({ reason: fault, retryMilliseconds: wait }, 'still no connection to the outside broker');
		// Not all at the same moment, when a broker comes back.
		retry = setTimeout(open, wait * (0.5 + Math.random() / 2));
	}

	/** `done` is told whether the broker took it for somebody who listens. */
	function publish(topic: string, payload: string, qos: 0 | 1, done: (delivered: boolean) => void = ignore): void {
		if (closing) done(false);
		else if (qos === 1) downlinks.add({ topic, payload, done });
		else if (client && ready) client.publish(topic, payload, { qos: 0 }, (error) => done(!error));
		else done(false);
	}

	/** Resolves when nothing is in work, whether or not there is a connection. */
	async function idle(): Promise<void> {
		if (inWork > 0) await new Promise<void>((resolve) => onIdle.push(resolve));
	}

	/**
	 * Takes nothing more up, ends what is in work, acknowledges it and leaves; at the deadline it leaves at once.
	 * `false` when something was still in work then.
	 */
	async function close(graceMilliseconds: number): Promise<boolean> {
		closing = true;
		clearTimeout(retry);
		const deadline = createDeadline(graceMilliseconds, options.elapsed);
		await deadline.wait(idle());
		// Acknowledgements go out in a microtask.
		await Promise.resolve();
		const last = client;
		if (last?.connected) await deadline.wait(last.endAsync());
		cutOff();
		return inWork === 0;
	}

	/** Leaves at once, without an acknowledgement: somebody else has the session. */
	function cutOff(): void {
		closing = true;
		clearTimeout(retry);
		const last = client;
		client = undefined;
		ready = false;
		downlinks.close();
		last?.on('error', ignore);
		last?.end(true);
	}

	open();
	return {
		publish,
		close,
		cutOff,
		idle,
		isFull: downlinks.isFull,
		room: downlinks.room,
		inWork: () => inWork,
		/** Why there is no connection; `undefined` while there is one. */
		fault: () => (ready ? undefined : fault),
	};
}

/** How many messages of a link may be in work: a window of what came before a connection was lost, and one of what is sent again. */
export function inWorkAtMost(unacknowledgedMaxMessages: number): number {
	return 2 * unacknowledgedMaxMessages;
}

const notYet = new Error('acknowledged later');

function ignore(): void {}
