export type EventErrorCode = 'event/notFound' | 'event/invalid' | 'event/tooLarge' | 'event/conflict';

/** A refused call about events. `message` says what was wrong, where, and what would be right; it may be shown to the caller. */
export class EventError extends Error {
	override readonly name = 'EventError';
	readonly code: EventErrorCode;

	constructor(code: EventErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}
