import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../support/http-client.ts';
import { type PackageJson, type SoftwarePage, softwarePath } from '../support/operator.ts';
import type { Chance } from './chance.ts';
import type { Findings } from './findings.ts';
import { operationsFault, type SeenOperation } from './operations-order.ts';
import type { SoakDevice } from './soak-device.ts';
import { httpAt, type OperationsPage, operationsPath } from './soak-operator.ts';

export interface SoakReaderOptions {
	readonly places: () => readonly string[];
	readonly devices: readonly SoakDevice[];
	readonly findings: Findings;
	readonly chance: Chance;
	readonly intervalMilliseconds: number;
}

const smallPage = 20;
const wholePage = 2000;

/** Reads lists while they change, and checks that each is one that the device may have had at that time. */
export function createSoakReader({ places, devices, findings, chance, intervalMilliseconds }: SoakReaderOptions) {
	const idBySerial = new Map<string, string>();
	let goesOn = true;

	async function run(): Promise<void> {
		while (goesOn) {
			await delay(intervalMilliseconds * chance.between(0.5, 1.5));
			const device = chance.pick(devices);
			const read = chance.pick([readOwn, readOwn, readByPages, readChild, readChild, readOperations]);
			if (device && read) await read(device);
		}
	}

	async function readOwn({ serial, own }: SoakDevice): Promise<void> {
		const judge = own.beginReading();
		const list = await readList(serial, wholePage);
		if (list) note(serial, judge(namesIn(list), true));
	}

	async function readByPages({ serial, own }: SoakDevice): Promise<void> {
		const judge = own.beginReading();
		const list = await readList(serial, smallPage);
		if (list) note(serial, judge(namesIn(list), false));
	}

	/** Rather one that is changing: half of a list would be there for a moment only. */
	async function readChild(any: SoakDevice): Promise<void> {
		const { childSerial, child } = chance.pick(devices.filter((device) => device.child.isChanging())) ?? any;
		const judge = child.beginReading();
		const list = await readList(childSerial, wholePage);
		if (list) note(childSerial, judge(list));
	}

	async function readOperations({ serial }: SoakDevice): Promise<void> {
		const id = await idOf(serial);
		const page = id && (await get<OperationsPage>(`${operationsPath}?deviceId=${id}&revert=true&pageSize=${smallPage}`));
		if (page) note(serial, operationsFault(page.operations.map(toSeen)));
	}

	/** A list page by page; `undefined` when the service did not answer each time. */
	async function readList(serial: string, pageSize: number): Promise<PackageJson[] | undefined> {
		const id = await idOf(serial);
		const list: PackageJson[] = [];
		for (let page = 1; id !== undefined; page++) {
			const found = await get<SoftwarePage>(`${softwarePath}?deviceId=${id}&pageSize=${pageSize}&currentPage=${page}`);
			if (!found) return undefined;
			list.push(...found.softwareList);
			if (found.next === undefined) return list;
		}
		return undefined;
	}

	async function idOf(serial: string): Promise<string | undefined> {
		const known = idBySerial.get(serial);
		if (known !== undefined) return known;
		const answer = await ask<{ readonly managedObject: { readonly id: string } }>(`/identity/externalIds/c8y_Serial/${serial}`);
		// Until its first message is handled nobody knows the device.
		if (answer?.status !== 200) return undefined;
		idBySerial.set(serial, answer.body.managedObject.id);
		return answer.body.managedObject.id;
	}

	async function get<T>(path: string): Promise<T | undefined> {
		const answer = await ask<T>(path);
		if (answer?.status === 200) return answer.body;
		if (answer && answer.status !== 503)
			findings.wrong('impossible', `GET ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
		return undefined;
	}

	async function ask<T>(path: string): Promise<Answer<T> | undefined> {
		const place = chance.pick(places());
		const answer =
			place === undefined
				? undefined
				: await httpAt(place)
						.call<T>('GET', path)
						.catch(() => undefined);
		if (place !== undefined) findings.count(answer && answer.status < 500 ? 'reads' : 'reads without an answer');
		return answer;
	}

	function note(serial: string, fault: string | undefined): void {
		findings.count('lists checked');
		if (fault !== undefined) findings.wrong('impossible', `a reader saw ${serial}: ${fault}`);
	}

	return {
		run,
		stop: () => {
			goesOn = false;
		},
	};
}

function namesIn(list: readonly PackageJson[]): string[] {
	return list.map(({ name }) => name);
}

function toSeen({ status, c8y_Command }: OperationsPage['operations'][number]): SeenOperation {
	return { number: numberOf(c8y_Command), status };
}

/** The number that an operation was given. */
export function numberOf(command: unknown): number {
	return Number(/number (\d+)/.exec(JSON.stringify(command) ?? '')?.[1]);
}
