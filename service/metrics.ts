import {
	Counter,
	type CounterConfiguration,
	collectDefaultMetrics,
	Gauge,
	type GaugeConfiguration,
	Histogram,
	Registry,
} from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** Every figure of `/metrics`. Labels are of few values: never an id. */
export function createMetrics() {
	const registry = new Registry();
	collectDefaultMetrics({ register: registry });
	const registers = [registry];
	return {
		registry,
		ready: new Gauge({
			name: 'service_ready',
			help: 'Whether a part can do its work, as `/ready` tells it: 1 or 0',
			labelNames: ['part'],
			registers,
		}),
		mqttMessages: createMessageTally(registers),
		mqttErrors: new Counter({
			name: 'mqtt_message_errors_total',
			help: 'Lines and messages of devices that were refused',
			labelNames: ['kind'],
			registers,
		}),
		mqttDropped: new Counter({
			name: 'mqtt_answers_dropped_total',
			help: 'Answers that were not sent, because the device leaves too much unread',
			registers,
		}),
		mqttConnections: new Gauge({ name: 'mqtt_connections', help: 'Connected MQTT clients', registers }),
		mqttConnects: new Counter({
			name: 'mqtt_connects_total',
			help: 'MQTT connection attempts by CONNACK code',
			labelNames: ['code'],
			registers,
		}),
		mqttQueued: new Gauge({ name: 'mqtt_queued_messages', help: 'Messages received and not yet acknowledged', registers }),
		mqttSeconds: new Histogram({
			name: 'mqtt_message_seconds',
			help: 'Time to handle and store what a device sent in one go',
			buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
			registers,
		}),
		bridgePartitions: new Gauge({
			name: 'mqtt_bridge_partitions',
			help: 'Partitions of the outside broker that this process serves, by state of their connection',
			labelNames: ['state'],
			registers,
		}),
		bridgeDevices: new Gauge({
			name: 'mqtt_bridge_devices',
			help: 'Devices at the outside broker that this process serves',
			registers,
		}),
		bridgeInWork: new Gauge({
			name: 'mqtt_bridge_messages_in_work',
			help: 'Messages of the outside broker received and not yet handled',
			registers,
		}),
		bridgeSkipped: new Counter({
			name: 'mqtt_bridge_skipped_total',
			help: 'Messages of the outside broker that were left to other partitions',
			registers,
		}),
		bridgeConnects: new Counter({
			name: 'mqtt_bridge_connects_total',
			help: 'Connections to the outside broker that were made or lost',
			labelNames: ['result'],
			registers,
		}),
		httpSeconds: new Histogram({
			name: 'http_request_seconds',
			help: 'Time of an HTTP request by route and status',
			labelNames: ['method', 'route', 'status'],
			buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
			registers,
		}),
		httpThrottled: new Counter({
			name: 'http_throttled_total',
			help: 'HTTP requests answered with 429 for their number in a second, by whose limit it was: address, user, device, tenant',
			labelNames: ['by'],
			registers,
		}),
		operations: new Gauge({
			name: 'operations',
			help: 'Operations by status, counted at METRICS_SAMPLE_SECONDS; of processes that share a store, one tells them',
			labelNames: ['status'],
			registers,
		}),
		oldestPending: createAbsentGauge({
			name: 'operations_oldest_pending_seconds',
			help: 'How long ago the oldest operation was created that is PENDING, 0 when none is; told with `operations`',
			registers,
		}),
		processes: new Gauge({
			name: 'processes',
			help: 'Processes that work on the same store, as far as this one sees',
			registers,
		}),
		tlsExpiry: createAbsentGauge({
			name: 'tls_certificate_expiry_timestamp_seconds',
			help: 'When the certificate of the TLS listeners expires, in seconds since 1970; not told without such listeners',
			registers,
		}),
		storeWaiting: new Gauge({ name: 'store_waiting_batches', help: 'Writes waiting for their commit', registers }),
		storeCommits: createReadCounter({ name: 'store_commits_total', help: 'Commits since the start', registers }),
		storeBatches: createReadCounter({
			name: 'store_committed_batches_total',
			help: 'Writes committed since the start',
			registers,
		}),
		storeBytes: new Gauge({ name: 'store_size_bytes', help: 'Size of the database', registers }),
	};
}

/** A gauge that tells nothing before it is set. */
function createAbsentGauge(options: GaugeConfiguration<never>) {
	const gauge = new Gauge(options);
	gauge.remove();
	return gauge;
}

/** A counter of what somebody else counts. */
function createReadCounter(options: CounterConfiguration<never>) {
	const counter = new Counter(options);
	let known = 0;
	return {
		/** What has been counted so far; it never becomes less. */
		read(total: number): void {
			counter.inc(Math.max(0, total - known));
			known = Math.max(known, total);
		},
	};
}

/** Counts messages for next to nothing: the counter itself is only touched when the figures are asked for. */
function createMessageTally(registers: Registry[]) {
	const counts = { up: new Map<string, number>(), down: new Map<string, number>() };
	new Counter({
		name: 'mqtt_messages_total',
		help: 'MQTT messages: up by template or kind of topic, down by topic',
		labelNames: ['direction', 'template'],
		registers,
		collect() {
			for (const direction of ['up', 'down'] as const) {
				for (const [template, count] of counts[direction]) this.inc({ direction, template }, count);
				counts[direction].clear();
			}
		},
	});
	return {
		add(direction: 'up' | 'down', template: string): void {
			counts[direction].set(template, (counts[direction].get(template) ?? 0) + 1);
		},
	};
}
