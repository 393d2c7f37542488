import { z } from 'zod';
import { optional, origins, setting, wholeNumber } from './setting.ts';

const kibibyte = 1024;
const seconds = wholeNumber(1, 86_400);
const perSecond = wholeNumber(0, 10_000_000);

/** What one client may take of the service, before and after it is known who it is. */
export const protection = z
	.object({
		addressRequestsPerSecond: setting(
			'HTTP_REQUESTS_PER_SECOND_PER_ADDRESS',
			perSecond,
			2000,
			'How many HTTP requests a second each process takes of one address (of IPv6: one network of 64 bits), whoever sends them; more are answered with 429. 0 means no limit. `/health` and `/ready` are always answered.',
		),
		userRequestsPerSecond: setting(
			'HTTP_REQUESTS_PER_SECOND_PER_USER',
			perSecond,
			1000,
			'How many HTTP requests a second each process takes of one user who is no device; 0 means no limit.',
		),
		deviceRequestsPerSecond: setting(
			'HTTP_REQUESTS_PER_SECOND_PER_DEVICE',
			perSecond,
			100,
			'How many HTTP requests a second each process takes of one device; 0 means no limit.',
		),
		addressConnectsPerSecond: setting(
			'MQTT_CONNECTIONS_PER_SECOND_PER_ADDRESS',
			perSecond,
			500,
			'How many MQTT connection attempts a second of one address (of IPv6: one network of 64 bits) are taken up, so that one address cannot use up MQTT_CONNECTIONS_PER_SECOND; more are answered "server unavailable". 0 means no limit, and is right behind a load balancer, which makes all devices one address.',
		),
		clientMessagesPerSecond: setting(
			'MQTT_MESSAGES_PER_SECOND',
			perSecond,
			1000,
			'How many messages a second of one MQTT connection are handled, when it sends more for longer than a second. More are not refused: they wait, unacknowledged, and the connection is read no further. 0 means as fast as it goes.',
		),
		httpConnectionsMax: setting(
			'HTTP_CONNECTIONS_MAX',
			wholeNumber(1, 10_000_000),
			50_000,
			'How many connections each of the HTTP listeners has at a time, MQTT over WebSocket included; more are closed at once.',
		),
		urlMaxCharacters: setting(
			'HTTP_URL_MAX_CHARACTERS',
			wholeNumber(200, 1_000_000),
			16_000,
			'Longest path and query of a request, in characters; a longer one is answered with 414. All of the request head has to fit HTTP_HEADERS_MAX_BYTES.',
		),
		formMaxBytes: setting(
			'HTTP_FORM_MAX_BYTES',
			wholeNumber(kibibyte, 16 * kibibyte * kibibyte),
			64 * kibibyte,
			'Largest form of a login, in bytes: such are read before it is known who sends them.',
		),
		readTimeoutSeconds: setting(
			'HTTP_READ_TIMEOUT_SECONDS',
			seconds,
			300,
			'Seconds that a client has to read an answer, files apart, before its connection is closed.',
		),
		handshakeTimeoutSeconds: setting(
			'TLS_HANDSHAKE_TIMEOUT_SECONDS',
			seconds,
			10,
			'Seconds that a client has for the TLS handshake, on all TLS listeners.',
		),
		keepAliveMaxSeconds: setting(
			'MQTT_KEEP_ALIVE_MAX_SECONDS',
			wholeNumber(1, 65_535),
			3600,
			'Longest MQTT keep-alive: a client that announces a longer one, or none (0), is held to this. A connection is closed when no whole packet came for one and a half times its keep-alive.',
		),
		mqttJsonMaxDepth: setting(
			'MQTT_JSON_MAX_DEPTH',
			wholeNumber(8, 100),
			64,
			'How many levels deep the JSON of a message may be; a deeper one is answered on `error`.',
		),
		hstsSeconds: setting(
			'HTTP_HSTS_SECONDS',
			wholeNumber(0, 63_072_000),
			86_400,
			'Seconds for which browsers that came by TLS are told to come by TLS only (`Strict-Transport-Security`), to every port of this host name; 0 says nothing. Where nothing else at this host name needs plain HTTP, 31536000 is usual.',
		),
		corsOrigins: optional(
			'CORS_ORIGINS',
			origins,
			'Origins whose pages may call the HTTP interface, cookies included, with commas between; unset means none but its own.',
		),
	})
	.describe('Protection');
