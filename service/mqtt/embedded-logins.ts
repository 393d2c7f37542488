import type { Client } from 'aedes';
import type { Logger } from 'pino';
import {
	type Access,
	type CertificateLogin,
	type CertificateProof,
	mayConnectAs,
	mayDo,
	networkOf,
	type Principal,
	parseUserName,
	toReadable,
} from '../../access/index.ts';
import { createRateLimit } from '../rate-limit.ts';
import type { NoteRefusedLogin } from '../refused-logins.ts';
import type { createCertificateSessions } from './certificate-sessions.ts';
import { parseClientId, parseDefaultCollection } from './gateway.ts';
import type { Session } from './session.ts';

/** Where a connection comes from. */
export interface Origin {
	readonly address: string;
	/** The host name by which the client knows the service. */
	readonly host: string;
	/** What the client has shown of certificates in the TLS handshake, in DER, its own first. */
	readonly certificates?: readonly Buffer[];
}

export interface ConnectLimits {
	readonly connectionsMax: number;
	readonly connectionsPerSecond: number;
	/** Of one address; 0 is no limit. */
	readonly addressConnectsPerSecond: number;
}

/** MQTT's CONNACK codes. */
export const connack = { accepted: 0, identifierRejected: 2, unavailable: 3, badCredentials: 4, notAuthorized: 5 } as const;
/** Refusals that say something about who wanted to connect. */
const isLogin: ReadonlySet<number> = new Set([connack.badCredentials, connack.notAuthorized]);

const refusals = {
	throttled: { code: connack.unavailable, refusal: 'too many wrong passwords' },
	rejected: { code: connack.badCredentials, refusal: 'wrong user name or password' },
	disabled: { code: connack.notAuthorized, refusal: 'the user, or its tenant, is disabled' },
	removed: {
		code: connack.notAuthorized,
		refusal: 'the device was removed: it needs the credentials of a new registration, or its user enabled',
	},
} as const;

/** What a CONNECT says: the client id, and whose credentials follow. */
interface Claim {
	readonly asked: string;
	readonly tenant: string;
	readonly userName: string;
	/** How many changes of rights had been heard of before its credentials were checked. */
	readonly rightsSeen: number;
}

/** Who is connected, and what their CONNECT says of them. */
export type SessionOwner = Pick<Session, 'principal' | 'certificate' | 'serial' | 'address' | 'host' | 'defaultCollection'>;

type LogIn =
	| { readonly principal: Principal; readonly certificate?: CertificateProof }
	| { readonly code: number; readonly refusal: string };

/** Who may connect, or the code that refuses it. */
export type Admission = { readonly owner: SessionOwner; readonly rightsSeen: number } | { readonly code: number };

/** All that comes before a session: whose connection it is, and whether it may be. */
export function createEmbeddedLogins(options: {
	readonly access: Access;
	readonly byCertificate: Pick<ReturnType<typeof createCertificateSessions>, 'logIn'>;
	readonly originOf: (client: Client) => Origin | undefined;
	/** How many there are now. */
	readonly connections: () => number;
	readonly noteRefusedLogin: NoteRefusedLogin;
	readonly log: Logger;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly limits: ConnectLimits;
}) {
	const { access, byCertificate, originOf, connections, noteRefusedLogin, log, elapsed, limits } = options;
	const claims = new WeakMap<Client, Claim>();
	const certificateLogins = new WeakMap<Client, Promise<CertificateLogin>>();
	const connects = createRateLimit(elapsed);
	const connectsOfAddresses = createRateLimit(elapsed);

	/** Takes what a CONNECT says, and tells which tenant it means. */
	async function claim(
		client: Client,
		{
			asked,
			rightsSeen,
			username,
			hasPassword,
		}: Pick<Claim, 'asked' | 'rightsSeen'> & { readonly username: string | undefined; readonly hasPassword: boolean },
	): Promise<string> {
		const { tenant, userName } = await identify(client, username, hasPassword);
		claims.set(client, { asked, tenant, userName, rightsSeen });
		return tenant;
	}

	/**
	 * The tenant that the user name names, else that of the host name, else the default one; with a certificate, and no password, the
	 * tenant that trusts it.
	 */
	async function identify(
		client: Client,
		username: string | undefined,
		hasPassword: boolean,
	): Promise<Pick<Claim, 'tenant' | 'userName'>> {
		const { host, certificates } = originOf(client) ?? {};
		const namesTenant = username?.includes('/') ?? false;
		const claimed = parseUserName(username ?? '', await access.tenants.ofHost(namesTenant ? undefined : host));
		if (!certificates || hasPassword) return claimed;
		const login = byCertificate.logIn(certificates, namesTenant ? claimed.tenant : undefined);
		certificateLogins.set(client, login);
		// A refusal, or a failure, is told when the client is authenticated.
		const outcome = await login.catch(() => undefined);
		return outcome?.ok ? outcome.principal : claimed;
	}

	/** Checks the credentials of a client whose claim was taken, and its limits. */
	async function admit(client: Client, username: string | undefined, password: string | undefined): Promise<Admission> {
		const { address, host } = originOf(client) ?? { address: '', host: '' };
		const claim = claims.get(client) ?? { asked: '', tenant: '', userName: '', rightsSeen: -1 };
		const { asked } = claim;
		const serial = parseClientId(asked);
		const refused = (code: number, reason: string): Admission => {
			log.info({ address, client: asked.slice(0, 100), user: username?.slice(0, 100), code }, `connection refused: ${reason}`);
			if (isLogin.has(code)) noteRefusedLogin({ user: username, host, reason, channel: 'mqtt', address, call: 'CONNECT' });
			return { code };
		};
		if (connections() >= limits.connectionsMax) return refused(connack.unavailable, 'as many clients as allowed are connected');
		// First, so that what one address sends too much takes nothing from the others.
		if (connectsOfAddresses.excess(networkOf(address), limits.addressConnectsPerSecond) > 0)
			return refused(connack.unavailable, 'too many connections a second from this address');
		if (connects.excess('all', limits.connectionsPerSecond) > 0)
			return refused(connack.unavailable, 'too many connections a second');
		if (serial === undefined) return refused(connack.identifierRejected, 'the client id names no device');
		const login = await logIn(client, claim, { isNamed: Boolean(username), password, address });
		if ('refusal' in login) return refused(login.code, login.refusal);
		const { principal, certificate } = login;
		if (!mayDo(principal, 'mqtt:connect'))
			return refused(connack.notAuthorized, `this user may not connect: it needs ${toReadable('mqtt:connect')}`);
		if (!mayConnectAs(principal, serial)) {
			const reason = certificate
				? `by its certificate (common name) it may connect as '${principal.serial}' only`
				: `this user may not speak for '${serial}'`;
			return refused(connack.notAuthorized, reason);
		}
		const owner = { principal, ...(certificate && { certificate }), serial, address, host, ...defaultCollection(asked) };
		return { owner, rightsSeen: claim.rightsSeen };
	}

	async function logIn(
		client: Client,
		{ tenant, userName }: Claim,
		{
			isNamed,
			password,
			address,
		}: { readonly isNamed: boolean; readonly password: string | undefined; readonly address: string },
	): Promise<LogIn> {
		const byKey = await certificateLogins.get(client);
		if (byKey?.ok) return { principal: byKey.principal, certificate: byKey.proof };
		if (byKey)
			return { code: byKey.reason === 'rejected' ? connack.badCredentials : connack.notAuthorized, refusal: byKey.message };
		if (!isNamed || password === undefined)
			return { code: connack.badCredentials, refusal: 'no user name or password, and no client certificate' };
		const authentication = await access.users.authenticate(tenant, userName, password, address);
		return authentication.ok ? { principal: authentication.principal } : refusals[authentication.reason];
	}

	return { claim, admit };
}

function defaultCollection(clientId: string): Pick<SessionOwner, 'defaultCollection'> {
	const xId = parseDefaultCollection(clientId);
	return xId === undefined ? {} : { defaultCollection: xId };
}
