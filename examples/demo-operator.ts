import type { InstalledPackage } from './package-list.ts';

export interface Change {
	readonly name: string;
	readonly version: string;
	readonly softwareType: string;
	readonly url: string;
	readonly action: 'install' | 'delete';
}

export interface OperationView {
	readonly deviceId: string;
	readonly id: string;
	readonly status: string;
	readonly failureReason?: string;
}

export type Operator = ReturnType<typeof createOperator>;

/** What the demo does over HTTP. */
export function createOperator({
	url,
	user,
	password,
}: {
	readonly url: string;
	readonly user: string;
	readonly password: string;
}) {
	const headers = {
		Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
		'Content-Type': 'application/json',
	};

	async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
		const response = await fetch(url + path, { headers, ...init });
		const answer = await response.text();
		if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${answer}`);
		return JSON.parse(answer);
	}

	async function idOf(serial: string): Promise<string> {
		const path = `/identity/externalIds/c8y_Serial/${encodeURIComponent(serial)}`;
		return (await request<{ managedObject: { id: string } }>(path)).managedObject.id;
	}

	async function update(deviceId: string, changes: readonly Change[]): Promise<OperationView> {
		const description = `Demo: ${changes.map(({ action, name }) => `${action} ${name}`).join(', ')}`;
		const body = JSON.stringify({ deviceId, description, c8y_SoftwareUpdate: changes });
		return request('/devicecontrol/operations', { method: 'POST', body });
	}

	async function countOperations(status: string): Promise<number> {
		const path = `/devicecontrol/operations?status=${status}&pageSize=1&withTotalElements=true`;
		return (await request<{ statistics: { totalElements: number } }>(path)).statistics.totalElements;
	}

	async function failures(): Promise<OperationView[]> {
		return (await request<{ operations: OperationView[] }>('/devicecontrol/operations?status=FAILED&pageSize=2000')).operations;
	}

	async function countPackages(deviceId: string): Promise<number> {
		const path = `/service/advanced-software-mgmt/software?deviceId=${deviceId}&pageSize=1&withTotalElements=true`;
		return (await request<{ statistics: { totalElements: number } }>(path)).statistics.totalElements;
	}

	/** The whole list, page by page. */
	async function packagesOf(deviceId: string): Promise<Pick<InstalledPackage, 'name' | 'version'>[]> {
		const list: Pick<InstalledPackage, 'name' | 'version'>[] = [];
		let path: string | undefined = `/service/advanced-software-mgmt/software?deviceId=${deviceId}&pageSize=2000`;
		while (path !== undefined) {
			const page: { softwareList: typeof list; next?: string } = await request(path);
			list.push(...page.softwareList);
			path = page.next?.slice(new URL(page.next).origin.length);
		}
		return list;
	}

	return { idOf, update, countOperations, failures, countPackages, packagesOf };
}
