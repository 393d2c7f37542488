const pattern = /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----/g;
/** More are no chain that anybody uses. */
const longest = 10;

/**
 * The certificates that signed one another up to a trusted one, as Cumulocity's devices send them beside their own: PEM with
 * spaces for line breaks. What they say has to be proven by their signatures; the device's own comes from the handshake only.
 */
export function forwardedChain(header: string | string[] | undefined): Buffer[] {
	const text = Array.isArray(header) ? header.join(' ') : (header ?? '');
	return [...text.matchAll(pattern)].slice(0, longest).map(([, base64 = '']) => Buffer.from(base64, 'base64'));
}
