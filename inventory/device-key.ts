/** Names a device among those of all tenants. */
export function deviceKey(tenant: string, serial: string): string {
	return `${tenant}/${serial}`;
}
