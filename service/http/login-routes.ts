import { z } from 'zod';
import { mayDo, type Principal, parseUserName } from '../../access/index.ts';
import { checkPassword, parseBasic, unauthorized } from './auth.ts';
import { hostOf } from './base-url.ts';
import { clearedCookies, sessionCookies } from './cookies.ts';
import { isFromOtherSite } from './cross-site.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import type { IdentityProviders } from './identity-providers.ts';
import { jsonBody } from './json-decode.ts';
import { ok, type Reply } from './reply.ts';
import { type IncomingCall, noBody, noParams, noQuery, publicRoute, type Route, route } from './route.ts';
import { createSessionAudit } from './session-audit.ts';

const tag = 'Login';
const tenantQuery = z.object({
	tenant_id: z
		.string()
		.max(100)
		.optional()
		.meta({ description: 'Id of the tenant; without it, that of the user name, or of the host name' }),
});

const loginForm = z.object({
	grant_type: z
		.string()
		.regex(/^password$/i, { error: "must be 'PASSWORD'" })
		.meta({ description: '`PASSWORD`' }),
	username: z.string().min(1),
	password: z.string(),
	tfa_code: z.string().optional().meta({ description: 'Not looked at' }),
});

const loginOption = z.looseObject({
	id: z.string(),
	type: z.enum(['BASIC', 'OAUTH2_INTERNAL', 'OAUTH2']),
	self: z.string().meta({ description: 'A path: some clients leave out the tenant where this is an address' }),
	initRequest: z.string().optional(),
	grantType: z.string().optional(),
	providerName: z.string().optional(),
	userManagementSource: z.enum(['INTERNAL', 'REMOTE']),
	visibleOnLoginPage: z.boolean(),
});

/** Ways in and out. */
export function loginRoutes(services: HttpServices, { providers }: Pick<IdentityProviders, 'providers'>): Route[] {
	const { access, options, log } = services;
	const audit = createSessionAudit(services);

	return [
		publicRoute({
			method: 'get',
			path: '/tenant/loginOptions',
			summary: 'List the ways to log in',
			tag,
			params: noParams,
			query: z.object({ ...tenantQuery.shape, tenantId: tenantQuery.shape.tenant_id }),
			body: noBody,
			answers: {
				200: {
					description: 'The preferred one first',
					schema: z.object({ loginOptions: z.array(loginOption), self: z.string() }),
				},
			},
			handler: async ({ base, query }) => {
				const tenant = query.tenant_id ?? query.tenantId ?? (await access.tenants.ofHost(hostOf(base)));
				return ok({ loginOptions: loginOptions(base, tenant), self: '/tenant/loginOptions' });
			},
		}),
		publicRoute({
			method: 'post',
			path: '/tenant/oauth/token',
			summary: 'Get a token for a user name and password',
			description: 'To be sent as `Authorization: Bearer`.',
			tag,
			params: noParams,
			query: tenantQuery,
			body: noBody,
			form: loginForm,
			answers: {
				200: {
					description: 'The token',
					schema: z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() }),
				},
			},
			refusals: loginRefusals,
			handler: async (call) => {
				const { token } = await logIn(call, call.query.tenant_id, 'POST /tenant/oauth/token');
				return ok({ access_token: token, token_type: 'Bearer', expires_in: options.sessionSeconds });
			},
		}),
		publicRoute({
			method: 'post',
			path: '/tenant/oauth',
			summary: 'Log in with cookies',
			description:
				'Sets the cookies `authorization` and `XSRF-TOKEN`. Requests that change something have to show the value of the second one in the header `X-XSRF-TOKEN`. Pages of other sites cannot log their visitors in.',
			tag,
			params: noParams,
			query: tenantQuery,
			body: noBody,
			form: loginForm,
			answers: { 200: { description: 'The cookies are set', schema: z.object({}) } },
			refusals: loginRefusals,
			handler: async (call) => {
				refuseOtherSites(call, 'POST /tenant/oauth');
				const session = await logIn(call, call.query.tenant_id, 'POST /tenant/oauth');
				return withCookies({}, sessionCookies(session, call.base));
			},
		}),
		route({
			method: 'post',
			path: '/user/logout',
			permission: 'session:write',
			summary: 'Log out',
			description: 'The token of the request, or of its cookie, is good for nothing any more; the cookies are removed.',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'Logged out', schema: z.object({}) } },
			handler: async ({ login, principal, base, address }) => {
				if (login.session) {
					await access.tokens.end(login.session);
					await audit(principal, 'logged out', { address, call: 'POST /user/logout' });
				}
				return withCookies({}, clearedCookies(base));
			},
		}),
		route({
			method: 'post',
			path: '/user/logout/{tenant}/allUsers',
			permission: 'sessions:end',
			summary: 'Log everybody out',
			description: 'Ends all tokens of the own tenant, those of devices included; devices ask for new ones.',
			tag,
			params: { tenant: 'Id of the own tenant' },
			query: noQuery,
			body: noBody,
			answers: { 200: { description: 'Done', schema: z.object({}) } },
			handler: async ({ principal, param, base, address }) => {
				if (param('tenant') !== principal.tenant)
					throw new HttpError('http/forbidden', `The tenant must be '${principal.tenant}', the own one`);
				await access.tokens.endAll(principal.tenant);
				await audit(principal, 'logged everybody out', { address, call: 'POST /user/logout/{tenant}/allUsers' });
				return withCookies({}, clearedCookies(base));
			},
		}),
		route({
			method: 'put',
			path: '/user/currentUser/password',
			permission: 'password:write',
			summary: 'Change the own password',
			description: 'All other sessions of the user end.',
			tag,
			params: noParams,
			query: noQuery,
			body: jsonBody(z.object({ currentUserPassword: z.string(), newPassword: z.string() })),
			answers: { 200: { description: 'Changed', schema: z.object({}) } },
			refusals: ['access/weakPassword', 'access/notFound'],
			handler: async ({ principal, login, body, headers, address, base }) => {
				const { tenant, userName } = principal;
				const { currentUserPassword: password, newPassword } = body;
				await checkLogin({ headers, address, tenant, userName, password, base }, 'PUT /user/currentUser/password');
				if (newPassword === password)
					throw new HttpError('http/invalidBody', 'newPassword must be another one than currentUserPassword');
				const keptSession = login.session && access.tokens.keep(tenant, login.session);
				await access.users.changePassword(principal, newPassword, keptSession && { keptSession });
				return ok({});
			},
		}),
		publicRoute({
			method: 'get',
			path: '/.well-known/jwks.json',
			summary: 'Read the public keys of tokens',
			description: 'With RS256 or ES256, others can check tokens of the service by these. A token names its key as `kid`.',
			tag,
			params: noParams,
			query: noQuery,
			body: noBody,
			answers: {
				200: { description: 'A JSON Web Key Set', schema: z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }) },
			},
			handler: async () => ok({ keys: access.tokens.publicKeys() }),
		}),
	];

	function loginOptions(base: string, tenant: string): z.infer<typeof loginOption>[] {
		const internal = { userManagementSource: 'INTERNAL' as const, visibleOnLoginPage: true };
		const self = (id: string) => `/tenant/loginOptions/${id}`;
		return [
			{ id: 'BASIC', type: 'BASIC', self: self('BASIC'), ...internal },
			{
				id: 'OAUTH2_INTERNAL',
				type: 'OAUTH2_INTERNAL',
				self: self('OAUTH2_INTERNAL'),
				grantType: 'PASSWORD',
				initRequest: `${base}/tenant/oauth?tenant_id=${encodeURIComponent(tenant)}`,
				...internal,
			},
			...providers
				.filter((each) => each.tenant === tenant)
				.map(({ id, name }) => ({
					id,
					type: 'OAUTH2' as const,
					self: self(id),
					providerName: name,
					buttonName: name,
					grantType: 'AUTHORIZATION_CODE',
					initRequest: `${base}/tenant/oauth?tenant_id=${encodeURIComponent(tenant)}&provider=${id}`,
					flowControlledByUI: false,
					userManagementSource: 'REMOTE' as const,
					visibleOnLoginPage: true,
				})),
		];
	}

	// Otherwise any page could log its visitors in as whom it likes, and see what they do as that user.
	function refuseOtherSites({ headers, address, base }: Pick<IncomingCall, 'headers' | 'address' | 'base'>, path: string): void {
		if (!isFromOtherSite(headers, base, options.corsOrigins)) return;
		const origin = headers.origin?.slice(0, 200);
		log.info({ address, origin }, 'login refused: a page of another site asked for it');
		services.noteRefusedLogin({
			user: undefined,
			host: hostOf(base),
			reason: `a page of another site (${origin ?? 'it does not say which'}) asked for it`,
			channel: 'http',
			address,
			call: path,
		});
		throw new HttpError(
			'http/forbidden',
			`Only pages of ${new URL(base).origin} and of CORS_ORIGINS can log in with cookies: open the login there`,
		);
	}

	/** Checks what a form says, and begins a session. */
	async function logIn(
		call: Pick<IncomingCall, 'readForm' | 'headers' | 'address' | 'base'>,
		tenantId: string | undefined,
		path: string,
	) {
		const { username, password } = await call.readForm(loginForm);
		const { headers, address, base } = call;
		const named = parseUserName(username, tenantId ?? tenantOfBasic(call) ?? (await access.tenants.ofHost(hostOf(base))));
		if (tenantId !== undefined && named.tenant !== tenantId)
			throw unauthorized(headers, 'Bad credentials: tenant_id and the tenant of the user name differ');
		const principal = await checkLogin({ headers, address, ...named, password, base }, path);
		if (!mayDo(principal, 'session:write')) throw new HttpError('http/forbidden', 'This user gets no tokens');
		await audit(principal, 'logged in', { address, call: path });
		return access.tokens.issueSession(principal, hostOf(base));
	}

	/** Checks a password; a refusal is on record. */
	async function checkLogin(
		{ base, ...attempt }: Omit<Parameters<typeof checkPassword>[0], 'access'> & Pick<IncomingCall, 'base'>,
		call: string,
	): Promise<Principal> {
		return checkPassword({ ...attempt, access }).catch((error: unknown) => {
			if (error instanceof HttpError) {
				const { address, tenant, userName } = attempt;
				const user = `${tenant}/${userName}`;
				log.info({ address, user: user.slice(0, 100), call, reason: error.message }, `login refused: ${error.code}`);
				services.noteRefusedLogin({ user, host: hostOf(base), reason: error.code, channel: 'http', address, call });
			}
			throw error;
		});
	}

	// Clients that send the form of an OAuth login send Basic with it, and may name their tenant only there.
	function tenantOfBasic({ headers }: Pick<IncomingCall, 'headers'>): string | undefined {
		const [, value] = /^basic (.*)$/i.exec(headers.authorization ?? '') ?? [];
		const user = value === undefined ? undefined : parseBasic(value)?.user;
		return user?.includes('/') ? parseUserName(user, '').tenant : undefined;
	}
}

const loginRefusals = ['http/unauthorized', 'http/forbidden', 'http/throttled'] as const;

function withCookies(json: object, cookies: readonly string[]): Reply {
	return { status: 200, json, headers: { 'Set-Cookie': cookies } };
}
