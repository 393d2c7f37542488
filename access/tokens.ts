import { randomBytes, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { CollectionSpec, DocumentStore, StoredDocument } from '../store/index.ts';
import type { Principal } from './principal.ts';
import type { Users } from './users.ts';

interface SigningKey extends StoredDocument {
	readonly secret: string;
}

export const keySpec: CollectionSpec<SigningKey> = { name: 'signingKeys', indexes: [] };

/** Short-lived JWTs that stand for a user over HTTP. The signing key is made at the first start and kept in the store. */
export async function openTokens(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly clock: () => number;
	readonly lifetimeSeconds: number;
}) {
	const { store, users, clock, lifetimeSeconds } = options;
	const keys = await store.collection(keySpec);
	const made: SigningKey = { _id: 'token', secret: randomBytes(48).toString('base64') };
	await store.batch([{ kind: 'insert', collection: keySpec.name, document: made }]);
	const key = (await keys.get('token'))?.secret ?? made.secret;

	/** @param issuer the host name by which the caller knows the service */
	function issue(principal: Principal, issuer: string): string {
		const now = Math.floor(clock() / 1000);
		const claims = {
			iss: issuer,
			aud: issuer,
			sub: principal.userName,
			ten: principal.tenant,
			jti: randomUUID(),
			tfa: false,
			iat: now,
			nbf: now,
			exp: now + lifetimeSeconds,
		};
		return jwt.sign(claims, key, { algorithm: 'HS256' });
	}

	/** The user of a token, or `undefined` where it is forged, expired or its user is gone. */
	async function verify(token: string): Promise<Principal | undefined> {
		const claims = readClaims(token);
		if (!claims) return undefined;
		return users.findPrincipal(claims.ten, claims.sub);
	}

	function readClaims(token: string): { readonly ten: string; readonly sub: string } | undefined {
		try {
			const claims = jwt.verify(token, key, {
				algorithms: ['HS256'],
				clockTimestamp: Math.floor(clock() / 1000),
				// Only this service signs, for use at once: a token from the future tells that the clock was set back, or another's is ahead.
				ignoreNotBefore: true,
			});
			if (typeof claims === 'string' || typeof claims.ten !== 'string' || typeof claims.sub !== 'string') return undefined;
			return { ten: claims.ten, sub: claims.sub };
		} catch (error) {
			// A payload that is not JSON comes as what the JSON parser says.
			if (error instanceof jwt.JsonWebTokenError || error instanceof SyntaxError) return undefined;
			throw error;
		}
	}

	return { issue, verify };
}
