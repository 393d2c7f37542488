import { setTimeout as delay } from 'node:timers/promises';
import { createHttpClient, type HttpClient } from '../support/http-client.ts';
import { createOperator, type OperationJson } from '../support/operator.ts';
import { processLogin } from '../support/service-process.ts';
import type { Chance } from './chance.ts';
import type { Findings } from './findings.ts';
import type { SoakDevice } from './soak-device.ts';
import type { SoakLedgers } from './soak-ledgers.ts';

/** Operations as a list answers them. */
export interface OperationsPage {
	readonly operations: readonly OperationJson[];
	readonly next?: string;
}

export const operationsPath = '/devicecontrol/operations';

export function httpAt(place: string): HttpClient {
	return createHttpClient(place, { user: processLogin.username, password: processLogin.password });
}

export interface SoakOperatorOptions {
	readonly places: () => readonly string[];
	readonly ledgers: SoakLedgers;
	readonly findings: Findings;
	readonly chance: Chance;
	/** Resolves when what a process has begun before it ended is in the store, or never will be. */
	readonly settled: () => Promise<void>;
	readonly intervalMilliseconds: number;
}

/** Creates operations, numbered on for each device, one after the other, and each of them once. */
export function createSoakOperator(options: SoakOperatorOptions) {
	const { places, ledgers, findings, chance, settled, intervalMilliseconds } = options;
	let goesOn = true;

	async function createFor(device: SoakDevice): Promise<void> {
		const deviceId = await idOf(device.serial);
		while (goesOn && deviceId !== undefined) {
			await delay(intervalMilliseconds * chance.between(0.5, 1.5));
			if (goesOn) await createOne(device, deviceId);
		}
	}

	async function idOf(serial: string): Promise<string | undefined> {
		while (goesOn) {
			const id = await anywhere((http) => createOperator(http).findId(serial));
			if (id !== undefined) return id;
			await delay(200);
		}
		return undefined;
	}

	/** What a service somewhere answers; `undefined` when it does not. */
	async function anywhere<T>(ask: (http: HttpClient) => Promise<T>): Promise<T | undefined> {
		const place = chance.pick(places());
		return place === undefined ? undefined : ask(httpAt(place)).catch(() => undefined);
	}

	async function createOne(device: SoakDevice, deviceId: string): Promise<void> {
		const entries = ledgers.operations.stream(device.serial);
		const number = entries.next();
		// By this name it is found when the answer to the POST was lost.
		const marker = `soak_Number${number}`;
		for (;;) {
			const outcome = await post({ deviceId, c8y_Command: { text: `number ${number}` }, [marker]: {} });
			if (outcome === 'created' || (outcome !== 'notSent' && (await wasCreated(deviceId, marker)))) break;
			// It may be created still, and after the next one: neither lost nor doubled, but nobody can say in which place.
			if (outcome === 'noAnswer') {
				device.uncertain.add(number);
				findings.count('operations given up');
				return;
			}
			if (outcome === 'failed') findings.count('operations tried again');
			await delay(200);
		}
		entries.acknowledged(number);
		findings.count('operations');
	}

	async function post(body: Readonly<Record<string, unknown>>): Promise<'created' | 'failed' | 'noAnswer' | 'notSent'> {
		const place = chance.pick(places());
		if (place === undefined) return 'notSent';
		try {
			const { status, body: answer } = await httpAt(place).call('POST', operationsPath, body);
			if (status === 201) return 'created';
			if (status !== 503) findings.wrong('impossible', `POST of an operation: ${status} ${JSON.stringify(answer)}`);
			return 'failed';
		} catch (error) {
			return error instanceof Error && error.name === 'TimeoutError' ? 'noAnswer' : 'failed';
		}
	}

	async function wasCreated(deviceId: string, marker: string): Promise<boolean> {
		await settled();
		for (;;) {
			const path = `${operationsPath}?deviceId=${deviceId}&fragmentType=${marker}`;
			const page = await anywhere((http) => http.get<OperationsPage>(path));
			if (page) return page.operations.length > 0;
			await delay(200);
		}
	}

	return {
		run: (devices: readonly SoakDevice[]) => Promise.all(devices.map(createFor)),
		stop: () => {
			goesOn = false;
		},
	};
}
