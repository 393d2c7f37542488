import { z } from 'zod';
import { access } from './access.ts';
import { audit } from './audit.ts';
import { binaries } from './binaries.ts';
import { certificates } from './certificates.ts';
import { events } from './events.ts';
import { identityProviders } from './identity-providers.ts';
import { mongodb } from './mongodb.ts';
import { outsideBroker } from './outside-broker.ts';
import { protection } from './protection.ts';
import { querySettings } from './query-settings.ts';
import { registration } from './registration.ts';
import { oneOf, optional, portOrOff, proxies, setting, text, wholeNumber } from './setting.ts';
import { tenantSettings } from './tenant-settings.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const port = wholeNumber(0, 65_535);
const seconds = wholeNumber(1, 86_400);
const bytes = wholeNumber(kibibyte, 256 * mebibyte);
const characters = wholeNumber(1, mebibyte);
const count = wholeNumber(1, 10_000_000);
const path = text('a path', /\S/);
const tlsPath = text('a path of a PEM file', /\S/);

/** Every setting, by group: name outside, kind of value, value when unset, meaning. */
export const groups = {
	server: z
		.object({
			host: setting(
				'HOST',
				text('a host name or an IP address', /^[^\s/]+$/),
				'0.0.0.0',
				'Address of all listeners; `::` takes IPv6 and IPv4.',
			),
			shutdownGraceSeconds: setting(
				'SHUTDOWN_GRACE_SECONDS',
				seconds,
				10,
				'Seconds that running work has to end after a stop signal, before it is cut off.',
			),
			configFile: optional(
				'CONFIG_FILE',
				path,
				'Path of a JSON file with settings under these same names; the environment wins over it.',
			),
		})
		.describe('Process'),
	http: z
		.object({
			port: setting('HTTP_PORT', port, 8080, 'Port of HTTP, and of MQTT over WebSocket at `/mqtt`; 0 picks a free one.'),
			httpsPort: optional('HTTPS_PORT', port, 'Port of HTTPS; 0 picks a free one; unset means no HTTPS listener.'),
			trustedProxies: setting(
				'TRUSTED_PROXIES',
				proxies,
				'loopback',
				'Proxies in front, as a list of addresses and networks with commas between; `loopback`, `linklocal` and `uniquelocal` stand for such networks. Their `X-Forwarded-For`, `-Proto` and `-Host` are believed.',
			),
			httpsDevicesPort: optional(
				'HTTPS_DEVICES_PORT',
				port,
				'Port of HTTPS that also asks clients for a certificate, by which a device can log in (8443 with Cumulocity); 0 picks a free one; unset means no such listener. Browsers should use `HTTPS_PORT`: here they would ask people for a certificate.',
			),
			bodyMaxBytes: setting('HTTP_BODY_MAX_BYTES', bytes, 16 * mebibyte, 'Largest request body, in bytes.'),
			bulkRegistrationMaxLines: setting(
				'BULK_REGISTRATION_MAX_LINES',
				wholeNumber(1, 100_000),
				1000,
				'How many devices one CSV file may register; each password costs its hash.',
			),
			jsonMaxDepth: setting('HTTP_JSON_MAX_DEPTH', wholeNumber(8, 1000), 64, 'How many levels deep a JSON body may be.'),
			pageSizeMax: setting(
				'HTTP_PAGE_SIZE_MAX',
				wholeNumber(1, 10_000),
				2000,
				'Largest `pageSize` that a list accepts, in entries.',
			),
			scansAtOnce: setting(
				'HTTP_SCANS_AT_ONCE',
				wholeNumber(1, 100),
				2,
				'How many searches and totals, which look at many documents, run at a time; others come in between.',
			),
			scansWaitingPerUser: setting(
				'HTTP_SCANS_WAITING_PER_USER',
				wholeNumber(1, 10_000),
				50,
				'How many of those of one user may wait; more are answered with 429.',
			),
			headersMaxBytes: setting(
				'HTTP_HEADERS_MAX_BYTES',
				wholeNumber(kibibyte, mebibyte),
				16 * kibibyte,
				'Largest request head, in bytes, the URL included; a larger one is answered with 431.',
			),
			headersMaxCount: setting(
				'HTTP_HEADERS_MAX_COUNT',
				wholeNumber(10, 2000),
				100,
				'How many header lines a request may have; with more it is answered with 431.',
			),
			headersTimeoutSeconds: setting(
				'HTTP_HEADERS_TIMEOUT_SECONDS',
				seconds,
				20,
				'Seconds that a client has to send the request head.',
			),
			requestTimeoutSeconds: setting(
				'HTTP_REQUEST_TIMEOUT_SECONDS',
				seconds,
				300,
				'Seconds that a client has to send the whole request.',
			),
			answerTimeoutSeconds: setting(
				'HTTP_ANSWER_TIMEOUT_SECONDS',
				seconds,
				60,
				'Seconds that a request, once received, may take before it is answered with 503; what it began may still be done.',
			),
			readyTimeoutSeconds: setting(
				'READY_TIMEOUT_SECONDS',
				seconds,
				3,
				'Seconds in which the database has to answer, or to commit anything that this process writes, before `/ready` is red.',
			),
			keepAliveTimeoutSeconds: setting(
				'HTTP_KEEP_ALIVE_TIMEOUT_SECONDS',
				seconds,
				65,
				'Seconds that an idle connection stays open; longer than the idle time of a load balancer in front.',
			),
		})
		.describe('HTTP'),
	mqtt: z
		.object({
			port: setting('MQTT_PORT', portOrOff, 1883, 'Port of MQTT; 0 picks a free one; `off` means no such listener.'),
			mqttsPort: optional('MQTTS_PORT', port, 'Port of MQTT over TLS; 0 picks a free one; unset means no such listener.'),
			payloadMaxBytes: setting(
				'MQTT_PAYLOAD_MAX_BYTES',
				bytes,
				16_184,
				'Largest payload of a publish from a device, in bytes; a larger one is answered on `s/e` and nothing of it is stored.',
			),
			listPayloadMaxBytes: setting(
				'MQTT_LIST_PAYLOAD_MAX_BYTES',
				bytes,
				256 * kibibyte,
				'Largest payload that begins with a software list (140, 141, 142, 116), in bytes; devices cut such lists by the number of packages. The larger of this and MQTT_PAYLOAD_MAX_BYTES holds.',
			),
			linesMax: setting(
				'MQTT_LINES_MAX',
				wholeNumber(1, 1_000_000),
				2000,
				'How many lines of one publish are read; those after them are answered on `s/e` together.',
			),
			downlinkBufferMaxBytes: setting(
				'MQTT_DOWNLINK_BUFFER_MAX_BYTES',
				bytes,
				mebibyte,
				'How many bytes to one device may wait to be written to its connection; more answers are dropped, and operations wait.',
			),
			packetMaxBytes: setting(
				'MQTT_PACKET_MAX_BYTES',
				bytes,
				mebibyte,
				'Largest MQTT packet that is read at all, in bytes; a larger one closes the connection.',
			),
			downlinkPayloadMaxBytes: setting(
				'MQTT_DOWNLINK_PAYLOAD_MAX_BYTES',
				bytes,
				16_184,
				'Largest payload of a message to a device, in bytes; an operation that does not fit is refused when it is created.',
			),
			unacknowledgedMaxMessages: setting(
				'MQTT_UNACKNOWLEDGED_MAX_MESSAGES',
				wholeNumber(1, 1000),
				20,
				'How many messages to one device may wait for its acknowledgement before delivery to it pauses.',
			),
			deviceQueueMaxMessages: setting(
				'MQTT_DEVICE_QUEUE_MAX_MESSAGES',
				wholeNumber(100, 1_000_000),
				10_000,
				'How many messages of one device may wait to be handled; a connection that brings more is closed. It is read no further long before.',
			),
			connectionsMax: setting('MQTT_CONNECTIONS_MAX', count, 50_000, 'How many devices and users may be connected at a time.'),
			connectionsPerSecond: setting(
				'MQTT_CONNECTIONS_PER_SECOND',
				count,
				1000,
				'How many connection attempts a second are taken up; more are answered "server unavailable".',
			),
			connectTimeoutSeconds: setting(
				'MQTT_CONNECT_TIMEOUT_SECONDS',
				seconds,
				10,
				'Seconds that a client has to send CONNECT after it has opened a connection.',
			),
			deliverySweepSeconds: setting(
				'MQTT_DELIVERY_SWEEP_SECONDS',
				seconds,
				60,
				'Seconds between two looks at the store for operations of connected devices that no wake-up was heard of.',
			),
			storePatienceSeconds: setting(
				'MQTT_STORE_PATIENCE_SECONDS',
				seconds,
				60,
				'Seconds that messages of a device wait, unacknowledged, for a database that cannot write, before its connection is closed.',
			),
			drainTimeoutSeconds: setting(
				'MQTT_DRAIN_TIMEOUT_SECONDS',
				seconds,
				10,
				'Seconds that a client may leave a full connection unread before it is closed.',
			),
		})
		.describe('MQTT'),
	protection,
	bridge: outsideBroker,
	tls: z
		.object({
			certFile: optional(
				'TLS_CERT_FILE',
				tlsPath,
				'Path of the PEM file with the certificate, and its chain, of all TLS listeners.',
			),
			keyFile: optional('TLS_KEY_FILE', tlsPath, 'Path of the PEM file with the private key of that certificate.'),
			reloadSeconds: setting(
				'TLS_RELOAD_SECONDS',
				seconds,
				60,
				'Seconds between two looks at these files: new ones are taken up without a restart. SIGHUP looks at once.',
			),
		})
		.describe('TLS'),
	store: z
		.object({
			dataDir: setting(
				'DATA_DIR',
				path,
				'./data',
				'Directory of the embedded database, created when missing; `:memory:` keeps documents in memory and binaries in a temporary directory, all gone with the process. Not used with MONGODB_URL.',
			),
			minFreeBytes: setting(
				'STORE_MIN_FREE_BYTES',
				wholeNumber(0, 999_999_999_999_999),
				64 * mebibyte,
				'Bytes that must be free on the disk of the embedded database; with less, `/ready` is red before writes fail, and no binaries are taken.',
			),
			checkMaxBytes: setting(
				'STORE_CHECK_MAX_BYTES',
				wholeNumber(0, 1024 ** 5),
				1024 * mebibyte,
				'An embedded database up to this size is read through at each start and checked for damage, about 1 s a GiB that is in memory; of a larger one only its head, length and log are looked at.',
			),
			groupMaxSteps: setting(
				'STORE_GROUP_MAX_STEPS',
				wholeNumber(1, 100_000),
				1000,
				'How many writes are committed together at most.',
			),
			waitingMaxBatches: setting(
				'STORE_WAITING_MAX_BATCHES',
				wholeNumber(1, 1_000_000),
				50_000,
				'How many batches of writes may wait for a commit; more are refused until some are done.',
			),
			waitingMaxBytes: setting(
				'STORE_WAITING_MAX_BYTES',
				wholeNumber(mebibyte, 64 * 1024 * mebibyte),
				256 * mebibyte,
				'How many bytes of such batches may wait: more are refused, so that a database that is slow or out of reach does not fill the memory. One batch alone may be larger.',
			),
		})
		.describe('Store'),
	binaries,
	processes: z
		.object({
			leaseSeconds: setting(
				'LEASE_SECONDS',
				wholeNumber(1, 3600),
				15,
				'Seconds of silence after which other processes on the same store take a process for gone, and take over what it did alone.',
			),
			takeoverWaitSeconds: setting(
				'TAKEOVER_WAIT_SECONDS',
				wholeNumber(1, 3600),
				30,
				'Seconds that a device which connects to another process waits at most until its messages there are handled.',
			),
			drainDelaySeconds: setting(
				'DRAIN_DELAY_SECONDS',
				wholeNumber(0, 3600),
				1,
				'Seconds between a stop signal, when `/ready` turns red, and the end of taking up connections, for load balancers to see it; part of SHUTDOWN_GRACE_SECONDS.',
			),
			drainConnectionsPerSecond: setting(
				'DRAIN_CONNECTIONS_PER_SECOND',
				count,
				500,
				'How many MQTT connections a second are closed after a stop signal, so that not all devices connect elsewhere at once; more where SHUTDOWN_GRACE_SECONDS would not do.',
			),
		})
		.describe('Several processes, and their restart'),
	mongodb,
	tenant: tenantSettings,
	access,
	identityProviders,
	registration,
	certificates,
	audit,
	events,
	limits: z
		.object({
			packagesMax: setting('PACKAGES_MAX', count, 100_000, 'How many packages the installed software of one device may have.'),
			packageNameMaxCharacters: setting(
				'PACKAGE_NAME_MAX_CHARACTERS',
				characters,
				255,
				'Longest name of a package, in characters.',
			),
			packageVersionMaxCharacters: setting(
				'PACKAGE_VERSION_MAX_CHARACTERS',
				characters,
				255,
				'Longest version of a package, in characters.',
			),
			packageTypeMaxCharacters: setting(
				'PACKAGE_TYPE_MAX_CHARACTERS',
				characters,
				255,
				'Longest software type of a package, in characters.',
			),
			packageUrlMaxCharacters: setting(
				'PACKAGE_URL_MAX_CHARACTERS',
				characters,
				4096,
				'Longest URL of a package, in characters.',
			),
			managedObjectMaxBytes: setting(
				'MANAGED_OBJECT_MAX_BYTES',
				bytes,
				mebibyte,
				'Largest stored managed object without its installed software, in bytes of JSON.',
			),
			fragmentsMax: setting('FRAGMENTS_MAX', count, 1000, 'How many fragments one managed object may have.'),
			childReferencesMax: setting(
				'CHILD_REFERENCES_MAX',
				count,
				1000,
				'How many children a managed object shows in its own JSON.',
			),
			ancestorsMax: setting(
				'ANCESTORS_MAX',
				wholeNumber(1, 10_000),
				200,
				'How many objects a managed object may be linked below.',
			),
			externalIdsMax: setting(
				'EXTERNAL_IDS_MAX',
				wholeNumber(2, 1000),
				100,
				'How many external ids one managed object may have; those that it has beyond a lower limit stay.',
			),
			operationMaxBytes: setting('OPERATION_MAX_BYTES', bytes, mebibyte, 'Largest stored operation, in bytes of JSON.'),
			operationPackagesMax: setting('OPERATION_PACKAGES_MAX', count, 10_000, 'How many packages one operation may name.'),
		})
		.describe('Limits'),
	query: querySettings,
	templates: z
		.object({
			maximumTemplates: setting(
				'TEMPLATES_MAX',
				wholeNumber(1, 10_000),
				500,
				'How many request and response templates one template collection may have.',
			),
			maximumFields: setting(
				'TEMPLATE_FIELDS_MAX',
				wholeNumber(1, 10_000),
				200,
				'How many values or patterns of its own one template may have.',
			),
			maximumPathSteps: setting(
				'TEMPLATE_PATH_MAX_STEPS',
				wholeNumber(1, 100),
				32,
				'How many steps a JSON path in a template may have.',
			),
			visitsMax: setting(
				'TEMPLATE_VISITS_MAX',
				wholeNumber(100, 10_000_000),
				100_000,
				'How many values are looked at to write the answers to one message, or an operation, by the templates of a collection; what needs more is not sent.',
			),
			subscriptionsMax: setting(
				'TEMPLATE_SUBSCRIPTIONS_MAX',
				wholeNumber(1, 1000),
				20,
				'How many template collections one connection may subscribe to.',
			),
			cacheMaxCollections: setting(
				'TEMPLATE_CACHE_MAX_COLLECTIONS',
				wholeNumber(1, 10_000),
				200,
				'How many template collections are kept ready in memory.',
			),
			cacheSeconds: setting(
				'TEMPLATE_CACHE_SECONDS',
				wholeNumber(0, 86_400),
				5,
				'Seconds after which a template collection is read again; until then a change in the inventory is not seen. 0 reads it each time.',
			),
		})
		.describe('Template collections'),
	metrics: z
		.object({
			sampleSeconds: setting(
				'METRICS_SAMPLE_SECONDS',
				seconds,
				60,
				'Seconds for which the figures about operations at `/metrics` are good before operations are counted again.',
			),
		})
		.describe('Metrics'),
	log: z
		.object({
			level: setting(
				'LOG_LEVEL',
				oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
				'info',
				'Least grave kind of log line that is written.',
			),
		})
		.describe('Log'),
};

type Groups = typeof groups;
/** All settings of a process, in groups. Pass a function the group it needs, or less. */
export type Config = { readonly [G in keyof Groups]: Readonly<z.output<Groups[G]>> };
