import { z } from 'zod';
import { type DeviceEvent, type EventWithFile, eventServerFields, type NewEvent } from '../../events/index.ts';
import { formatTime, parseTime } from '../../inventory/index.ts';
import { fragmentsOf, recordOf } from './fragments-of.ts';
import { decodeJson, describedBody } from './json-decode.ts';
import type { Json } from './managed-object-json.ts';
import { idSchema, sentIdSchema, timeSchema } from './managed-object-schema.ts';
import type { JsonBody } from './route.ts';

const fileSchema = z.object({ name: z.string(), type: z.string(), length: z.int().nonnegative().meta({ description: 'Bytes' }) });

/** An event as it is answered. */
export const eventSchema = z
	.looseObject({
		id: idSchema,
		self: z.string(),
		source: z.object({ id: idSchema, self: z.string() }),
		type: z.string(),
		time: timeSchema,
		text: z.string(),
		creationTime: timeSchema,
		lastUpdated: timeSchema,
		c8y_IsBinary: fileSchema.optional().meta({ description: 'Where the event has a file' }),
	})
	.meta({ id: 'Event', description: 'What a device tells about itself; other fields are its fragments' });

/** The file of an event as it is answered. */
export const eventFileSchema = fileSchema
	.extend({
		self: z.string(),
		source: idSchema.meta({ description: 'Id of the event' }),
		contentType: z.string(),
	})
	.meta({ id: 'EventFile', description: '`self` is where the bytes can be downloaded' });

// Made once: to make a schema costs many times what it costs to use it.
const fieldsBody = z.object({
	source: z.looseObject({ id: sentIdSchema }),
	type: z.string().min(1).max(1024),
	time: z.string().refine((text) => parseTime(text) !== undefined, 'must be a time such as 2026-11-22T10:00:00.000Z'),
	text: z.string().max(65_536),
});

const newEventSchema = z
	.looseObject(fieldsBody.shape)
	.meta({ id: 'NewEvent', description: 'Other fields are fragments. source.id is the id of the managed object' });

/** What is asked for, with the id of its source as it was sent. */
export type SentEvent = Omit<NewEvent, 'source'> & { readonly sourceId: string };

/** The body that creates an event. */
export const newEventBody: JsonBody<SentEvent> = describedBody(newEventSchema, (value) => {
	const { source, type, time, text, ...fragments } = recordOf('An event', value);
	const decoded = decodeJson(fieldsBody, { source, type, time, text });
	return {
		sourceId: String(decoded.source.id),
		type: decoded.type,
		time: parseTime(decoded.time) ?? 0,
		text: decoded.text,
		fragments: fragmentsOf(fragments, eventServerFields, { keepNulls: false }),
	};
});

/** An event as clients see it. */
export function eventJson({ id, source, attachment, ...event }: DeviceEvent, base: string): Json {
	return {
		id,
		self: eventUrl(id, base),
		source: { id: source, self: `${base}/inventory/managedObjects/${source}` },
		type: event.type,
		time: formatTime(event.time),
		text: event.text,
		creationTime: formatTime(event.creationTime),
		lastUpdated: formatTime(event.lastUpdated),
		...event.fragments,
		...(attachment && {
			c8y_IsBinary: { name: attachment.name, type: attachment.contentType, length: attachment.length },
		}),
	};
}

/** The file of an event as clients see it. */
export function eventFileJson({ id, attachment }: EventWithFile, base: string): Json {
	const { name, contentType, length } = attachment;
	return { self: `${eventUrl(id, base)}/binaries`, source: id, name, type: contentType, contentType, length };
}

export function eventUrl(id: string, base: string): string {
	return `${base}/event/events/${id}`;
}
