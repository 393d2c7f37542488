/** The broker inside the service. */
export { type EmbeddedBroker, type Origin, openEmbeddedBroker } from './embedded-broker.ts';
/** What stands between any broker and the domain. */
export { createGateway, type Gateway } from './gateway.ts';
export { deliveryFault } from './operation-messages.ts';
