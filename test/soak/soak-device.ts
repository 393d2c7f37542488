import { setTimeout as delay } from 'node:timers/promises';
import type { IPublishPacket } from 'mqtt-packet';
import { openRawClient, type RawClient, upstream } from '../support/raw-client.ts';
import type { Chance } from './chance.ts';
import type { Findings } from './findings.ts';
import { createOperationWorker } from './operation-worker.ts';
import { createReplacedList } from './replaced-list.ts';
import { createSlidingList, type SentChange } from './sliding-list.ts';
import type { SoakLedgers } from './soak-ledgers.ts';

interface Outgoing {
	readonly packet: IPublishPacket;
	readonly onAcknowledged: () => void;
	wasSent: boolean;
}

export interface SoakDeviceOptions {
	readonly serial: string;
	readonly login: { readonly username: string; readonly password: string };
	/** Where a device may connect at present. */
	readonly places: () => readonly string[];
	readonly ledgers: SoakLedgers;
	readonly findings: Findings;
	readonly chance: Chance;
	/** Milliseconds between two messages about packages, about. */
	readonly intervalMilliseconds: number;
}

export type SoakDevice = ReturnType<typeof createSoakDevice>;

const window = 20;
const packagesMax = 200;
// Reports have packet ids of their own, which come again only after hours: a report that is sent again is known by its id.
const ids = { reports: { first: 1, count: 30_000 }, packages: { first: 30_001, count: 29_000 } };

/**
 * A device with a child: it changes its software and that of the child, and carries out operations. What is not acknowledged it
 * sends again on its next connection, in order and with the same packet id, marked as a duplicate.
 */
export function createSoakDevice(options: SoakDeviceOptions) {
	const { serial, login, places, ledgers, findings, chance, intervalMilliseconds } = options;
	const childSerial = `${serial}-child`;
	const own = createSlidingList(ledgers.packages.stream(serial), ledgers.packages.stream(`${serial} removals`));
	const child = createReplacedList(ledgers.lists.stream(childSerial));
	const unacknowledged: Outgoing[] = [];
	const uncertain = new Set<number>();
	const used = { reports: 0, packages: 0 };
	let client: RawClient | undefined;
	let isPublishing = true;
	let goesOn = true;

	const worker = createOperationWorker({
		serial,
		entries: ledgers.operations.stream(serial),
		isUncertain: (number) => uncertain.has(number),
		report: (lines, onAcknowledged) => publish('reports', 's/us', lines, onAcknowledged),
		findings,
		chance: chance.fork(),
		later: (milliseconds, then) => void delay(milliseconds).then(then),
	});

	function publish(kind: keyof typeof ids, topic: string, payload: string, onAcknowledged: () => void): void {
		const messageId = ids[kind].first + (used[kind]++ % ids[kind].count);
		const outgoing = { packet: upstream(messageId, payload, { topic }), onAcknowledged, wasSent: false };
		unacknowledged.push(outgoing);
		write(outgoing);
	}

	function write(outgoing: Outgoing): void {
		if (!client) return;
		client.send({ ...outgoing.packet, dup: outgoing.wasSent });
		outgoing.wasSent = true;
	}

	function acknowledged(messageId: number | undefined): void {
		const index = unacknowledged.findIndex(({ packet }) => packet.messageId === messageId);
		if (index !== 0) findings.wrong('impossible', `${serial}: packet ${messageId} was acknowledged out of turn`);
		const [outgoing] = index < 0 ? [] : unacknowledged.splice(index, 1);
		outgoing?.onAcknowledged();
	}

	async function connect(): Promise<RawClient | undefined> {
		const place = chance.pick(places());
		if (place === undefined) return undefined;
		const opened: RawClient = await openRawClient(place, (packet) => {
			if (packet.cmd === 'puback') acknowledged(packet.messageId);
			if (packet.cmd !== 'publish') return;
			receive(packet.topic, packet.payload.toString());
			if (packet.qos > 0) opened.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
		});
		try {
			const code = await opened.logIn({ clientId: serial, ...login });
			if (code === 0) return opened;
			if (code !== 3) findings.wrong('impossible', `${serial} was not let in: CONNACK ${code}`);
		} catch {
			// A service that has stopped, or stands still: tried again.
		}
		opened.close();
		return undefined;
	}

	function receive(topic: string, payload: string): void {
		if (topic === 's/e') findings.wrong('impossible', `${serial} was answered ${payload.slice(0, 200)}`);
		const number = /^511,[^,]*,number (\d+)/.exec(payload)?.[1];
		if (number !== undefined) worker.receive(Number(number));
	}

	async function stayConnected(): Promise<void> {
		while (goesOn) {
			const opened = await connect().catch(() => undefined);
			if (opened && !goesOn) opened.close();
			else if (opened) {
				findings.count('connections');
				client = opened;
				for (const outgoing of [...unacknowledged]) write(outgoing);
				opened.send({
					cmd: 'subscribe',
					messageId: 60_000,
					subscriptions: ['s/e', 's/ds'].map((topic) => ({ topic, qos: 1 as const })),
				});
				await opened.closed;
				client = undefined;
				worker.disconnected();
			}
			await delay(chance.whole(50, 500));
		}
	}

	async function keepPublishing(): Promise<void> {
		publish('packages', 's/us', '114,c8y_Command', () => {});
		publish('packages', 's/us', `101,${childSerial},${childSerial},soak_Child`, () => {});
		send(`s/us/${childSerial}`, [child.replace()]);
		while (isPublishing) {
			await delay(intervalMilliseconds * chance.between(0.5, 1.5));
			if (isPublishing && client && unacknowledged.length < window) publishNext();
		}
	}

	function publishNext(): void {
		const which = chance.whole(1, 100);
		if (which <= 8) send(`s/us/${childSerial}`, [child.replace()]);
		else if (which <= 20) send(`s/us/${childSerial}`, [child.add()]);
		else {
			const removal = own.length() > packagesMax || which <= 35 ? own.remove(chance.whole(1, 5)) : undefined;
			// Now and then an update is one message: what comes, and what goes.
			const addition = removal && which % 2 === 0 ? [] : [own.install(chance.whole(1, 4))];
			send('s/us', [...addition, ...(removal ? [removal] : [])]);
		}
	}

	function send(topic: string, changes: readonly SentChange[]): void {
		findings.count('messages');
		const lines = changes.map(({ line }) => line).join('\n');
		publish('packages', topic, lines, () => {
			findings.count('messages acknowledged');
			for (const { acknowledge } of changes) acknowledge();
		});
	}

	/** Half of a connection: the service is not told that it has ended, or it is told in the rudest way. */
	function cut(): void {
		if (chance.happens(0.5)) client?.socket.destroy();
		else client?.socket.resetAndDestroy();
	}

	/** Reads nothing for a while. */
	function stall(milliseconds: number): void {
		const socket = client?.socket;
		socket?.pause();
		void delay(milliseconds).then(() => socket?.resume());
	}

	function end(): void {
		goesOn = false;
		client?.close();
	}

	return {
		serial,
		childSerial,
		own,
		child,
		uncertain,
		run: () => Promise.all([stayConnected(), keepPublishing()]),
		cut,
		stall,
		stopPublishing: () => {
			isPublishing = false;
		},
		end,
		countUnacknowledged: () => unacknowledged.length,
		countEnded: worker.countEnded,
		isIdle: () => unacknowledged.length === 0 && worker.isIdle(),
	};
}
