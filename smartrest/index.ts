/** The template table and what is read off it. */

/** Payload to messages. */
export { type DecodedLine, type DecodeLimits, decode, decodeDownstream } from './decode.ts';
/** Messages to lines. */
export { type EncodedChunks, encode, encodeChunks, maximumPayloadBytes } from './encode.ts';
/** Lines for `s/e`. */
export { type BadLine, type ErrorName, encodeBadLine, encodeError, errorCodes } from './errors.ts';
/** The messages, typed by the table. */
export type {
	ContentOf,
	DownstreamMessage,
	MessageOf,
	TemplateName,
	UpstreamMessage,
	UpstreamTemplateName,
} from './message.ts';
export type { Direction, Field, Section, Template } from './template.ts';
export { templates } from './templates.ts';
/** Topics, and who may use them. */
export { maySubscribe, parseTopic, type Topic, upstreamFilters } from './topics.ts';
