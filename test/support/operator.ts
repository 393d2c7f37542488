import { eventually } from './eventually.ts';
import type { HttpClient } from './http-client.ts';

export interface PackageJson {
	readonly name: string;
	readonly version: string;
	readonly softwareType?: string;
	readonly url?: string;
}

export interface Reference {
	readonly managedObject: { readonly id: string; readonly name?: string };
}

/** A managed object as it is answered; fragments are whatever the device sent. */
export interface ManagedObjectJson {
	readonly id: string;
	readonly name?: string;
	readonly type?: string;
	readonly owner: string;
	readonly childDevices?: { readonly references: readonly Reference[] };
	readonly childAdditions?: { readonly references: readonly Reference[] };
	readonly [fragment: string]: unknown;
}

export interface OperationJson {
	readonly id: string;
	readonly deviceId: string;
	readonly agentId: string;
	readonly status: string;
	readonly failureReason?: string;
	readonly delivery: { readonly status: string };
	readonly [fragment: string]: unknown;
}

export interface SoftwarePage {
	readonly softwareList: readonly PackageJson[];
	readonly statistics: { readonly currentPage: number; readonly totalPages?: number; readonly totalElements?: number };
	readonly next?: string;
}

export const softwarePath = '/service/advanced-software-mgmt/software';

export type Operator = ReturnType<typeof createOperator>;

/** What an operator does over HTTP. */
export function createOperator(http: HttpClient) {
	/** The id of a device, child or service; `undefined` while it is unknown. */
	async function findId(serial: string): Promise<string | undefined> {
		const path = `/identity/externalIds/c8y_Serial/${encodeURIComponent(serial)}`;
		const { status, body } = await http.call<{ readonly managedObject: { readonly id: string } }>('GET', path);
		return status === 200 ? body.managedObject.id : undefined;
	}

	async function idOf(serial: string): Promise<string> {
		const id = await findId(serial);
		if (id === undefined) throw new Error(`no managed object is known as '${serial}'`);
		return id;
	}

	async function objectOf(serial: string): Promise<ManagedObjectJson> {
		return http.get(`/inventory/managedObjects/${await idOf(serial)}`);
	}

	async function createOperation(serial: string, fragments: Readonly<Record<string, unknown>>): Promise<OperationJson> {
		return http.post('/devicecontrol/operations', { deviceId: await idOf(serial), ...fragments });
	}

	async function operation(id: string): Promise<OperationJson> {
		return http.get(`/devicecontrol/operations/${id}`);
	}

	/** Resolves when an operation has come to a status. */
	async function reaches(id: string, status: string, deadlineMilliseconds?: number): Promise<OperationJson> {
		return eventually(
			`operation ${id} becomes ${status}`,
			() => operation(id),
			(found) => found.status === status,
			deadlineMilliseconds,
		);
	}

	async function softwarePage(deviceId: string, query = ''): Promise<SoftwarePage> {
		return http.get(`${softwarePath}?deviceId=${deviceId}${query && `&${query}`}`);
	}

	/** The whole list, page by page. */
	async function softwareOf(serial: string, pageSize = 2000): Promise<PackageJson[]> {
		const deviceId = await idOf(serial);
		const list: PackageJson[] = [];
		for (let page = 1; ; page++) {
			const { softwareList, next } = await softwarePage(deviceId, `pageSize=${pageSize}&currentPage=${page}`);
			list.push(...softwareList);
			if (next === undefined) return list;
		}
	}

	/** The list as `name version` in the order of the service. */
	async function namesOf(serial: string): Promise<string[]> {
		return (await softwareOf(serial)).map(({ name, version }) => `${name} ${version}`);
	}

	return { http, findId, idOf, objectOf, createOperation, operation, reaches, softwarePage, softwareOf, namesOf };
}
