/** Names under which people keep what nobody else should read. */
export const secretName =
	/pass(?:word|wd|phrase|code)|pwd\b|secret|token|credential|private_?key|api_?key|access_?key|signature|authorization|cookie|psk\b/i;
const userInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi;
const queryPart = /([?&;])([^=&;\s#]{1,100})=([^&;\s#"]+)/g;

/** The same value with `hidden` in the place of what its name, or its place in a URL, says is a secret. */
export function withoutSecrets(value: unknown, hidden: string): unknown {
	if (typeof value === 'string') return textWithoutSecrets(value, hidden);
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, hidden));
	const shown = Object.entries(value).map(([name, item]) => [
		name,
		secretName.test(name) ? hidden : withoutSecrets(item, hidden),
	]);
	return Object.fromEntries(shown);
}

function textWithoutSecrets(text: string, hidden: string): string {
	if (!text.includes('://') && !text.includes('?')) return text;
	return text
		.replace(userInUrl, `$1${hidden}@`)
		.replace(queryPart, (whole, mark: string, name: string) =>
			secretName.test(name) || name.toLowerCase() === 'sig' ? `${mark}${name}=${hidden}` : whole,
		);
}
