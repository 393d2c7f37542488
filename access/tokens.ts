import { createHash, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { DocumentStore } from '../store/index.ts';
import { openLogouts } from './logouts.ts';
import type { Principal } from './principal.ts';
import { firstKeyId, openSigningKeys, type SigningAlgorithm } from './signing-keys.ts';
import type { User, Users } from './users.ts';

export interface TokenSettings {
	readonly algorithm: SigningAlgorithm;
	/** Of tokens that devices ask for. */
	readonly lifetimeSeconds: number;
	/** Of the sessions of people. */
	readonly sessionSeconds: number;
	/** Days after which a new key signs; 0 for never. */
	readonly keyDays: number;
}

/** A token that was verified. */
export interface TokenSession {
	readonly id: string;
	/** Milliseconds since 1970. */
	readonly expiresAt: number;
	/** Of a session in cookies: what its requests have to show beside the cookie. */
	readonly xsrfToken?: string;
}

export type Verification =
	| { readonly ok: true; readonly principal: Principal; readonly session: TokenSession }
	/** `loggedOut`: the token was good until somebody ended it. */
	| { readonly ok: false; readonly reason: 'rejected' | 'loggedOut' };

interface Claims extends TokenSession {
	readonly ten: string;
	readonly sub: string;
	readonly tci: string | undefined;
}

const dayMilliseconds = 86_400_000;

export type Tokens = Awaited<ReturnType<typeof openTokens>>;

/** JWTs that stand for a user over HTTP. */
export async function openTokens(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly settings: TokenSettings;
}) {
	const { store, users, clock, elapsed, settings } = options;
	const longestSeconds = Math.max(settings.lifetimeSeconds, settings.sessionSeconds);
	const keys = await openSigningKeys({
		store,
		clock,
		elapsed,
		algorithm: settings.algorithm,
		rotationMilliseconds: settings.keyDays * dayMilliseconds,
		// A day more, for a process that has not heard of the new key, and for clocks.
		retireAfterMilliseconds: longestSeconds * 1000 + dayMilliseconds,
	});
	const logouts = await openLogouts({ store, clock });

	/** A token of a device. @param issuer the host name by which the caller knows the service */
	async function issue(principal: Principal, issuer: string): Promise<string> {
		return sign(principal, issuer, settings.lifetimeSeconds, {});
	}

	/** A token of a person's session; with the text that its requests have to show where it is kept in a cookie. */
	async function issueSession(
		principal: Principal,
		issuer: string,
	): Promise<{ readonly token: string; readonly xsrfToken: string }> {
		const xsrfToken = randomUUID();
		return { token: await sign(principal, issuer, settings.sessionSeconds, { xsrfToken }), xsrfToken };
	}

	async function sign({ tenant, userName }: Principal, issuer: string, seconds: number, more: object): Promise<string> {
		const user = await users.findKnown(tenant, userName);
		const now = Math.floor(clock() / 1000);
		const claims = {
			iss: issuer,
			aud: issuer,
			sub: userName,
			ten: tenant,
			tci: sessionsOf(tenant, user),
			jti: randomUUID(),
			tfa: false,
			iat: now,
			nbf: now,
			exp: now + seconds,
			...more,
		};
		const { id, algorithm, signing } = keys.current();
		return jwt.sign(claims, signing, { algorithm, keyid: id });
	}

	/** Who a token stands for, unless it is forged, expired or ended, or its user is gone or may not log in. */
	async function verify(token: string): Promise<Verification> {
		const claims = await readClaims(token);
		if (!claims) return rejected;
		const user = await users.findKnown(claims.ten, claims.sub);
		const principal = user && (await users.admitted(user));
		if (!principal) return rejected;
		if (logouts.isEnded(claims.id) || !isOfPresent(claims, user)) return { ok: false, reason: 'loggedOut' };
		const { id, expiresAt, xsrfToken } = claims;
		const session = { id, expiresAt, ...(xsrfToken !== undefined && { xsrfToken }) };
		return { ok: true, principal, session };
	}

	// No clock takes part in it: a token made before a password was changed has another text here.
	function sessionsOf(tenant: string, user: User | undefined): string {
		const text = `${logouts.generationOf(tenant)} ${user?.sessionsId ?? ''}`;
		return createHash('sha256').update(text).digest('base64url').slice(0, 22);
	}

	function isOfPresent({ id, ten, tci }: Claims, user: User): boolean {
		const { keptSession } = user;
		// Tokens of the version before have no such claim; they end within the hour.
		if (tci === undefined) return user.sessionsId === undefined && logouts.generationOf(ten) === '';
		return tci === sessionsOf(ten, user) || (keptSession?.id === id && keptSession.generation === logouts.generationOf(ten));
	}

	async function readClaims(token: string): Promise<Claims | undefined> {
		const claims = await readSigned(token);
		return claims && toClaims(claims);
	}

	/** Text that only this service can have made, for one purpose and some time; whoever has it can read it. */
	function seal(purpose: string, content: Readonly<Record<string, string>>, seconds: number): string {
		const { id, algorithm, signing } = keys.current();
		const exp = Math.floor(clock() / 1000) + seconds;
		return jwt.sign({ purpose, content, exp }, signing, { algorithm, keyid: id });
	}

	/** What was sealed for this purpose, unless it was changed or its time is over. */
	async function unseal(purpose: string, text: string): Promise<Readonly<Record<string, string>> | undefined> {
		const signed = await readSigned(text);
		return signed?.purpose === purpose ? signed.content : undefined;
	}

	async function readSigned(token: string): Promise<jwt.JwtPayload | undefined> {
		try {
			const key = await keys.find(keyIdOf(token));
			if (!key) return undefined;
			const claims = jwt.verify(token, key.verifying, {
				algorithms: [key.algorithm],
				clockTimestamp: Math.floor(clock() / 1000),
				// Only this service signs, for use at once: a token from the future tells that the clock was set back, or another's is ahead.
				ignoreNotBefore: true,
			});
			return typeof claims === 'string' ? undefined : claims;
		} catch (error) {
			// A payload that is not JSON comes as what the JSON parser says.
			if (error instanceof jwt.JsonWebTokenError || error instanceof SyntaxError) return undefined;
			throw error;
		}
	}

	/** Ends a session; with its cookies or without. */
	async function end({ id, expiresAt }: TokenSession): Promise<void> {
		await logouts.endToken(id, expiresAt);
	}

	/** What keeps one session of a user when all others end, for `users.changePassword`. */
	function keep(tenant: string, { id }: TokenSession): NonNullable<User['keptSession']> {
		return { id, generation: logouts.generationOf(tenant) };
	}

	/** Looks for what other processes have done and no change was heard of; makes a new key when it is time. */
	async function refresh(): Promise<void> {
		await Promise.all([logouts.sweep(), keys.rotate()]);
	}

	return {
		issue,
		issueSession,
		verify,
		end,
		endAll: logouts.endTenant,
		keep,
		seal,
		unseal,
		refresh,
		publicKeys: keys.publicKeys,
	};
}

const rejected: Verification = { ok: false, reason: 'rejected' };

function keyIdOf(token: string): string {
	const id = jwt.decode(token, { complete: true })?.header.kid ?? firstKeyId;
	return typeof id === 'string' ? id : '';
}

function toClaims({ ten, sub, jti, exp, tci, xsrfToken }: jwt.JwtPayload): Claims | undefined {
	if (typeof ten !== 'string' || typeof sub !== 'string' || typeof jti !== 'string' || typeof exp !== 'number') return undefined;
	return {
		ten,
		sub,
		id: jti,
		expiresAt: exp * 1000,
		tci: typeof tci === 'string' ? tci : undefined,
		...(typeof xsrfToken === 'string' && { xsrfToken }),
	};
}
