import type { Duplex } from 'node:stream';
import type { AuthenticateError, Client, PublishPacket, Subscription } from 'aedes';
import type { Logger } from 'pino';
import { type Access, mayDo, type Principal } from '../../access/index.ts';
import { deviceKey, InventoryError } from '../../inventory/index.ts';
import { maySubscribe, parseTopic } from '../../smartrest/index.ts';
import type { Metrics } from '../metrics.ts';
import type { NoteRefusedLogin } from '../refused-logins.ts';
import { createCertificateSessions } from './certificate-sessions.ts';
import { createDeviceQueue, type DeviceQueue } from './device-queue.ts';
import { drainSessions } from './drain.ts';
import { createEmbeddedConnections } from './embedded-connections.ts';
import { type ConnectLimits, connack, createEmbeddedLogins, type Origin, type SessionOwner } from './embedded-logins.ts';
import { type Gateway, parseClientId } from './gateway.ts';
import type { Handover } from './handover.ts';
import { createPace, holdBack, turnAtPace } from './pace.ts';
import { guardPacketLength } from './packet-guard.ts';
import type { IncomingPublish, Session } from './session.ts';
import { createSuccession } from './succession.ts';
import { watchAcknowledgements } from './unacknowledged.ts';
import { UnroutedBroker } from './unrouted-broker.ts';

export interface EmbeddedBrokerOptions {
	readonly gateway: Gateway;
	readonly access: Access;
	/** Where other processes take connections too. */
	readonly handover: Handover | undefined;
	readonly metrics: Metrics;
	readonly noteRefusedLogin: NoteRefusedLogin;
	readonly log: Logger;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly limits: ConnectLimits & {
		readonly packetMaxBytes: number;
		readonly connectTimeoutSeconds: number;
		readonly keepAliveMaxSeconds: number;
		readonly drainTimeoutSeconds: number;
		readonly deviceQueueMaxMessages: number;
		/** A second, of one client; 0 is no limit. */
		readonly clientMessagesPerSecond: number;
		readonly downlinkBufferMaxBytes: number;
	};
}

export type EmbeddedBroker = Awaited<ReturnType<typeof openEmbeddedBroker>>;

interface Connected {
	readonly session: Session;
	readonly queue: DeviceQueue;
	/** The broker knows it, and tells of its end. */
	isRegistered: boolean;
	hasLeft: boolean;
	/** Its messages could not be stored. */
	hasFailed: boolean;
	/** How many changes of rights had been heard of when its credentials were checked. */
	readonly rightsSeen: number;
}

const maxTurn = 64;

/**
 * The MQTT broker inside the service. It only speaks the protocol: what devices publish goes to the gateway and nowhere else,
 * and what they receive is written to their own connection, so no device can reach what is another's.
 */
export async function openEmbeddedBroker(options: EmbeddedBrokerOptions) {
	const { gateway, access, handover, metrics, log, elapsed, limits } = options;
	const connected = new WeakMap<Client, Connected>();
	const origins = new WeakMap<Client, Origin>();
	const byCertificate = createCertificateSessions({ certificates: access.certificates, sessions: gateway.sessions, log });
	const logins = createEmbeddedLogins({
		...options,
		byCertificate,
		originOf: (client) => origins.get(client),
		connections: () => broker.connectedClients,
	});
	const connections = createEmbeddedConnections({
		downlinkBufferMaxBytes: limits.downlinkBufferMaxBytes,
		addressOf: (client) => origins.get(client)?.address,
		metrics,
		log,
	});
	const succession = createSuccession(handover);
	const queues = new WeakMap<Session, DeviceQueue>();
	let queued = 0;
	let rightsHeard = 0;
	let onDrained = ignore;

	const broker = new UnroutedBroker({
		persistence: watchAcknowledgements(connections.settle),
		connectTimeout: limits.connectTimeoutSeconds * 1000,
		drainTimeout: limits.drainTimeoutSeconds * 1000,
		maxClientsIdLength: 1024,
		preConnect(client, packet, done) {
			// One name space for each tenant, and one for each device in it: the newer connection of a device takes over.
			const asked = packet.clientId;
			const serial = parseClientId(asked);
			const rightsSeen = rightsHeard;
			// What a session has to keep is in the store: each connection begins clean, and says so.
			packet.clean = true;
			packet.keepalive = Math.min(packet.keepalive || limits.keepAliveMaxSeconds, limits.keepAliveMaxSeconds);
			logins.claim(client, { asked, rightsSeen, username: packet.username, hasPassword: packet.password !== undefined }).then(
				(tenant) => {
					if (serial !== undefined) packet.clientId = deviceKey(tenant, serial);
					done(null, true);
				},
				(error: Error) => {
					log.error({ err: error }, 'the tenant of a connection could not be found');
					done(error, false);
				},
			);
		},
		authenticate(client, username, password, done) {
			connect(client, username, password?.toString('utf8'))
				.then((code) => {
					metrics.mqttConnects.inc({ code });
					if (code === connack.accepted) done(null, true);
					else done(refusal(code), false);
				})
				.catch((error: unknown) => {
					metrics.mqttConnects.inc({ code: connack.unavailable });
					if (isConflict(error)) log.info({ reason: error.message }, 'connection refused: its device connects again and again');
					else log.error({ err: error }, 'a connection could not be authenticated');
					done(refusal(connack.unavailable), false);
				});
		},
		authorizePublish(client, packet, done) {
			const entry = client && connected.get(client);
			if (!entry) return done(new Error('no session'));
			receive(entry, packet, done);
		},
		authorizeSubscribe(client, subscription, done) {
			const session = connected.get(client)?.session;
			done(null, session && subscribe(session, subscription) ? subscription : null);
		},
		authorizeForward(_client, packet) {
			// Set here, because this is where the broker lets a packet's id be chosen: the PUBACK is recognised by it.
			if (packet.qos > 0) Object.assign(packet, { messageId: connections.publishedId() });
			return packet;
		},
	});
	await broker.listen();

	broker.on('unsubscribe', (topics, client) => {
		const session = connected.get(client)?.session;
		// The broker also says this of a connection that ends; that is told by `clientDisconnect`.
		if (!session || session.closed || client.closed) return;
		for (const topic of topics) {
			session.subscriptions.delete(topic);
			gateway.outbound.unsubscribed(session, topic);
		}
	});
	broker.on('client', (client) => {
		const entry = connected.get(client);
		if (entry) entry.isRegistered = true;
	});
	broker.on('clientReady', (client) => {
		const entry = connected.get(client);
		if (!entry || entry.hasLeft) return;
		metrics.mqttConnections.set(broker.connectedClients);
		gateway.connected(entry.session);
		byCertificate.connected(entry.session);
		// What changed while it was coming in was told to those who were in.
		if (entry.rightsSeen !== rightsHeard) look((principal) => principal === entry.session.principal);
		log.info(describe(client, entry.session), 'device connected');
	});
	broker.on('clientDisconnect', (client) => {
		const entry = connected.get(client);
		if (!entry) return;
		leave(entry);
		gateway.disconnected(entry.session);
		connections.abandon(client);
		metrics.mqttConnections.set(broker.connectedClients);
		log.info(describe(client, entry.session), 'device disconnected');
	});
	broker.on('clientError', (client, error) => log.debug({ ...origins.get(client), reason: error.message }, 'connection closed'));
	broker.on('connectionError', (client, error) =>
		log.debug({ ...origins.get(client), reason: error.message }, 'connection refused'),
	);

	const look = (concerned?: (principal: Principal) => boolean) => {
		rightsHeard++;
		checkUsers(concerned).catch((error: unknown) => log.warn({ err: error }, 'users of connections could not be looked at'));
	};
	access.users.watchChanged(
		(tenant, userName) => look((principal) => principal.tenant === tenant && principal.userName === userName),
		() => look(),
	);
	access.roles.watchChanged((tenant) => look((principal) => principal.tenant === tenant && principal.role === 'user'));
	access.tenants.watchClosed(
		(closed) => look(({ tenant }) => tenant === closed),
		() => look(),
	);

	function leave(entry: Connected): void {
		if (entry.hasLeft) return;
		entry.hasLeft = true;
		const { session, queue } = entry;
		session.closed = true;
		if (handover) handover.ended(session, Promise.all([queue.idle(), succession.predecessor(session)]));
		succession.leave(session, queue.idle());
	}

	async function connect(client: Client, username: string | undefined, password: string | undefined): Promise<number> {
		const admission = await logins.admit(client, username, password);
		if ('code' in admission) return admission.code;
		await openSession(client, admission.owner, admission.rightsSeen);
		return connack.accepted;
	}

	async function openSession(client: Client, who: SessionOwner, rightsSeen: number): Promise<void> {
		const session: Session = {
			...who,
			connection: connections.connectionOf(client),
			subscriptions: new Map(),
			closed: false,
		};
		const { clientMessagesPerSecond: perSecond } = limits;
		const pace = createPace({ perSecond, elapsed });
		const handleInOrder = async (turn: readonly IncomingPublish[]) => {
			const milliseconds = pace(turn.length);
			if (milliseconds > 0 && !session.closed) await holdBack(client, milliseconds);
			const predecessor = succession.predecessor(session);
			if (predecessor !== null) await predecessor;
			await gateway.handleTurn(session, turn, handover && (() => handover.check(session)));
		};
		const queue = createDeviceQueue(handleInOrder, {
			maxMessages: limits.deviceQueueMaxMessages,
			maxTurn: turnAtPace(maxTurn, perSecond),
		});
		const entry: Connected = { session, queue, isRegistered: false, hasLeft: false, hasFailed: false, rightsSeen };
		connected.set(client, entry);
		queues.set(session, queue);
		await Promise.all([handover?.claim(session), gateway.opened(session)]);
		if (client.closed) leave(entry);
	}

	function receive(entry: Connected, packet: PublishPacket, done: (error?: Error | null) => void): void {
		const { queue } = entry;
		queued++;
		const taken = queue.push({
			topic: packet.topic,
			payload: toBuffer(packet.payload),
			messageId: packet.messageId ?? 0,
			redelivered: packet.dup && packet.qos > 0,
			done(error) {
				if (--queued === 0) onDrained();
				if (error) noteFailure(entry, error);
				done(error ?? null);
			},
		});
		if (taken) return;
		queued--;
		done(new Error('too many messages wait to be handled'));
	}

	/** An error closes the connection without an acknowledgement: the device sends all again that waited, of which one line tells. */
	function noteFailure(entry: Connected, error: Error): void {
		const { principal, serial } = entry.session;
		if (!entry.hasFailed)
			log.warn(
				{ err: error, tenant: principal.tenant, device: serial },
				'messages could not be stored: the device sends them again',
			);
		entry.hasFailed = true;
	}

	function subscribe(session: Session, subscription: Subscription): boolean {
		const { topic } = subscription;
		const isBootstrap = !mayDo(session.principal, 'inventory:read');
		if (!maySubscribe(topic) || !gateway.mayListen(session, topic) || (isBootstrap && parseTopic(topic)?.kind !== 'credentials'))
			return false;
		const qos = subscription.qos > 0 ? 1 : 0;
		session.subscriptions.set(topic, qos);
		// After the SUBACK: the device must know that it listens before something arrives.
		setImmediate(() => gateway.subscribed(session, topic, qos));
		return true;
	}

	function describe(client: Client, { principal, serial }: Session) {
		return { tenant: principal.tenant, device: serial, user: principal.userName, address: origins.get(client)?.address };
	}

	/** Takes over an open stream: TCP, TLS or WebSocket. */
	function handle(stream: Duplex, origin: Origin): void {
		const client = broker.handle(stream);
		origins.set(client, origin);
		// The broker tells of the end of those only that it knew.
		stream.once('close', () => {
			const entry = connected.get(client);
			if (entry && !entry.isRegistered) leave(entry);
		});
		guardPacketLength(client, limits.packetMaxBytes);
	}

	/** Closes connections at that pace, or faster where they would not be closed in time; each when its messages are handled. */
	async function drain(perSecond: number, withinMilliseconds: number): Promise<void> {
		const idleOf = (session: Session) => queues.get(session)?.idle();
		await drainSessions({ sessions: [...gateway.sessions], idleOf, perSecond, withinMilliseconds, elapsed });
	}

	/** Closes the connections of users that may not have them any longer, whatever was heard of it. */
	async function checkUsers(concerned: (principal: Principal) => boolean = () => true): Promise<void> {
		// Those at an outside broker have no user.
		const own = [...gateway.sessions].filter((session) => queues.has(session) && concerned(session.principal));
		const refused = await access.users.findRefused(own.map(({ principal }) => principal));
		for (const { principal, connection } of own)
			if (refused.has(principal)) connection.close('its user was removed, disabled or given other rights or another password');
	}

	/** Closes all connections, handles what they have sent, wills included, and stops. */
	async function close(): Promise<void> {
		gateway.endPatience();
		await new Promise<void>((resolve) => broker.close(resolve));
		await new Promise<void>((resolve) => {
			if (queued === 0) resolve();
			else onDrained = resolve;
		});
	}

	return {
		handle,
		drain,
		checkUsers,
		checkCertificates: byCertificate.checkAll,
		close,
		connections: () => broker.connectedClients,
		queuedMessages: () => queued,
	};
}

function isConflict(error: unknown): error is InventoryError {
	return error instanceof InventoryError && error.code === 'inventory/conflict';
}

function refusal(code: number): AuthenticateError {
	return Object.assign(new Error('connection refused'), { returnCode: code });
}

function toBuffer(payload: string | Buffer): Buffer {
	return typeof payload === 'string' ? Buffer.from(payload) : payload;
}

function ignore(): void {}
