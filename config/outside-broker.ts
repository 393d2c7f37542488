import { z } from 'zod';
import { brokerUrl, oneOf, optional, setting, text, wholeNumber } from './setting.ts';

const tlsPath = text('a path of a PEM file', /\S/);

/** The settings of an outside broker. */
export const outsideBroker = z
	.object({
		url: optional(
			'MQTT_BRIDGE_URL',
			brokerUrl,
			'Address of an outside broker (mosquitto, EMQX, VerneMQ) where devices are served, too, with the credentials of the service; unset means none.',
		),
		topicRoot: setting(
			'MQTT_BRIDGE_TOPIC_ROOT',
			text('topic levels without wildcards, as in c8y or plant/c8y', /^[^/+#$\s][^+#\s]{0,98}[^/+#\s]$/),
			'c8y',
			'What the topics of devices at the outside broker begin with: `<root>/<tenant>/<client id>/s/us`.',
		),
		clientId: setting(
			'MQTT_BRIDGE_CLIENT_ID',
			text('1 to 40 letters, digits, - and _', /^[\w-]{1,40}$/),
			'device-software-management',
			'Client id at the outside broker, to which `-` and the number of the partition is added; also the name of its shared subscriptions. It names durable sessions: keep it.',
		),
		partitions: setting(
			'MQTT_BRIDGE_PARTITIONS',
			wholeNumber(1, 256),
			8,
			'Into how many partitions the devices of the outside broker are divided; no more processes than that share the work. Fixed by the first start.',
		),
		sharing: setting(
			'MQTT_BRIDGE_SHARING',
			oneOf(['own', 'hashed']),
			'own',
			'Who divides the messages of devices among partitions: each partition, which reads all of them and drops those of others (`own`, right with every broker), or the broker, by client id (`hashed`).',
		),
		jsonOperations: setting(
			'MQTT_BRIDGE_JSON_OPERATIONS',
			oneOf(['learned', 'always', 'never']),
			'learned',
			'Which devices at the outside broker get operations on `devicecontrol/notifications` beside `s/ds`: those that have used a JSON topic, all or none.',
		),
		partitionDevicesMax: setting(
			'MQTT_BRIDGE_PARTITION_DEVICES_MAX',
			wholeNumber(1, 10_000_000),
			20_000,
			'How many devices of one partition a process keeps in memory. Beyond them, operations for those that were not heard of for longest wait until they say something.',
		),
		unacknowledgedMaxMessages: setting(
			'MQTT_BRIDGE_UNACKNOWLEDGED_MAX_MESSAGES',
			wholeNumber(1, 65_535),
			500,
			'How many messages of one partition may be in work; the outside broker holds back what is more.',
		),
		sessionExpirySeconds: setting(
			'MQTT_BRIDGE_SESSION_EXPIRY_SECONDS',
			wholeNumber(60, 4_294_967_294),
			7 * 86_400,
			'Seconds that the outside broker keeps messages while no process is connected.',
		),
		reconnectMaxSeconds: setting(
			'MQTT_BRIDGE_RECONNECT_MAX_SECONDS',
			wholeNumber(1, 86_400),
			30,
			'Longest pause between two attempts to connect to the outside broker.',
		),
		caFile: optional(
			'MQTT_BRIDGE_CA_FILE',
			tlsPath,
			'Path of the PEM file with the certificates that the outside broker is trusted by; unset, those of the system.',
		),
		certFile: optional(
			'MQTT_BRIDGE_CERT_FILE',
			tlsPath,
			'Path of the PEM file with the client certificate for the outside broker.',
		),
		keyFile: optional('MQTT_BRIDGE_KEY_FILE', tlsPath, 'Path of the PEM file with the private key of that certificate.'),
	})
	.describe('Outside broker');
