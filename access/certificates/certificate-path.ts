import { type Certificate, isSignedBy } from './certificate.ts';

/** A certificate, the one that signed it, and so on. */
export type CertificatePath = readonly [leaf: Certificate, ...issuers: Certificate[]];

/** The path that a client has sent, as far as it goes: its own certificate, and those that signed one another in whatever order they came. */
export function arrangePath(leaf: Certificate, others: readonly Certificate[]): CertificatePath {
	const left = new Set(others.filter((other) => !isSame(other, leaf)));
	const path: [Certificate, ...Certificate[]] = [leaf];
	for (let last: Certificate | undefined = leaf; last !== undefined; ) {
		const current: Certificate = last;
		last = [...left].find((other) => current.issuerKey === other.subjectKey && isSignedBy(current, other));
		if (last === undefined) break;
		left.delete(last);
		path.push(last);
	}
	return path;
}

/**
 * The part of a path that a trusted certificate vouches for: it is on the path, or signed something on it. It ends as early as it can:
 * what a client sends besides, such as an older certificate of the same authority, must not stand between what the trusted one
 * signed and the list of what it has taken back.
 */
export function pathTo(trusted: Certificate, path: CertificatePath): CertificatePath | undefined {
	const [leaf, ...issuers] = path;
	if (isSame(leaf, trusted)) return [leaf];
	for (const [index, each] of path.entries()) {
		const issuer = path[index + 1];
		const isOnPath = issuer !== undefined && isSame(issuer, trusted);
		if (isOnPath || (each.issuerKey === trusted.subjectKey && isSignedBy(each, trusted)))
			return [leaf, ...issuers.slice(0, index), trusted];
	}
	return undefined;
}

/**
 * What is wrong with a path to a trusted certificate, in words for a log; `undefined` where nothing is. Signatures were checked.
 * [RFC 5280, 6.1, without policies; names are constrained by refusing constraints]
 * @param now milliseconds since 1970
 */
export function pathFault(path: CertificatePath, now: number): string | undefined {
	const [leaf, ...issuers] = path;
	return (
		ownFault(leaf, 'its certificate', now) ??
		(leaf.isForClients ? undefined : 'its certificate is not for clients (extended key usage without clientAuth)') ??
		issuers.map((issuer, index) => issuerFault(issuer, index, now)).find((fault) => fault !== undefined)
	);
}

function issuerFault(issuer: Certificate, authoritiesBelow: number, now: number): string | undefined {
	const name = `the certificate '${issuer.subject}' that signed it`;
	if (!issuer.isAuthority) return `${name} is not one of an authority (basic constraints without CA)`;
	if (!issuer.maySignCertificates) return `${name} may not sign certificates (key usage without keyCertSign)`;
	if (!issuer.isForClients) return `${name} may not sign those of clients (extended key usage without clientAuth)`;
	if (issuer.pathLength !== undefined && authoritiesBelow > issuer.pathLength)
		return `${name} allows ${issuer.pathLength} authorities below it, and there are ${authoritiesBelow}`;
	return ownFault(issuer, name, now);
}

function ownFault({ notBefore, notAfter, weakness }: Certificate, name: string, now: number): string | undefined {
	if (now > notAfter) return `${name} expired at ${formatDate(notAfter)}`;
	if (now < notBefore) return `${name} is not valid before ${formatDate(notBefore)}`;
	return weakness && `${name} is not good enough: ${weakness}`;
}

export function formatDate(milliseconds: number): string {
	return new Date(milliseconds).toISOString();
}

function isSame(one: Certificate, other: Certificate): boolean {
	return one.der.equals(other.der);
}
