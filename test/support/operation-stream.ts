import type { Ledger } from './ledger.ts';
import type { Operator } from './operator.ts';
import { openRawClient, upstream } from './raw-client.ts';
import { processLogin, type ServiceProcess } from './service-process.ts';

const pageSize = 2000;

/**
 * A device that does what it gets, one after the other, with one report under way. What was not acknowledged it sends once more
 * on its next connection, marked as a duplicate; what it gets once more although its report was acknowledged is in `again`, and
 * what came out of the order of the numbers for the first time is in `disordered`.
 */
export function createInstaller(serial: string, ledger: Ledger) {
	const entries = ledger.stream('operations');
	const again: number[] = [];
	const disordered: number[] = [];
	const reported = new Set<number>();
	let newest = -1;
	const delivered = new Set<number>();
	let underWay: { readonly messageId: number; readonly number: number } | undefined;

	async function connect({ mqtt }: ServiceProcess) {
		const waiting: number[] = [];
		const client = await openRawClient(mqtt, (packet) => {
			if (packet.cmd === 'publish') {
				const number = numberIn(packet.payload.toString());
				entries.delivered(number);
				if (reported.has(number)) again.push(number);
				if (!delivered.has(number) && number < newest) disordered.push(number);
				delivered.add(number);
				newest = Math.max(newest, number);
				client.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
				if (number !== underWay?.number) waiting.push(number);
				report();
			} else if (packet.cmd === 'puback' && underWay && packet.messageId === underWay.messageId) {
				reported.add(underWay.number);
				underWay = undefined;
				report();
			}
		});
		const send = ({ messageId }: { readonly messageId: number }, dup: boolean) =>
			client.send(upstream(messageId, '501,c8y_Command\n503,c8y_Command', { dup }));
		const report = (): void => {
			const number = underWay ? undefined : waiting.shift();
			if (number === undefined) return;
			underWay = { messageId: number + 1, number };
			send(underWay, false);
		};
		await client.logIn({ clientId: serial, ...processLogin });
		if (underWay) send(underWay, true);
		client.send(upstream(60_001, '114,c8y_Command'));
		// The device is known from here on.
		await client.next('puback', ({ messageId }) => messageId === 60_001);
		await client.subscribe('s/ds');
		return client;
	}

	return { connect, again, disordered };
}

/** Operations one after the other, numbered in their texts, until `goesOn` says no; a refusal of one is handed over, and ends it where that throws. */
export async function createOperations(
	operator: Operator,
	serial: string,
	ledger: Ledger,
	goesOn: () => boolean = () => true,
	onRefused: (error: unknown) => void = (error) => {
		throw error;
	},
): Promise<void> {
	const entries = ledger.stream('operations');
	const deviceId = await operator.idOf(serial);
	while (goesOn()) {
		const number = entries.next();
		try {
			await operator.http.post('/devicecontrol/operations', { deviceId, c8y_Command: { text: `number ${number}` } });
			entries.acknowledged(number);
		} catch (error) {
			onRefused(error);
		}
	}
}

/** Notes what the service has of them. */
export async function noteOperations(operator: Operator, serial: string, ledger: Ledger): Promise<void> {
	const entries = ledger.stream('operations');
	const deviceId = await operator.idOf(serial);
	for (let page = 1; ; page++) {
		const { operations } = await operator.http.get<{ operations: { c8y_Command: { text: string } }[] }>(
			`/devicecontrol/operations?deviceId=${deviceId}&pageSize=${pageSize}&currentPage=${page}`,
		);
		for (const { c8y_Command } of operations) entries.stored(numberIn(c8y_Command.text));
		if (operations.length < pageSize) return;
	}
}

function numberIn(text: string): number {
	return Number(/number (\d+)/.exec(text)?.[1]);
}
