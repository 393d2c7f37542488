import type { CertificateProof, Principal } from '../../access/index.ts';
import { deviceKey, type ManagedObjectId } from '../../inventory/index.ts';

/** What the MQTT side needs of a connection, whichever broker it is on. */
export interface DeviceConnection {
	/** `done` is called once: with true when the device has the message (PUBACK; written, at QoS 0), with false when it never will. */
	publish(topic: string, payload: string, qos: 0 | 1, done?: (delivered: boolean) => void): void;
	/** Sends what nobody waits for; dropped, and counted, while the device leaves too much unread. */
	answer(topic: string, payload: string, qos: 0 | 1): void;
	/** Whether the device leaves so much unread that nothing more is written to it. */
	isFull(): boolean;
	/** Resolves when the connection is not full any more, or has ended. */
	room(): Promise<void>;
	/** Cuts the connection off. */
	close(reason: string): void;
}

/** One publish of a device; `done` releases its acknowledgement. */
export interface IncomingPublish {
	readonly topic: string;
	readonly payload: Buffer;
	/** 0 at QoS 0. */
	readonly messageId: number;
	/** The device marks it as sent before. */
	readonly redelivered: boolean;
	/** Given to it when something in it is stored that must not be done twice: a name of this arrival alone. */
	arrival?: string;
	/** Whether handling it was begun before, and ended by a failure of the store. */
	retried?: boolean;
	readonly done: (error?: Error) => void;
}

/** A connected device: who it is, and what is known of it. */
export interface Session {
	readonly principal: Principal;
	/** The `deviceIdentifier` of the client id. */
	readonly serial: string;
	/** Where the connection comes from; absent behind an outside broker. */
	readonly address?: string;
	/** The host name by which the device knows the service. */
	readonly host: string;
	/** What let it in, where that was a client certificate. */
	readonly certificate?: CertificateProof;
	/** The X-ID of the template collection that its client id names. */
	readonly defaultCollection?: string;
	readonly connection: DeviceConnection;
	/** Topics that it listens to, with the QoS granted. */
	readonly subscriptions: Map<string, 0 | 1>;
	/** The device's managed object, once it is known. */
	device?: ManagedObjectId;
	/** Managed objects of the child devices and services that it has spoken for, by serial. */
	targets?: Map<string, ManagedObjectId>;
	/** It asked for credentials, with this security token or none (empty), and did not listen for them. */
	askedUnheard?: string;
	/** It was told in the log that it asks too often. */
	wasThrottled?: true;
	closed: boolean;
}

/** Of the session's device, as `deviceKey`. */
export function deviceKeyOf({ principal, serial }: Session): string {
	return deviceKey(principal.tenant, serial);
}

/** Sends on a topic if the device listens to it. */
export function sendIfSubscribed(session: Session, topic: string, payload: string): void {
	const qos = session.subscriptions.get(topic) ?? wildcardQos(session, topic);
	if (qos !== undefined && !session.closed) session.connection.answer(topic, payload, qos);
}

// Wildcards are granted in the place of a template collection only; what is below two levels is nobody's topic.
function wildcardQos({ subscriptions }: Session, topic: string): 0 | 1 | undefined {
	if (!topic.startsWith('s/dc/')) return undefined;
	return subscriptions.get('s/dc/+') ?? subscriptions.get('s/dc/#');
}
