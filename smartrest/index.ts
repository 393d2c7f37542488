/** The template table and what is read off it. */

/** Template collections: what they are, the lines that register them, messages and answers by them. [SR-10] [SR-11] */
export {
	type CollectionDocument,
	type CollectionLimits,
	compileCollection,
	type TemplateCollection,
} from './collection-document.ts';
export { type RequestKind, type RequestKindRow, requestKinds } from './collection-kinds.ts';
export { decodeCollection } from './collection-lines.ts';
export { type CustomRequest, decodeRequests } from './collection-requests.ts';
export { encodeResponses } from './collection-responses.ts';
export { valueTypes } from './collection-values.ts';
/** Payload to messages. */
export { type DecodedLine, type DecodeLimits, decode, decodeDownstream } from './decode.ts';
/** Messages to lines. */
export { type EncodedChunks, encode, encodeChunks, maximumPayloadBytes } from './encode.ts';
/** Lines for `s/e`. */
export { type BadLine, cutTemplateId, type ErrorName, encodeBadLine, encodeError, errorCodes } from './errors.ts';
export type { VisitBudget } from './json-path.ts';
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
export { maySubscribe, parseTopic, type Topic, topicPatterns, upstreamFilters } from './topics.ts';
