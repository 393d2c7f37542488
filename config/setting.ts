import { isIP } from 'node:net';
import { z } from 'zod';
import { Secret } from './secret.ts';

/** What a setting is beside its zod schema: its name outside, and what would be a right value, in words. */
export interface SettingNote {
	readonly name: string;
	readonly right: string;
	readonly secret: boolean;
}

/** The notes of all settings, by schema. */
export const settingNotes = z.registry<SettingNote>();

/** A way to write values: its zod schema reads both the text of the environment and the JSON of the file. */
interface Kind<T extends z.ZodType> {
	readonly schema: T;
	readonly right: string;
	readonly secret?: boolean;
}

/** A setting that is undefined when nobody sets it. */
export function optional<T extends z.ZodType>(name: string, kind: Kind<T>, meaning: string): z.ZodOptional<T> {
	return note(name, kind, kind.schema.optional(), meaning);
}

/** A setting with a value for when nobody sets it. */
export function setting<T extends z.ZodType>(
	name: string,
	kind: Kind<T>,
	value: z.util.NoUndefined<z.output<T>>,
	meaning: string,
): z.ZodDefault<T> {
	return note(name, kind, kind.schema.default(value), meaning);
}

function note<T extends z.ZodType>(name: string, kind: Kind<z.ZodType>, schema: T, meaning: string): T {
	const described = schema.describe(meaning);
	settingNotes.add(described, { name, right: kind.right, secret: kind.secret ?? false });
	return described;
}

export function wholeNumber(min: number, max: number): Kind<z.ZodType<number>> {
	const fromText = z
		.string()
		.regex(/^\d{1,15}$/)
		.transform(Number);
	return {
		schema: z.union([z.number(), fromText]).pipe(z.int().min(min).max(max)),
		right: `a whole number from ${min} to ${max}`,
	};
}

/** Text of which the whole must match. The file has to write it as JSON text. */
export function text(right: string, pattern: RegExp): Kind<z.ZodType<string>> {
	return { schema: z.string().regex(pattern), right };
}

export function oneOf<const T extends readonly string[]>(values: T): Kind<z.ZodType<T[number]>> {
	return { schema: z.enum(values), right: `one of ${values.join(', ')}` };
}

export const yesOrNo: Kind<z.ZodType<boolean>> = {
	schema: z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive' })]),
	right: 'true or false',
};

const secretOf = z.string().transform((value) => new Secret(value));

export const secretText: Kind<z.ZodType<Secret>> = {
	schema: z.string().min(1).max(1024).pipe(secretOf),
	right: 'a text of 1 to 1024 characters',
	secret: true,
};

/** A port, or `off` for no listener. */
export const portOrOff: Kind<z.ZodType<number | 'off'>> = {
	schema: z.union([z.literal('off'), wholeNumber(0, 65_535).schema]),
	right: `${wholeNumber(0, 65_535).right}, or off`,
};

const brokerUrlRight = 'mqtt://[user:password@]host[:port] or mqtts://…, with % signs in front of two hexadecimal digits only';

/** Address of a broker, which may carry a user name and password. */
export const brokerUrl: Kind<z.ZodType<Secret>> = {
	schema: z.string().max(2048).refine(isBrokerUrl, { error: brokerUrlRight }).pipe(secretOf),
	right: brokerUrlRight,
	secret: true,
};

function isBrokerUrl(value: string): boolean {
	if (!URL.canParse(value)) return false;
	const { protocol, hostname, username, password } = new URL(value);
	return ['mqtt:', 'mqtts:'].includes(protocol) && hostname !== '' && isText(username) && isText(password);
}

function isText(escaped: string): boolean {
	try {
		decodeURIComponent(escaped);
		return true;
	} catch {
		return false;
	}
}

/** Text of which the whole must match, and that is not shown: it may hold a password. */
export function secretMatching(right: string, pattern: RegExp): Kind<z.ZodType<Secret>> {
	return { ...secretText, schema: z.string().max(4096).regex(pattern).pipe(secretOf), right };
}

/** An address of a MongoDB, whose user name and password are percent-encoded. */
export const mongodbUrlPattern = /^mongodb(\+srv)?:\/\/([^\s/@:]+(:[^\s/@:]*)?@)?[^\s/@]+(\/[^\s@]*)?$/;

/** Address of a MongoDB, which may carry a user name and password. */
export const mongodbUrl = secretMatching(
	'mongodb://user:password@host:27017/database?replicaSet=rs0, with @ : and / in a password written as %40, %3A and %2F',
	mongodbUrlPattern,
);

/** JSON: in the environment as text, in the file as it is. Secrets in it are not shown. */
export function jsonOf<T>(schema: z.ZodType<T>, right: string): Kind<z.ZodType<T>> {
	const read = z.unknown().transform((value, context): T => {
		const result = schema.safeParse(typeof value === 'string' ? parseJson(value) : value);
		if (result.success) return result.data;
		const [fault] = result.error.issues;
		const at = fault?.path.join('.');
		context.issues.push({ code: 'custom', input: value, message: `${right}; ${at ? `${at}: ` : ''}${fault?.message}` });
		return z.NEVER;
	});
	return { schema: read, right, secret: true };
}

function parseJson(value: string): unknown {
	try {
		return JSON.parse(value);
	} catch {
		return value;
	}
}

const originsRight =
	'origins just as browsers send them, with commas between, such as https://ui.example.com,http://localhost:4200';

/** Origins of web pages. */
export const origins: Kind<z.ZodType<string>> = {
	schema: z.string().refine((value) => value.split(',').every(isOrigin), { error: originsRight }),
	right: originsRight,
};

function isOrigin(text: string): boolean {
	return /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const proxiesRight = 'addresses or networks with commas between, such as loopback,10.0.0.0/8';

/** Addresses and networks of proxies. */
export const proxies: Kind<z.ZodType<string>> = {
	schema: z.string().refine((value) => value.split(',').every(isNetwork), { error: proxiesRight }),
	right: proxiesRight,
};

function isNetwork(text: string): boolean {
	if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
	const [, address = '', bits = '0'] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
	const version = isIP(address);
	return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}
