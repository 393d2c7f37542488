import { z } from 'zod';
import { Secret } from './secret.ts';
import { jsonOf, optional, setting, wholeNumber } from './setting.ts';

const shortText = z.string().min(1).max(255);

/** Plain HTTP would let anybody on the way be the provider; on this machine nobody is on the way. */
const issuer = z
	.string()
	.max(2048)
	.refine((text) => URL.canParse(text) && isSafe(new URL(text)), {
		error: 'must be an https:// address (http:// on loopback only)',
	});

function isSafe({ protocol, hostname }: URL): boolean {
	return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

const provider = z.strictObject({
	id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, - and _' }),
	name: shortText.optional(),
	issuer,
	clientId: shortText,
	clientSecret: shortText.transform((text) => new Secret(text)).optional(),
	audience: shortText.optional(),
	scope: shortText.default('openid profile email'),
	userClaim: shortText.default('preferred_username'),
	rolesClaim: shortText.default('groups'),
	roles: z.record(shortText, shortText),
	tenant: z
		.string()
		.regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/, { error: 'must be the id of a tenant' })
		.optional(),
});

const providers = z
	.array(provider)
	.max(20)
	.refine((all) => new Set(all.map(({ id }) => id)).size === all.length, { error: 'must have another id each' })
	.refine((all) => new Set(all.map((each) => each.issuer)).size === all.length, { error: 'must have another issuer each' });

/** Others who say who somebody is. */
export const identityProviders = z
	.object({
		providers: optional(
			'OIDC_PROVIDERS',
			jsonOf(providers, '[{"id": "…", "issuer": "https://…", "clientId": "…", "roles": {"…": "…"}}, …]'),
			'Providers of OpenID Connect by which people may log in, as JSON; see [the guide](../guides/login.md#another-provider).',
		),
		answerSeconds: setting('OIDC_ANSWER_SECONDS', wholeNumber(1, 60), 5, 'Seconds that a provider has to answer.'),
		loginSeconds: setting(
			'OIDC_LOGIN_SECONDS',
			wholeNumber(30, 3600),
			600,
			'Seconds that somebody has to log in at a provider and come back.',
		),
	})
	.describe('Login by other providers');
