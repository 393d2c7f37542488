import { AccessError } from './access-error.ts';
import { deviceUserPrefix, systemUser } from './principal.ts';

/** What is told of a person; `null` takes it away. */
export interface UserProfile {
	readonly email?: string | null | undefined;
	readonly firstName?: string | null | undefined;
	readonly lastName?: string | null | undefined;
	readonly displayName?: string | null | undefined;
	readonly phone?: string | null | undefined;
	readonly customProperties?: Readonly<Record<string, unknown>> | null | undefined;
}

export interface UserChange extends UserProfile {
	readonly enabled?: boolean | undefined;
	readonly shouldResetPassword?: boolean | undefined;
	readonly password?: string | undefined;
}

export interface NewUser extends UserChange {
	readonly userName: string;
	readonly password: string;
}

/** What a change sets, and takes away. */
export interface UserFields {
	readonly $set: Readonly<Record<string, unknown>>;
	readonly $unset: readonly string[];
}

const maxTextLength = 254;
const maxPropertiesLength = 10_000;

/** @throws AccessError `access/invalid` that names the field */
export function fieldsOf({ enabled, ...given }: UserChange): UserFields {
	const $set: Record<string, unknown> = {};
	const $unset: string[] = [];
	for (const [name, value] of Object.entries(given)) {
		if (value === null) $unset.push(name);
		else if (value !== undefined) $set[name] = checkedField(name, value);
	}
	if (enabled === false) $set.enabled = false;
	if (enabled === true) $unset.push('enabled');
	// Somebody has decided.
	if (enabled !== undefined) $unset.push('isRemoved');
	return { $set, $unset };
}

function checkedField(name: string, value: unknown): unknown {
	if (typeof value === 'string' && (value.length > maxTextLength || /\p{Cc}/u.test(value)))
		throw new AccessError('access/invalid', `${name} must have at most ${maxTextLength} characters, and no control characters`);
	if (typeof value === 'object' && JSON.stringify(value).length > maxPropertiesLength)
		throw new AccessError('access/invalid', `${name} is too long: at most ${maxPropertiesLength} characters of JSON are stored`);
	return value;
}

/** @throws AccessError `access/invalid` for a name that nobody can have */
export function checkUserName(userName: string): void {
	if (!/^[^\s/:+$\\,"'\p{Cc}\p{Cs}\uFFFD]{1,255}$/u.test(userName))
		throw new AccessError(
			'access/invalid',
			'userName must have 1 to 255 characters, without white space, quotes, comma, colon, slash, backslash, plus and $',
		);
	if (userName.toLowerCase() === systemUser)
		throw new AccessError('access/invalid', `userName must not be '${systemUser}': records name the service itself so`);
	if (userName.startsWith(deviceUserPrefix))
		throw new AccessError(
			'access/invalid',
			`userName must not begin with '${deviceUserPrefix}': expect the device with POST /devicecontrol/newDeviceRequests, and it gets its user`,
		);
}
