/** Everything about events, on one store. */

export { type Attachment, type DeviceEvent, type EventId, eventServerFields, parseEventId } from './event.ts';
/** Refusals. */
export { EventError, type EventErrorCode } from './event-error.ts';
export {
	checkHasNoFile,
	type EventFilter,
	type EventLimits,
	type Events,
	type EventWithFile,
	eventCollections,
	type NewEvent,
	noSuchSource,
	openEvents,
	requireFile,
} from './events.ts';
