import type { Ledger } from './ledger.ts';
import type { Operator } from './operator.ts';
import { openRawClient, upstream } from './raw-client.ts';

export interface PackageStreamOptions {
	readonly serial: string;
	readonly login: { readonly username: string; readonly password: string };
	readonly ledger: Ledger;
	/** Messages that may wait for their acknowledgement. */
	readonly window?: number;
}

export type PackageStream = ReturnType<typeof createPackageStream>;

const maxMessageId = 65_000;

/**
 * A device that keeps sending packages at QoS 1, numbered on. What is not acknowledged is sent again on its next connection,
 * as a device does.
 */
export function createPackageStream({ serial, login, ledger, window = 50 }: PackageStreamOptions) {
	const entries = ledger.stream(serial);
	const unacknowledged = new Set<number>();
	let goesOn = true;
	let onFinished = () => {};

	/** Resolves when it is logged in; `false` when it is not let in. */
	async function connect(url: string) {
		const numberOf = new Map<number, number>();
		const client = await openRawClient(url, (packet) => {
			const number = packet.cmd === 'puback' ? numberOf.get(packet.messageId ?? 0) : undefined;
			if (number === undefined) return;
			entries.acknowledged(number);
			unacknowledged.delete(number);
			if (goesOn) publish(entries.next());
			else if (unacknowledged.size === 0) onFinished();
		});
		const publish = (number: number): void => {
			const messageId = (number % maxMessageId) + 1;
			numberOf.set(messageId, number);
			unacknowledged.add(number);
			client.send(upstream(messageId, `141,package-${number},1,apt,http://archive.example/pool/${serial}/${number}.deb`));
		};
		const isIn = (await client.logIn({ clientId: serial, ...login })) === 0;
		if (!isIn) return { client, isIn };
		for (const number of [...unacknowledged]) publish(number);
		for (let count = unacknowledged.size; goesOn && count < window; count++) publish(entries.next());
		return { client, isIn };
	}

	/** Sends nothing new; resolves when everything that was sent is acknowledged. */
	function finish(): Promise<void> {
		goesOn = false;
		return new Promise((resolve) => {
			onFinished = resolve;
			if (unacknowledged.size === 0) resolve();
		});
	}

	/** Notes what the service has of this device. */
	async function noteStored(operator: Operator): Promise<void> {
		for (const { name } of await operator.softwareOf(serial)) entries.stored(Number(name.slice('package-'.length)));
	}

	return { serial, connect, finish, noteStored, countAcknowledged: entries.countAcknowledged };
}
