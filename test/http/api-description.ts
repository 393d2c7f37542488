import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const root = '/service/advanced-software-mgmt';

interface Described {
	readonly paths: Readonly<
		Record<
			string,
			Readonly<
				Record<
					string,
					{
						readonly responses: object;
						readonly security?: object;
						readonly parameters?: readonly { readonly name: string; readonly in: string }[];
					}
				>
			>
		>
	>;
}

describe('http/api-description', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	it('is valid OpenAPI 3.1', async () => {
		const validator = new Validator();
		const result = await validator.validate(structuredClone(fixture.description) as Record<string, never>);
		expect(result).to.deep.equal({ valid: true });
		expect(validator.version).to.equal('3.1');
	});

	it('has every route, and nothing else', () => {
		const { paths } = fixture.description as Described;
		const described = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
		const mounted = fixture.routes.map(({ method, path }) => `${method} ${path}`);
		expect(described.sort()).to.deep.equal(mounted.sort());
	});

	it('tells for every route what it refuses, whom it lets in and its parameters', () => {
		const { paths } = fixture.description as Described;
		for (const { method, path, permission, body, params } of fixture.routes) {
			const operation = paths[path]?.[method];
			const statuses = Object.keys(operation?.responses ?? {});
			if (permission === 'public') expect(operation?.security, path).to.deep.equal([]);
			else expect(statuses, path).to.include.members(['401', '403', '429', '500', '503']);
			if (body) expect(statuses, path).to.include.members(['413', '415', '422']);
			const inPath = operation?.parameters?.filter((each) => each.in === 'path').map(({ name }) => name) ?? [];
			expect(inPath, path).to.deep.equal(Object.keys(params));
			expect(path.match(/(?<=\{)\w+(?=\})/g) ?? [], path).to.deep.equal(Object.keys(params));
		}
	});

	it('has a page of our own origin whose policy it keeps', async () => {
		const { headers, text } = await fixture.call(undefined, 'get', `${root}/docs`);
		const policy = headers['content-security-policy'];
		expect(policy)
			.to.contain("script-src 'self'")
			.and.not.to.match(/script-src[^;]*unsafe/);
		expect(policy).to.contain("frame-ancestors 'none'");
		expect(text.match(/<script(?![^>]* src=)/), 'no inline script').to.equal(null);
		expect(text.match(/\son\w+=/), 'no inline handler').to.equal(null);
		expect(text.match(/https?:\/\//), 'nothing of others').to.equal(null);
		const sources = [...text.matchAll(/(?:src|rel="stylesheet" href)="([^"]+)"/g)].map((match) => match[1] ?? '');
		expect(sources).to.have.length(3);
		for (const source of sources) expect((await fixture.call(undefined, 'get', source)).status, source).to.equal(200);
	});

	it('is what a browser finds that is given the address alone, and nobody else does', async () => {
		const at = async (path: string, accept: string) => {
			const { status, headers } = await fetch(fixture.url + path, { headers: { Accept: accept }, redirect: 'manual' });
			return [status, headers.get('location') ?? headers.get('content-type')];
		};
		const ofBrowser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
		expect(await at('/', ofBrowser)).to.deep.equal([302, `${root}/docs`]);
		expect(await at('/', 'application/json')).to.deep.equal([404, 'application/json']);
		expect(await at('/', '*/*')).to.deep.equal([404, 'application/json']);
		expect(await at('/nothing', ofBrowser)).to.deep.equal([404, 'application/json']);
	});

	it('serves its script packed and plain', async () => {
		for (const [accepted, encoding] of [
			['gzip, br', 'gzip'],
			['identity', undefined],
		] as const) {
			const answer = await fetch(`${fixture.url}${root}/docs/swagger-ui-bundle.js`, { headers: { 'Accept-Encoding': accepted } });
			expect(answer.headers.get('content-encoding') ?? undefined).to.equal(encoding);
			expect(await answer.text()).to.match(/SwaggerUIBundle/);
		}
	});
});
