import type { Config } from '../config/index.ts';
import type { GatewayOptions } from './mqtt/index.ts';

/** What the MQTT side takes of the configuration. */
export function gatewayLimits({
	mqtt,
	tenant,
	limits,
	templates,
	protection,
}: Config): Pick<GatewayOptions, 'limits' | 'templateLimits'> {
	return {
		limits: {
			maxFragments: limits.fragmentsMax,
			payloadMaxBytes: mqtt.payloadMaxBytes,
			jsonMaxDepth: protection.mqttJsonMaxDepth,
			listPayloadMaxBytes: mqtt.listPayloadMaxBytes,
			linesMax: mqtt.linesMax,
			downlinkMaxBytes: mqtt.downlinkPayloadMaxBytes,
			unacknowledgedMaxMessages: mqtt.unacknowledgedMaxMessages,
			autoCreation: tenant.deviceAutoCreation,
			storePatienceMilliseconds: mqtt.storePatienceSeconds * 1000,
		},
		templateLimits: { ...templates, cacheMilliseconds: templates.cacheSeconds * 1000 },
	};
}
