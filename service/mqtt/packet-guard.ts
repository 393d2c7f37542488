import type { Client } from 'aedes';

interface GuardedParser {
	_parseLength(): boolean;
	packet: { length: number };
	emit(event: 'error', error: Error): void;
}

/** Bytes of a CONNECT with the longest names, password and will, and of what may follow it before its answer. */
const maxConnectBytes = 64 * 1024;

/**
 * Closes a connection as soon as a packet announces more than `maxBytes`, before any of it is kept: neither the broker nor its
 * parser has a limit of its own. This leans on the parser's inner names; a test fails when they change.
 */
export function guardPacketLength(client: Client, maxBytes: number): void {
	// Whoever has not been let in yet has nothing long to say.
	const limit = () => (client.connected ? maxBytes : Math.min(maxBytes, maxConnectBytes));
	const parser: unknown = Reflect.get(client, '_parser');
	if (!isParser(parser)) throw new Error('the MQTT parser has changed: packet lengths cannot be guarded');
	const parseLength = parser._parseLength.bind(parser);
	parser._parseLength = () => {
		const known = parseLength();
		if (known && parser.packet.length > limit()) {
			parser.emit('error', new Error(`a packet of ${parser.packet.length} bytes is too large: at most ${limit()} are read`));
			return false;
		}
		return known;
	};
}

function isParser(value: unknown): value is GuardedParser {
	return (
		typeof value === 'object' &&
		value !== null &&
		'_parseLength' in value &&
		typeof value._parseLength === 'function' &&
		'emit' in value
	);
}
