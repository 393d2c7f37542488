/** How a client certificate let somebody in: enough to look again whether it still does. */
export interface CertificateProof {
	readonly tenant: string;
	/** Fingerprint of the trusted certificate that vouched for it. */
	readonly trusted: string;
	/** Serial numbers on the way, the device's first, each with the fingerprint of the certificate that signed it. */
	readonly signed: readonly { readonly serialNumber: string; readonly by: string }[];
	/** When the first certificate of the path expires: milliseconds since 1970. */
	readonly notAfter: number;
}
