import { deviceKey } from '../../inventory/index.ts';
import { parseTopic, upstreamFilters } from '../../smartrest/index.ts';
import { parseClientId } from './gateway.ts';

/** What a device publishes at an outside broker, taken apart. */
export interface BridgeTopic {
	readonly tenant: string;
	readonly clientId: string;
	readonly serial: string;
	/** The topic as the device would use it here, or `presence`. */
	readonly topic: string;
}

export type Sharing = 'own' | 'hashed';

/** The topic under a device's prefix by which the broker tells that it came or went. */
export const presenceTopic = 'presence';

const maxTopicLength = 2048;
const maxClientIdLength = 512;
const tenantPattern = /^[A-Za-z][A-Za-z0-9]{0,31}$/;

/** `<root>/<tenant>/<clientId>/<topic>`; `undefined` for everything that no device may publish. */
export function parseBridgeTopic(root: string, text: string): BridgeTopic | undefined {
	if (text.length > maxTopicLength || !text.startsWith(`${root}/`)) return undefined;
	const tenantEnd = text.indexOf('/', root.length + 1);
	const clientEnd = tenantEnd < 0 ? -1 : text.indexOf('/', tenantEnd + 1);
	if (clientEnd < 0) return undefined;
	const tenant = text.slice(root.length + 1, tenantEnd);
	const clientId = text.slice(tenantEnd + 1, clientEnd);
	const topic = text.slice(clientEnd + 1);
	if (!tenantPattern.test(tenant) || clientId.length > maxClientIdLength || /[\p{Cc}+#\uFFFD]/u.test(clientId)) return undefined;
	const serial = parseClientId(clientId);
	if (serial === undefined || (topic !== presenceTopic && !isUpstream(topic))) return undefined;
	return { tenant, clientId, serial, topic };
}

function isUpstream(topic: string): boolean {
	const parsed = parseTopic(topic);
	return parsed?.direction === 'up' && parsed.kind !== 'credentials';
}

/** The subscriptions of a partition. A group of its own has one member only, so any broker hands it everything, in order. */
export function bridgeFilters(root: string, group: string, partition: number, sharing: Sharing): string[] {
	const shared = sharing === 'own' ? `$share/${group}-${partition}` : `$share/${group}`;
	return [...upstreamFilters(), presenceTopic].map((topic) => `${shared}/${root}/+/+/${topic}`);
}

/** Where a session of the service sends marks to itself: under the root, and no device's prefix. */
export function markTopic(root: string, clientId: string): string {
	return `${root}/${clientId}`;
}

/** FNV-1a, 32 bits, of `tenant/deviceIdentifier` in UTF-8, modulo the number of partitions. Never to be changed. */
export function partitionOf({ tenant, serial }: Pick<BridgeTopic, 'tenant' | 'serial'>, partitions: number): number {
	let hash = 0x811c9dc5;
	for (const byte of Buffer.from(deviceKey(tenant, serial), 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
	return hash % partitions;
}
