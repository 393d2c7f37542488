/** The broker inside the service. */
export { type EmbeddedBroker, type Origin, openEmbeddedBroker } from './embedded-broker.ts';
/** What stands between any broker and the domain. */
export { createGateway, type Gateway } from './gateway.ts';
/** What stands between processes. */
export { createHandover, type Handover } from './handover.ts';
export { deliveryFault } from './operation-messages.ts';
