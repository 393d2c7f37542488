import { constants, type X509Certificate } from 'node:crypto';
import { TLSSocket, type TlsOptions } from 'node:tls';

/**
 * Asks for a client's certificate, and takes what comes: whether it is good, and what for, is told by access, so that a refusal
 * has a reason in the log and the right answer. No names of authorities are told to clients, and no system-wide ones are trusted.
 * A resumed session would come without the certificates in between, so none is resumed.
 */
export const askForCertificate: TlsOptions = {
	requestCert: true,
	rejectUnauthorized: false,
	ca: [],
	secureOptions: constants.SSL_OP_NO_TICKET,
};

/** More are no chain that anybody uses. */
const longest = 10;

/**
 * The certificates that a client has shown in the TLS handshake, in DER, its own first; `undefined` where it has shown none.
 * That it has the key of its own was proven there; nothing else was.
 */
export function presentedChain(socket: unknown): readonly Buffer[] | undefined {
	if (!(socket instanceof TLSSocket)) return undefined;
	const chain = chains.get(socket) ?? readChain(socket);
	chains.set(socket, chain);
	return chain.length > 0 ? chain : undefined;
}

/** Node gives what stands behind the first certificate once only. */
const chains = new WeakMap<TLSSocket, readonly Buffer[]>();

function readChain(socket: TLSSocket): readonly Buffer[] {
	const chain: Buffer[] = [];
	for (let each: X509Certificate | undefined = socket.getPeerX509Certificate(); each && chain.length < longest; ) {
		chain.push(each.raw);
		const issuer: X509Certificate | undefined = each.issuerCertificate;
		each = issuer && !issuer.raw.equals(each.raw) ? issuer : undefined;
	}
	return chain;
}
