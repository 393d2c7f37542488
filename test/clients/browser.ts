import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from '../support/programs.ts';
import { adminPassword, type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

const executablePath = findProgram('chromium');
const args = [
	'--disable-gpu',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--no-first-run',
];
const root = '/service/advanced-software-mgmt';

describe('clients/browser', function () {
	this.timeout(60_000);
	let pages: Server;
	let service: ServiceUnderTest;
	let browser: Browser;
	let api: string;
	/** The same page has two origins, of which the service knows the first one. */
	let listed: string;
	let unlisted: string;
	before(async () => {
		if (executablePath === undefined) return;
		pages = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'));
		await once(pages.listen(0, '127.0.0.1'), 'listening');
		const { port } = pages.address() as AddressInfo;
		[listed, unlisted] = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
		service = await startService({ CORS_ORIGINS: listed });
		api = service.urls.http.replace('127.0.0.1', 'localhost');
		browser = await chromium.launch({ executablePath, args, chromiumSandbox: false });
	});
	after(async () => {
		await browser?.close();
		await service?.close();
		pages?.close().closeAllConnections();
	});

	let page: Page;
	/** What the console of the page said, and whom it asked. */
	let complaints: string[];
	let asked: Set<string>;
	beforeEach(async function () {
		skipUnless(executablePath !== undefined, 'chromium is not installed').call(this);
		page = await browser.newPage();
		complaints = [];
		asked = new Set();
		page.on('console', (message) => {
			if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
		});
		page.on('pageerror', (error) => complaints.push(error.message));
		page.on('request', (request) => asked.add(new URL(request.url()).origin));
	});
	afterEach(() => page?.close());

	it('shows every operation of the API, complains of nothing, and runs no script of others', async () => {
		await page.goto(`${api}${root}/docs`);
		await page.locator('.opblock').first().waitFor();
		const { paths } = (await (await fetch(`${api}${root}/openapi.json`)).json()) as { readonly paths: object };
		const described = Object.values(paths).flatMap((path: object) => Object.keys(path));
		expect(await page.locator('.opblock').count()).to.equal(described.length);
		const operation = page.locator('#operations-Health-getHealth');
		await operation.locator('.opblock-summary-control').click();
		await operation.locator('.execute').click();
		expect(await operation.locator('.live-responses-table .response').first().textContent()).to.contain('"UP"');
		expect(complaints).to.deep.equal([]);
		// Pictures are in the page itself.
		expect([...asked].filter((origin) => origin !== 'null')).to.deep.equal([api]);
		const inject = `document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = true' }))`;
		expect(await page.evaluate(`${inject}; 'ran' in window`)).to.equal(false);
		expect(complaints.join('\n')).to.match(/violates the following Content Security Policy directive.*script-src/s);
	});

	/** What a page of this origin reads of the service: a status and the fields that it found, or that its browser does not let it. */
	async function readFrom(origin: string, path: string, init: RequestInit): Promise<unknown> {
		await page.goto(origin);
		return page.evaluate(
			([url, options]) =>
				fetch(url, options).then(
					async (answer) => [answer.status, Object.keys((await answer.json()) as object)],
					(error: Error) => error.name,
				),
			[api + path, init] as const,
		);
	}

	it('lets pages of a listed origin call with what `@c8y/client` sends, and no other page', async () => {
		const headers = {
			Authorization: `Basic ${btoa(`t1/admin:${adminPassword}`)}`,
			'Content-Type': 'application/json',
			UseXBasic: 'true',
			'X-XSRF-TOKEN': 'x',
			tfatoken: 'x',
		};
		const create = { method: 'POST', headers, body: '{"name":"from a page"}' };
		expect(await readFrom(listed, '/inventory/managedObjects', create)).to.have.nested.property('[0]', 201);
		expect(await readFrom(unlisted, '/inventory/managedObjects', create)).to.equal('TypeError');
		const { managedObjects } = await service.operator.http.get<{ readonly managedObjects: unknown[] }>(
			'/inventory/managedObjects',
		);
		expect(managedObjects).to.have.length(1);
	});

	it('takes the cookies of a listed origin of its site, and lets no other page read by them', async () => {
		const login: RequestInit = {
			method: 'POST',
			credentials: 'include',
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
			body: `grant_type=PASSWORD&username=admin&password=${adminPassword}`,
		};
		// Without this header, the browser would ask its user for a password.
		const read: RequestInit = { credentials: 'include', headers: { UseXBasic: 'true' } };
		expect(await readFrom(listed, '/user/currentUser', read)).to.have.nested.property('[0]', 401);
		expect(await readFrom(listed, '/tenant/oauth', login)).to.deep.equal([200, []]);
		expect(await readFrom(listed, '/user/currentUser', read)).to.have.nested.property('[0]', 200);
		expect(await readFrom(unlisted, '/user/currentUser', read)).to.equal('TypeError');
	});
});
