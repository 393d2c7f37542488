/** The template table and what is read off it. */

export { type CsvFault, type CsvRecord, decodeRecords, encodeRecord } from './csv.ts';
/** Payload to messages, and to the bare fields where no static template applies. */
export { type DecodedLine, type DecodeLimits, decode, decodeDownstream } from './decode.ts';
/** Messages to lines. */
export { type EncodedChunks, encode, encodeChunks, encodedBytes, maximumPayloadBytes } from './encode.ts';
/** Lines for `s/e`. */
export { type BadLine, type ErrorName, encodeBadLine, encodeError, errorCodes } from './errors.ts';
/** The messages, typed by the table. */
export type {
	ContentOf,
	DownstreamMessage,
	DownstreamTemplateName,
	MessageOf,
	TemplateName,
	UpstreamMessage,
	UpstreamTemplateName,
} from './message.ts';
export type { Direction, Field, Section, Template } from './template.ts';
export { templates } from './templates.ts';
/** Topics, and who may use them. */
export { formatTopic, type Mode, mayPublish, maySubscribe, parseTopic, type Topic } from './topics.ts';
