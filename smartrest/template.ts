/** Which way a message goes: from the device (`up`) or to it (`down`). */
export type Direction = 'up' | 'down';

/** One parameter of a template; a mandatory one must not be empty. */
export interface Field {
	readonly name: string;
	readonly mandatory?: true;
}

/** A marked part of a template: after its marker a list of items, each with these fields. */
export interface Section {
	readonly name: string;
	readonly marker: string;
	readonly fields: readonly Field[];
}

/** One row of the template table. */
export interface Template {
	/** The first field of the line. */
	readonly id: string;
	/** The heading of the documentation. */
	readonly name: string;
	readonly direction: Direction;
	/** Where the specification speaks of it. */
	readonly clause: string;
	/** The parameters after the id, in order. */
	readonly fields: readonly Field[];
	/** The parameters that repeat after `fields` until the end of the line. */
	readonly group?: readonly Field[];
	/** Set where the place of a group's value has a meaning, so that an empty one in the middle is kept. */
	readonly positional?: true;
	/** How many items of the group the line must have. */
	readonly minimumItems?: number;
	/**
	 * The template that carries the rest of a list that does not fit into one message.
	 * Without one the list stays whole: a second message would replace the first.
	 */
	readonly continuation?: string;
	/** The marked parts after `fields`. */
	readonly sections?: readonly Section[];
	/** What the message does, in one sentence. */
	readonly effect: string;
}
