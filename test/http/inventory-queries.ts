import { expect } from 'chai';
import { type Caller, expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const root = '/inventory/managedObjects';

describe('http/inventory-queries', () => {
	let fixture: HttpFixture;
	let ids: Readonly<Record<string, string>>;

	/** A repository, devices in a group, as the clients make them. */
	before(async () => {
		fixture = await openHttpFixture();
		const made: Record<string, string> = {};
		const post = async (name: string, path: string, body: object) => {
			fixture.time += 1000;
			made[name] = (await fixture.call('admin', 'post', `${root}${path}`, { body: { name, ...body } })).body.id;
		};
		await post('python3', '', { type: 'c8y_Software', softwareType: 'apt', description: 'a language', c8y_Global: {} });
		await post("O'Brien (x)", '', { type: 'c8y_Software', c8y_Filter: { type: 'raspberry' }, c8y_Global: {} });
		await post('v1', `/${made.python3}/childAdditions`, {
			type: 'c8y_SoftwareBinary',
			c8y_Software: { version: '1', url: 'u1' },
		});
		await post('v2', `/${made.python3}/childAdditions`, { type: 'c8y_SoftwareBinary', c8y_Software: { version: '2' } });
		await post('patch', `/${made.python3}/childAdditions`, {
			type: 'c8y_SoftwareBinary',
			c8y_Software: { version: '2' },
			c8y_Patch: {},
		});
		await post('group', '', { type: 'c8y_DeviceGroup', c8y_IsDeviceGroup: {} });
		await post('d1', `/${made.group}/childAssets`, { c8y_IsDevice: {}, c8y_Hardware: { serialNumber: '007' }, count: 3 });
		await post('d2', `/${made.group}/childAssets`, { c8y_IsDevice: {}, c8y_Hardware: { serialNumber: 'S2' }, type: 'c8y_Linux' });
		await post('ssh', `/${made.d1}/childAdditions`, { type: 'c8y_Service', status: 'up' });
		await post('kid', `/${made.d1}/childDevices`, { c8y_IsDevice: {} });
		ids = made;
	});
	after(() => fixture.close());

	const names = (objects: readonly { name: string }[]) => objects.map(({ name }) => name).join(' ');
	const id = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '?');

	// Each row: the parameter with its value, and what is found; ids by name in braces.
	const rows: readonly (readonly [parameter: string, value: string, found: string])[] = [
		['query', "$filter=(name eq 'O''B*')", "O'Brien (x)"],
		['query', "name eq 'O''Brien \\(x\\)'", "O'Brien (x)"],
		['query', "$filter=((type eq 'c8y_Software') and (name eq 'python3*'))", 'python3'],
		['query', "$filter=((((type eq 'c8y_Software') and ((name eq '*th*') or (description eq '*th*'))) and (name eq '*th*')) and (not(has(url)))) $orderby=name asc", 'python3'],
		['query', "$filter=((type eq 'c8y_Software') and ((c8y_Filter.type eq 'X') or (c8y_Filter.type eq '') or (not(has(c8y_Filter.type)))))", 'python3'],
		['query', "((softwareType eq 'apt') or (softwareType eq 'docker'))", 'python3'],
		['query', '$filter=((not(has(c8y_Patch))) and (bygroupid({python3}))) $orderby=creationTime.date desc', 'v2 v1'],
		['query', "$filter=bygroupid({python3}) and not(has(c8y_Patch)) and type eq 'c8y_SoftwareBinary' and (c8y_Software.version eq '1*') $orderby=creationTime.date desc,creationTime desc", 'v1'],
		['query', "$filter=(c8y_Software.version eq '2') and bygroupid({python3}) $orderby=c8y_Software.version,creationTime", 'v2 patch'],
		['query', "c8y_Software.url eq 'u1' and type eq c8y_SoftwareBinary", 'v1'],
		['query', "$filter=(has(c8y_Global) and name eq 'O''B*' and type eq c8y_Software)+$orderby=name", "O'Brien (x)"],
		['query', '$filter=(bygroupid({python3}) and type eq c8y_SoftwareBinary and owner eq admin)', 'v1 v2 patch'],
		['query', "has(c8y_IsDeviceGroup) and name eq 'group'", 'group'],
		['query', "(type eq 'c8y_Service') and name eq 'ssh' and (bygroupid({d1}))", 'ssh'],
		['query', '$filter=(isinhierarchyof({group}))', 'group d1 d2 ssh kid'],
		['query', "$filter=(_id gt '{ssh}') $orderby=_id asc", 'kid'],
		['query', 'count gt 2f', 'd1'],
		['query', 'count eq 3', 'd1'],
		['query', "lastUpdated.date ge '2026-11-21T20:23:39.412+00:00'", 'ssh kid'],
		['query', "creationTime.date lt '2026-11-21T21:23:32.000000+01:00' $orderby=name desc", 'python3'],
		['q', '(c8y_Hardware.serialNumber eq 007)', 'd1'],
		['q', '$filter=(has(c8y_IsDevice) and name eq \'d1\')', 'd1'],
		['q', '$filter= $orderby=name', 'd1 d2 kid'],
		['q', '', 'd1 d2 kid'],
		['text', "'a language'", 'python3'],
		['text', 'a language', 'python3'],
		['text', 'S2', 'd2'],
		['childAdditionId', '{ssh}', 'd1'],
		['childAssetId', '{d2}', 'group'],
		['childDeviceId', '{kid}', 'd1'],
		['onlyRoots', 'true', "python3 O'Brien (x) group"],
		['fragmentType', 'c8y_Patch', 'patch'],
	]; // biome-ignore format: one line a row
	for (const [parameter, value, found] of rows) {
		it(`finds by ${parameter}=${value}, and counts as many`, async () => {
			const query = new URLSearchParams({ [parameter]: id(value), pageSize: '100', withTotalElements: 'true' });
			const { status, body } = await fixture.call('admin', 'get', `${root}?${query}`);
			expect(status).to.equal(200);
			expect(names(body.managedObjects)).to.equal(found);
			expect(body.statistics.totalElements).to.equal(body.managedObjects.length);
			expect((await fixture.call('admin', 'get', `${root}/count?${query}`)).body).to.equal(body.managedObjects.length);
			const others = await fixture.call('otherAdmin', 'get', `${root}?${query}`);
			expect(others.body.managedObjects).to.deep.equal([]);
		});
	}

	it('combines its parameters with and, and keeps them in the links', async () => {
		const query = new URLSearchParams({ query: "name eq 'v*' $orderby=name desc", type: 'c8y_SoftwareBinary', pageSize: '1' });
		const { body } = await fixture.call('admin', 'get', `${root}?${query}&withParents=true&withChildren=false`);
		expect(names(body.managedObjects)).to.equal('v2');
		expect(body.managedObjects[0].additionParents.references[0].managedObject.id).to.equal(ids.python3);
		expect(body.managedObjects[0]).not.to.have.property('childAdditions');
		const next = await fixture.call('admin', 'get', body.next.slice(fixture.url.length));
		expect([names(next.body.managedObjects), next.body.next]).to.deep.equal(['v1', undefined]);
	});

	it('shows a device of what it asks for only what it owns', async () => {
		const { body } = await fixture.call('device', 'get', `${root}?q=`);
		expect(body.managedObjects).to.deep.equal([]);
	});

	it('shows a device of a group with a query of its own only what is linked below', async () => {
		const body = { name: 'mine', c8y_IsDynamicGroup: {}, c8y_DeviceQueryString: '$filter=has(c8y_IsDevice)' };
		const group = (await fixture.call('device', 'post', root, { body })).body.id;
		const path = `${root}/${group}/childAssets`;
		await fixture.call('device', 'post', path, { body: { name: 'linked' } });
		const namesFor = async (caller: Caller) => {
			const listed = await fixture.call(caller, 'get', `${path}?withTotalElements=true`);
			const objects = listed.body.references.map((each: { managedObject: { name: string } }) => each.managedObject);
			return [names(objects), listed.body.statistics.totalElements];
		};
		expect(await namesFor('admin')).to.deep.equal(['d1 d2 kid', 3]);
		expect(await namesFor('device')).to.deep.equal(['linked', 1]);
		await fixture.call('admin', 'delete', `${root}/${group}?forceCascade=true`);
	});

	const faults: readonly (readonly [query: string, position: number])[] = [
		['query=name', 5],
		["q=$filter=(name eq 'x'", 21],
		['query=$filter=(bygroupid(x))', 20],
		['query=creationTime gt 5', 17],
		["query=a eq 'x*\\*'", 6],
	];
	for (const [query, position] of faults) {
		for (const path of [root, `${root}/count`]) {
			it(`refuses ${path}?${query} with its position`, async () => {
				const answer = await fixture.call('admin', 'get', `${path}?${new URLSearchParams(query)}`);
				expectRefusal(answer, 422, new RegExp(`position ${position}: expected .+, found`));
				expect(answer.body).to.include({ error: 'inventory/badQuery' });
				expect(answer.body.details).to.include({ position });
			});
		}
	}

	describe('children', () => {
		const create = async (body: object = {}) => (await fixture.call('admin', 'post', root, { body })).body.id as string;
		const vendor = (what: string) => `application/vnd.com.nsn.cumulocity.${what}+json;charset=UTF-8;ver=0.9`;

		for (const kind of ['childDevices', 'childAssets', 'childAdditions'] as const) {
			it(`creates, links, lists and unlinks ${kind}, by the shape of the body`, async () => {
				const parent = await create();
				const path = `${root}/${parent}/${kind}`;
				const self = `${fixture.url}${path}`;
				const fresh = await fixture.call('admin', 'post', path, {
					body: { name: 'new', type: 't', a: 1 },
					type: vendor('managedObject'),
				});
				expect([fresh.status, fresh.body.name, fresh.body.a]).to.deep.equal([201, 'new', 1]);
				const [b, c, d] = [await create({ name: 'b' }), await create({ name: 'c', type: 't' }), await create()];
				for (const type of [vendor('managedObjectReference'), 'application/json', vendor('managedobject')]) {
					const linked = await fixture.call('admin', 'post', path, { body: { managedObject: { id: b } }, type });
					expect(linked.status).to.equal(201);
					expect(linked.body.managedObject).to.include({ id: b, name: 'b' });
					expect(linked.body.self).to.equal(`${self}/${b}`);
				}
				const many = await fixture.call('admin', 'post', path, {
					body: { references: [{ managedObject: { id: Number(c) } }, { managedObject: { id: d, self: 'x' } }] },
					type: vendor('managedObjectReferenceCollection'),
				});
				expect([many.status, many.body.self]).to.deep.equal([201, self]);
				expect(many.body.references.map((each: { managedObject: { id: string } }) => each.managedObject.id)).to.deep.equal([
					c,
					d,
				]);

				const listed = await fixture.call('admin', 'get', `${path}?pageSize=3&withTotalPages=true&withTotalElements=true`);
				expect(listed.body.references.map((each: { self: string }) => each.self)).to.deep.equal(
					[fresh.body.id, b, c].map((child) => `${self}/${child}`),
				);
				expect(listed.body.references[0].managedObject).to.include({ name: 'new', type: 't', a: 1 });
				expect(listed.body.statistics).to.deep.equal({ currentPage: 1, pageSize: 3, totalPages: 2, totalElements: 4 });
				const asked = await fixture.call(
					'admin',
					'get',
					`${path}?query=${encodeURIComponent("$filter=(type eq 't') and (name eq 'c')")}`,
				);
				expect(asked.body.references.map((each: { managedObject: { id: string } }) => each.managedObject.id)).to.deep.equal([c]);

				expect((await fixture.call('admin', 'get', `${path}/${b}`)).body.managedObject.name).to.equal('b');
				expect((await fixture.call('admin', 'delete', `${path}/${b}`)).status).to.equal(204);
				for (const method of ['get', 'delete'] as const)
					expectRefusal(await fixture.call('admin', method, `${path}/${b}`), 404, new RegExp(`'${b}' is not among the ${kind}`));
				expect((await fixture.call('admin', 'get', `${root}/${b}`)).status).to.equal(200);
			});
		}

		it('refuses what cannot be linked, and changes nothing then', async () => {
			const [a, b] = [await create(), await create()];
			const path = (parent: string) => `${root}/${parent}/childAssets`;
			const post = (parent: string, body: unknown) => fixture.call('admin', 'post', path(parent), { body });
			expect((await post(a, { managedObject: { id: b } })).status).to.equal(201);
			expectRefusal(await post(b, { managedObject: { id: a } }), 409, /is below it already/);
			expectRefusal(await post(a, { managedObject: { id: '1' } }), 404, /'1'/);
			expectRefusal(await post('1', { managedObject: { id: a } }), 404, /'1'/);
			const c = await create();
			expectRefusal(await post(a, { references: [{ managedObject: { id: c } }, { managedObject: { id: '1' } }] }), 404, /'1'/);
			expectRefusal(await post(a, []), 422, /object/);
			for (const managedObject of [{}, null, c, { id: 1.5 }])
				expectRefusal(await post(a, { managedObject }), 422, /^managedObject must/);
			for (const references of [[{}], [{ managedObject: { id: c } }, 5], null, {}])
				expectRefusal(await post(a, { references }), 422, /^references must/);
			expect((await fixture.call('admin', 'get', path(a))).body.references).to.have.length(1);
			expectRefusal(await fixture.call('admin', 'get', `${path(a)}?query=x`), 422, /position 2/);
			expect((await fixture.call('admin', 'get', `${root}/${a}/childThings`)).status).to.equal(404);
			const tooMany = { references: Array.from({ length: 2001 }, () => ({ managedObject: { id: c } })) };
			expectRefusal(await post(a, tooMany), 422, /2001 items: at most 2000/);
		});

		it('shows the installed software as a child addition that only its device changes', async () => {
			const device = await create({ c8y_IsDevice: {} });
			const packages = [{ name: 'p', version: '1', url: '', softwareType: 'apt' }];
			await fixture.call('admin', 'post', `/service/advanced-software-mgmt/software?deviceId=${device}`, { body: packages });
			const path = `${root}/${device}/childAdditions`;
			const { body } = await fixture.call('admin', 'get', path);
			const [list] = body.references;
			expect(list.managedObject.type).to.equal('c8y_InstalledSoftwareList');
			const one = await fixture.call('admin', 'get', `${path}/${list.managedObject.id}`);
			expect(one.body.managedObject.c8y_SoftwareList).to.deep.equal([{ name: 'p', version: '1', softwareType: 'apt' }]);
			expectRefusal(await fixture.call('admin', 'delete', `${path}/${list.managedObject.id}`), 422, new RegExp(device));
			const group = await create();
			const body2 = { managedObject: { id: list.managedObject.id } };
			expectRefusal(
				await fixture.call('admin', 'post', `${root}/${group}/childAssets`, { body: body2 }),
				422,
				new RegExp(device),
			);
		});
	});
});
