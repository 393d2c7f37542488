import { BasicAuth, BearerAuth, Client, CookieAuth } from '@c8y/client';
import { expect } from 'chai';
import { createHttpClient } from '../support/http-client.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

describe('clients/c8y-client logins', () => {
	let service: ServiceUnderTest;
	let user: { readonly tenant: string; readonly user: string; readonly password: string };
	before(async () => {
		service = await startService();
		const [tenant = '', name = ''] = service.admin.user.split('/');
		user = { tenant, user: name, password: service.admin.password };
	});
	after(() => service?.close());

	/** Reads and writes as somebody: what was refused, or the owner of what was made. */
	async function use(client: Client): Promise<unknown> {
		try {
			const { data } = await client.inventory.create({ name: 'made by a client' });
			const { data: tenant } = await client.tenant.current();
			return `${tenant.name}/${data.owner}`;
		} catch (fault) {
			return (fault as { readonly data?: { readonly message?: string } }).data?.message;
		}
	}
	const login = () => service.admin.user;

	it('logs in with Basic, with the tenant and without', async () => {
		expect(await use(await Client.authenticate(user, service.urls.http))).to.equal(login());
		const { tenant: _tenant, ...alone } = user;
		expect(await use(await Client.authenticate(alone, service.urls.http))).to.equal(login());
		expect(await use(new Client(new BasicAuth({ ...user, password: 'wrong' }), service.urls.http))).to.match(/^Bad credentials/);
	});

	it('logs in for a token and sends it as Bearer, until it logs out', async () => {
		const client = await Client.authenticateViaOAuthInternal(user, service.urls.http);
		expect(client.core.tenant).to.equal(user.tenant);
		expect(await use(client)).to.equal(login());
		const token = new BearerAuth((await tokenOf('/tenant/oauth/token')).access_token);
		const other = new Client(token, service.urls.http);
		expect(await use(other)).to.equal(login());
		await other.core.fetch('/user/logout', { method: 'POST', body: '{}' });
		expect(await use(other)).to.match(/^User has been logged out/);
		expect(await use(client)).to.equal(login());
	});

	async function tokenOf(path: string): Promise<{ readonly access_token: string }> {
		const body = new URLSearchParams({ grant_type: 'PASSWORD', username: user.user, password: user.password });
		return (await fetch(`${service.urls.http}${path}`, { method: 'POST', body })).json() as Promise<{ access_token: string }>;
	}

	it('logs in for cookies, and sends what it found there as Bearer, as it does outside of browsers', async () => {
		const client = await Client.authenticateViaOAuthInternalCookie(user, service.urls.http);
		expect(await use(client)).to.equal(login());
	});

	it('is refused with the status that it throws', async () => {
		const fault = (action: Promise<unknown>) =>
			action.then(() => undefined).catch((error: { res: Response }) => error.res.status);
		for (const wrong of [
			{ ...user, password: 'wrong' },
			{ ...user, tenant: 't2' },
		]) {
			expect(await fault(Client.authenticateViaOAuthInternal(wrong, service.urls.http))).to.equal(401);
			expect(await fault(Client.authenticateViaOAuthInternalCookie(wrong, service.urls.http))).to.equal(401);
			expect(await fault(Client.authenticate(wrong, service.urls.http))).to.equal(401);
		}
	});

	describe('as in a browser', () => {
		const page: { document?: { readonly cookie: string } } = globalThis as object;
		let all: string;
		before(async () => {
			const body = new URLSearchParams({ grant_type: 'PASSWORD', username: user.user, password: user.password });
			const answer = await fetch(`${service.urls.http}/tenant/oauth?tenant_id=${user.tenant}`, { method: 'POST', body });
			const lines = answer.headers.getSetCookie();
			const pairs = (of: readonly string[]) => of.map((line) => line.split(';')[0]).join('; ');
			all = pairs(lines);
			// What scripts of a page see.
			page.document = { cookie: pairs(lines.filter((line) => !/httponly/i.test(line))) };
		});
		after(() => {
			delete page.document;
		});

		it('changes things with its cookies and the header, and logs out', async () => {
			expect(page.document?.cookie).to.match(/^XSRF-TOKEN=[\w-]{36}$/);
			const auth = new CookieAuth();
			const { getFetchOptions } = auth;
			// What a browser sends along by itself.
			auth.getFetchOptions = (options) => {
				const { headers, ...more } = getFetchOptions.call(auth, options) ?? {};
				return { ...more, headers: { ...headers, cookie: all } };
			};
			const client = new Client(auth, service.urls.http);
			expect(await use(client)).to.equal(login());
			const without = await fetch(`${service.urls.http}/inventory/managedObjects`, {
				method: 'POST',
				body: '{}',
				headers: { 'content-type': 'application/json', cookie: all },
			});
			expect(without.status).to.equal(401);
			// Its own logout goes to the address of the page.
			expect((await client.core.fetch('/user/logout', { method: 'POST', body: '{}' })).status).to.equal(200);
			expect(await use(client)).to.match(/^User has been logged out/);
		});
	});

	it('changes its password, and its other sessions end', async () => {
		const other = await Client.authenticateViaOAuthInternal(user, service.urls.http);
		const client = await Client.authenticateViaOAuthInternal(user, service.urls.http);
		const { res } = await client.user.changeCurrentUserPassword('a new long secret', user.password);
		expect(res.status).to.equal(200);
		expect([await use(client), await use(other)]).to.deep.equal([login(), 'User has been logged out: log in again']);
		await createHttpClient(service.urls.http, { user: login(), password: 'a new long secret' }).get('/tenant/currentTenant');
		await client.user.changeCurrentUserPassword(user.password, 'a new long secret');
	});

	it('reads how to log in without credentials', async () => {
		const { data } = await new Client(new BasicAuth({}), service.urls.http).options.login.list();
		expect(data.map(({ type }) => type)).to.deep.equal(['BASIC', 'OAUTH2_INTERNAL']);
	});
});
