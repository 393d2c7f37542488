import { expect } from 'chai';
import { type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';
import { hostileKeys, hostileTexts } from '../support/injection/hostile-texts.ts';

const objects = '/inventory/managedObjects';

/** What engines may hold or compare in ways of their own; `journeys/injection-*` sends the same to every other place. */
describe('http/hostile-documents', () => {
	let fixture: HttpFixture;
	before(async () => {
		fixture = await openHttpFixture();
	});
	after(() => fixture.close());

	for (const { name, json: key } of hostileKeys.filter(({ json }) => json !== '"__proto__"' && json !== '"\\ud800"')) {
		it(`keeps a field inside of a fragment whose name is ${name}`, async () => {
			const fragment = `{${key}:{"a":1},"list":[{${key}:{${key}:"x"}}]}`;
			const kept = JSON.parse(fragment);
			const { status, body } = await fixture.call('admin', 'post', objects, {
				text: `{"c8y_IsDevice":{},"x_Fragment":${fragment}}`,
			});
			expect([status, body.x_Fragment]).to.deep.equal([201, kept]);
			await fixture.call('admin', 'put', `${objects}/${body.id}`, { body: { x_Other: kept } });
			const read = await fixture.call('admin', 'get', `${objects}/${body.id}`);
			expect([read.body.x_Fragment, read.body.x_Other]).to.deep.equal([kept, kept]);
			await fixture.call('admin', 'put', `${objects}/${body.id}`, {
				body: { c8y_SupportedOperations: ['x_Fragment'], com_cumulocity_model_Agent: {} },
			});
			const operation = await fixture.call('admin', 'post', '/devicecontrol/operations', {
				text: `{"deviceId":"${body.id}","x_Fragment":${fragment}}`,
			});
			expect([operation.status, operation.body.x_Fragment]).to.deep.equal([201, kept]);
			expect(
				(await fixture.call('admin', 'get', `/devicecontrol/operations/${operation.body.id}`)).body.x_Fragment,
			).to.deep.equal(kept);
		});
	}

	for (const { name, url, json } of hostileTexts) {
		if (url === undefined || json === undefined || name === 'a lone surrogate') continue;
		it(`finds what is named by ${name}, and nothing else`, async () => {
			const text: string = JSON.parse(json);
			const { body } = await fixture.call('admin', 'post', objects, {
				text: `{"name":${json},"type":${json},"x_Text":{"a":${json}}}`,
			});
			expect([body.name, body.type, body.x_Text.a]).to.deep.equal([text, text, text]);
			const isPlain = !/['*\p{Cc}]/u.test(text);
			const queries = [
				`type=${url}`,
				...(isPlain
					? [`query=${encodeURIComponent(`name eq '${text}'`)}`, `query=${encodeURIComponent(`x_Text.a eq '${text}'`)}`]
					: []),
			];
			for (const query of queries) {
				const found = await fixture.call('admin', 'get', `${objects}?${query}`);
				expect(
					found.body.managedObjects?.map(({ id }: { id: string }) => id),
					`${query} ${found.text.slice(0, 300)}`,
				).to.deep.equal([body.id]);
			}
			expect((await fixture.call('admin', 'get', `${objects}?fragmentType=${url}`)).body.managedObjects).to.deep.equal([]);
		});
	}
});
