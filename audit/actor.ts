import { AsyncLocalStorage } from 'node:async_hooks';

/** Who does what is done now, and from where. */
export interface Actor {
	readonly tenant: string;
	readonly userName: string;
	/** Whether it is a device's own user. */
	readonly isDevice: boolean;
	readonly channel: 'http' | 'mqtt';
	/** Where the request or connection comes from. */
	readonly address?: string;
	/** The serial that an MQTT client connected with. */
	readonly device?: string;
	/** The route, or the templates or topic. */
	readonly call?: string;
}

const current = new AsyncLocalStorage<Actor>();

/** Everything that `work` begins, however it goes on, is done by `actor`. */
export function actAs<T>(actor: Actor, work: () => T): T {
	return current.run(actor, work);
}

/** Who does what is done here; nobody where the service does it by itself. */
export function currentActor(): Actor | undefined {
	return current.getStore();
}

/** The same actor in another call: a line of a message, say. Without one, nothing is different. */
export function actInCall<T>(call: string, work: () => T): T {
	const actor = current.getStore();
	return actor === undefined || actor.call === call ? work() : current.run({ ...actor, call }, work);
}
