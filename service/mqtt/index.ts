/** The broker inside the service. */

/** The way to devices at an outside broker. */
export { type Bridge, openBridge } from './bridge.ts';
export { createPresenceNotes } from './bridge-presence.ts';
export { readBrokerAddress } from './broker-address.ts';
export { type EmbeddedBroker, openEmbeddedBroker } from './embedded-broker.ts';
export type { Origin } from './embedded-logins.ts';
/** What stands between any broker and the domain. */
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
/** What stands between processes. */
export { createHandover, type Handover } from './handover.ts';
export { deliveryFault } from './operation-messages.ts';
