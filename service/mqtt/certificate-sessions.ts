import type { Logger } from 'pino';
import type { Access, CertificateLogin, CertificateProof } from '../../access/index.ts';
import type { Session } from './session.ts';

/** Connections that a client certificate let in, as long as it would do so again. */
export function createCertificateSessions(options: {
	readonly certificates: Access['certificates'];
	readonly sessions: ReadonlySet<Session>;
	readonly log: Logger;
}) {
	const { certificates, sessions, log } = options;
	/** Grows with each change of what is trusted. */
	let changes = 0;
	const seenAtLogin = new WeakMap<CertificateProof, number>();
	certificates.watch((ids) => {
		changes++;
		check((proof) => ids === undefined || idsOf(proof).some((id) => ids.has(id))).catch(warn);
	});

	/** @param wantedTenant the tenant that the client names, if it names one */
	async function logIn(presented: readonly Buffer[], wantedTenant: string | undefined): Promise<CertificateLogin> {
		const before = changes;
		const login = await certificates.logIn(presented, wantedTenant);
		if (login.ok) seenAtLogin.set(login.proof, before);
		return login;
	}

	/** From now on the connection is among `sessions`. What has changed since it logged in was not looked at for it. */
	function connected(session: Session): void {
		const { certificate } = session;
		if (certificate && seenAtLogin.get(certificate) !== changes) checkSession(session, certificate).catch(warn);
	}

	/** Closes every connection whose certificate would not let it in any more, whatever was heard of it. */
	async function checkAll(): Promise<void> {
		await check(() => true);
	}

	async function check(isConcerned: (proof: CertificateProof) => boolean): Promise<void> {
		for (const session of [...sessions]) {
			const { certificate } = session;
			if (certificate && isConcerned(certificate)) await checkSession(session, certificate);
		}
	}

	async function checkSession(session: Session, proof: CertificateProof): Promise<void> {
		if (session.closed) return;
		const fault = await certificates.lapse(proof);
		if (fault === undefined) return;
		log.info({ tenant: proof.tenant, device: session.serial }, `connection closed: ${fault}`);
		session.connection.close(fault);
	}

	function warn(error: unknown): void {
		log.warn({ err: error }, 'certificates of connections could not be looked at');
	}

	return { logIn, connected, checkAll };
}

function idsOf({ tenant, trusted, signed }: CertificateProof): string[] {
	return [trusted, ...signed.flatMap(({ by, serialNumber }) => [by, serialNumber])].map((id) => `${tenant}/${id}`);
}
