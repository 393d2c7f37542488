const hidden = '[redacted]';

/** A text that never shows itself in a log line, a JSON document or an error: only `reveal()` gives it away. */
export class Secret {
	readonly #text: string;

	constructor(text: string) {
		this.#text = text;
	}

	reveal(): string {
		return this.#text;
	}

	toString(): string {
		return hidden;
	}

	toJSON(): string {
		return hidden;
	}

	[Symbol.for('nodejs.util.inspect.custom')](): string {
		return hidden;
	}
}
