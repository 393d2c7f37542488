import { pino } from 'pino';
import { type Access, openAccess } from '../../../access/index.ts';
import type { ManagedObject } from '../../../inventory/index.ts';
import { createFirstPlaces } from '../../../service/first-place.ts';
import { createMetrics } from '../../../service/metrics.ts';
import { createGateway, type Gateway } from '../../../service/mqtt/gateway.ts';
import type { IncomingPublish, Session } from '../../../service/mqtt/session.ts';
import { createSerialCheck } from '../../../service/serial-check.ts';
import { accessSettings } from '../../support/access-settings.ts';
import { smallLimits, tenant } from '../inventory/inventory-bench.ts';
import { type OperationsBench, openOperationsBench } from '../operations/operations-bench.ts';

/** One message that the service has sent to the fake device. */
export interface Sent {
	readonly topic: string;
	readonly payload: string;
	readonly qos: 0 | 1;
	/** What the broker says when the device has it, or never will. */
	readonly done: (delivered: boolean) => void;
}

export interface FakeSession extends Session {
	readonly sent: Sent[];
	/** Whether each message is acknowledged as soon as it is sent. */
	acknowledges: boolean;
	/** Resolves when that many messages were sent. */
	received(count: number): Promise<readonly Sent[]>;
	/** Why the connection was cut off. */
	cutOff: string[];
	/** Whether it leaves too much unread; who waits for room is in `onRoom`. */
	full: boolean;
	readonly onRoom: (() => void)[];
}

export interface FakeSessionOptions {
	readonly role?: 'admin' | 'device' | 'bootstrap';
	readonly topics?: readonly string[];
	readonly defaultCollection?: string;
}

export interface GatewayBench extends OperationsBench {
	readonly access: Access;
	readonly gateway: Gateway;
	session(serial?: string, options?: FakeSessionOptions): FakeSession;
	/** Publishes a turn, one payload a publish, as the device's queue does. */
	publish(session: Session, ...payloads: readonly (string | Partial<IncomingPublish>)[]): Promise<void>;
	/** The managed object that a serial stands for. */
	object(serial: string): Promise<ManagedObject>;
	/** Lines that the session got on a topic. */
	lines(session: FakeSession, topic: string): string[];
}

export const windowSize = 2;

export async function openGatewayBench(): Promise<GatewayBench> {
	const operationsBench = await openOperationsBench();
	const { store, clock } = operationsBench;
	const access = await openAccess({ store, clock, elapsed: clock, ...accessSettings });
	await access.tenants.ensure(tenant);
	const log = pino({ level: 'silent' });
	const gateway = createGateway({
		serialFault: createSerialCheck({ access }),
		firstPlaces: createFirstPlaces({ access, inventory: operationsBench.inventory, log }),
		...operationsBench,
		access,
		metrics: createMetrics(),
		log,
		version: '1.2.3',
		unlessSilent: store.unlessSilent,
		elapsed: clock,
		packageLimits: smallLimits.packages,
		limits: {
			maxFragments: 50,
			downlinkMaxBytes: 16_184,
			payloadMaxBytes: 16_184,
			jsonMaxDepth: 64,
			listPayloadMaxBytes: 40_000,
			linesMax: 2000,
			unacknowledgedMaxMessages: windowSize,
			autoCreation: true,
			storePatienceMilliseconds: 0,
		},
		templateLimits: {
			maximumTemplates: 10,
			maximumFields: 5,
			maximumPathSteps: 6,
			visitsMax: 1000,
			subscriptionsMax: 3,
			cacheMaxCollections: 2,
			cacheMilliseconds: 1000,
		},
	});
	let messageId = 0;
	const { close } = store;
	// What is looked for at the end of a test need not wait for a store that is closed.
	Object.assign(store, {
		close() {
			gateway.endPatience();
			return close();
		},
	});
	return {
		...operationsBench,
		access,
		gateway,
		session(serial = 'dev1', { role = 'device', topics = ['s/e', 's/ds', 'error', 's/dat', 's/dcr', 's/dt'], ...more } = {}) {
			return Object.assign(fakeSession(serial, role, topics), more);
		},
		async publish(session, ...payloads) {
			const turn = payloads.map((payload): IncomingPublish => {
				messageId++;
				const given = typeof payload === 'string' ? { payload: Buffer.from(payload) } : payload;
				return { topic: 's/us', payload: Buffer.alloc(0), messageId, redelivered: false, done: () => undefined, ...given };
			});
			await gateway.handleTurn(session, turn);
		},
		async object(serial) {
			const id = await operationsBench.inventory.devices.find(tenant, serial);
			if (!id) throw new Error(`${serial} is not known`);
			return operationsBench.inventory.objects.get(tenant, id);
		},
		lines: ({ sent }, topic) => sent.filter((message) => message.topic === topic).map(({ payload }) => payload),
	};
}

function fakeSession(serial: string, role: 'admin' | 'device' | 'bootstrap', topics: readonly string[]): FakeSession {
	const waiting: { readonly count: number; readonly resolve: (sent: readonly Sent[]) => void }[] = [];
	const session: FakeSession = {
		principal: { tenant, userName: `device_${serial}`, role, ...(role === 'device' && { serial }) },
		serial,
		host: 'host.example',
		subscriptions: new Map(topics.map((topic) => [topic, 1])),
		closed: false,
		sent: [],
		cutOff: [],
		full: false,
		onRoom: [],
		acknowledges: true,
		received: (count) =>
			new Promise((resolve) => {
				waiting.push({ count, resolve });
				settle();
			}),
		connection: {
			publish(topic, payload, qos, done = () => undefined) {
				session.sent.push({ topic, payload, qos, done });
				if (session.acknowledges) done(true);
				settle();
			},
			answer: (topic, payload, qos) => session.connection.publish(topic, payload, qos),
			isFull: () => session.full,
			room: () => new Promise((resolve) => session.onRoom.push(resolve)),
			close(reason) {
				session.cutOff.push(reason);
				session.closed = true;
			},
		},
	};
	const settle = () => {
		for (const { count, resolve } of waiting) if (session.sent.length >= count) resolve([...session.sent]);
	};
	return session;
}

/** Waits until nothing more can happen: everything that was begun has gone through the store. */
export async function idle({ store }: GatewayBench, rounds = 4): Promise<void> {
	for (let i = 0; i < rounds; i++) {
		await store.ping();
		await new Promise(setImmediate);
	}
}
