/** What a name says in small letters and underscores when people keep under it what nobody else should read. */
const secretWord = new RegExp(
	[
		'passw(or)?d|passwort|pass_?(phrase|code|key)|pwd(_|$)|(^|_)(pass|pw)(_|$)',
		// adminpass, userpass: one word, which ends like these other ones.
		'(?<!by|com|en|im|over|sur|tres|under)pass$',
		'secret|token|credential|authorization|authentication_?key|signature|cookie|bearer|(^|_)(jwt|sig|pin|puk)(_|$)|otp(_|$)',
		'(private|api|access|account|auth|client|encryption|hmac|master|network|session|shared|signing|ssh|storage|wep|wifi|wpa)_?key',
		'psk(_|$)|session_?id|connection_?string|snmp_?community|community_?string|one_?time_?code',
	].join('|'),
);
/** What follows such a word where something else about it is told. */
const aboutIt =
	/_(age|algorithm|changed|count|days|enabled|endpoint|expir(es|y|ation)(_(at|on|time))?|length|lifetime|policy|required|rules?|seconds|status|strength|ttl|type)$/;
const userInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi;
const queryPart = /([?&;])([^=&;\s#]{1,100})=([^&;\s#"]+)/g;

/** Whether people keep a secret under such a name: `adminPass`, `X-Api-Key`; not `passwordPolicy`. Yes or no is none. */
export function isSecret(name: string, value: unknown): boolean {
	if (value === null || value === undefined || typeof value === 'boolean') return false;
	const known = knownNames.get(name);
	if (known !== undefined) return known;
	const words = name
		.replace(/([a-z0-9])([A-Z])/g, '$1_$2')
		.replace(/[^A-Za-z0-9]+/g, '_')
		.toLowerCase();
	const isOne = secretWord.test(words) && !aboutIt.test(words);
	if (knownNames.size >= maxKnownNames) knownNames.clear();
	if (name.length <= maxKnownLength) knownNames.set(name, isOne);
	return isOne;
}

const maxKnownNames = 1000;
const maxKnownLength = 100;
// The names of a few fields come again and again.
const knownNames = new Map<string, boolean>();

/** The same value with `hidden` in the place of what its name, or its place in a URL, says is a secret. */
export function withoutSecrets(value: unknown, hidden: string): unknown {
	if (typeof value === 'string') return textWithoutSecrets(value, hidden);
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, hidden));
	const called = nameBeside(value);
	let hides = false;
	const shown = Object.entries(value);
	for (const entry of shown) {
		const [name, item] = entry;
		entry[1] = isSecret(name, item) || (name === 'value' && isSecret(called, item)) ? hidden : withoutSecrets(item, hidden);
		hides ||= entry[1] !== item;
	}
	return hides ? Object.fromEntries(shown) : value;
}

/** What a list of pairs calls its `value`. */
function nameBeside(pair: object): string {
	for (const field of ['name', 'key']) {
		const name: unknown = Reflect.get(pair, field);
		if (typeof name === 'string') return name.slice(0, 100);
	}
	return '';
}

function textWithoutSecrets(text: string, hidden: string): string {
	if (!text.includes('://') && !text.includes('?')) return text;
	const anonymous = text.includes('@') ? text.replace(userInUrl, `$1${hidden}@`) : text;
	if (!anonymous.includes('=')) return anonymous;
	return anonymous.replace(queryPart, (whole, mark: string, name: string, value: string) =>
		isSecret(name, value) ? `${mark}${name}=${hidden}` : whole,
	);
}
