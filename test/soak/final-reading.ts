import { createOperator } from '../support/operator.ts';
import type { Findings } from './findings.ts';
import type { SoakDevice } from './soak-device.ts';
import type { SoakLedgers } from './soak-ledgers.ts';
import { httpAt, type OperationsPage, operationsPath } from './soak-operator.ts';
import { numberOf } from './soak-reader.ts';

const pageSize = 1000;

/** Notes in the ledgers what the service has, when everything is at rest. */
export async function noteEverything(
	places: () => readonly string[],
	devices: readonly SoakDevice[],
	ledgers: SoakLedgers,
	findings: Findings,
): Promise<void> {
	const [place = ''] = places();
	const operator = createOperator(httpAt(place));
	for (const { serial, childSerial, own, child, uncertain } of devices) {
		const names = (await operator.softwareOf(serial)).map(({ name }) => name);
		report(serial, own.beginReading()(names, true));
		own.noteStored(names);
		const childList = await operator.softwareOf(childSerial);
		report(childSerial, child.beginReading()(childList));
		child.noteStored(childList);
		await noteOperations(serial, uncertain);
	}

	async function noteOperations(serial: string, uncertain: ReadonlySet<number>): Promise<void> {
		const entries = ledgers.operations.stream(serial);
		const deviceId = await operator.idOf(serial);
		for (let page = 1; ; page++) {
			const path = `${operationsPath}?deviceId=${deviceId}&pageSize=${pageSize}&currentPage=${page}`;
			const { operations, next } = await operator.http.get<OperationsPage>(path);
			for (const { status, c8y_Command } of operations) {
				const number = numberOf(c8y_Command);
				entries.stored(number);
				if (status !== 'SUCCESSFUL' && !uncertain.has(number))
					findings.wrong('lost', `operation #${number} of ${serial} is ${status} at the end`);
			}
			if (next === undefined) return;
		}
	}

	function report(serial: string, fault: string | undefined): void {
		if (fault !== undefined) findings.wrong('impossible', `at the end, ${serial}: ${fault}`);
	}
}
