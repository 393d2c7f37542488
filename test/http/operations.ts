import { expect } from 'chai';
import { operationStatuses, operationTransitions } from '../../operations/index.ts';
import { expectRefusal, type HttpFixture, openHttpFixture } from '../support/http-fixture.ts';

const root = '/devicecontrol/operations';
const install = { name: 'a', version: '1', url: '', action: 'install' };

describe('http/operations', () => {
	let fixture: HttpFixture;
	let device: string;
	before(async () => {
		fixture = await openHttpFixture();
		device = await createDevice({ c8y_SupportedSoftwareTypes: ['apt'] });
	});
	after(() => fixture.close());

	async function createDevice(fragments: object): Promise<string> {
		const c8y_SupportedOperations = [
			'c8y_SoftwareUpdate',
			'c8y_SoftwareList',
			'c8y_Restart',
			'c8y_Command',
			'c8y_Firmware',
			'custom',
		];
		const body = { name: 'dev', com_cumulocity_model_Agent: {}, c8y_SupportedOperations, ...fragments };
		return (await fixture.call('admin', 'post', '/inventory/managedObjects', { body })).body.id;
	}
	const post = (body: unknown) => fixture.call('admin', 'post', root, { body });
	const create = async (body: object = {}) => (await post({ deviceId: device, c8y_Restart: {}, ...body })).body.id as string;
	const put = (id: string, body: unknown) => fixture.call('admin', 'put', `${root}/${id}`, { body });

	it('shows every field of a new operation', async () => {
		const own = await createDevice({});
		await fixture.call('admin', 'post', `/identity/globalIds/${own}/externalIds`, {
			body: { type: 'c8y_Serial', externalId: 'op-dev' },
		});
		const { status, body } = await post({
			deviceId: Number(own),
			description: 'd',
			c8y_SoftwareUpdate: [install],
			nothing: null,
			id: 'x',
			status: 'FAILED',
		});
		expect(status).to.equal(201);
		expect(body.id).to.match(/^[0-9]+$/);
		expect(body).to.deep.equal({
			id: body.id,
			self: `${fixture.url}${root}/${body.id}`,
			deviceId: own,
			agentId: own,
			deviceName: 'dev',
			status: 'PENDING',
			description: 'd',
			creationTime: '2026-11-21T20:23:30.412Z',
			delivery: { status: 'PENDING', time: '2026-11-21T20:23:30.412Z', log: [] },
			deviceExternalIDs: { externalIds: [{ type: 'c8y_Serial', externalId: 'op-dev' }] },
			c8y_SoftwareUpdate: [install],
		});
		expect((await fixture.call('admin', 'get', `${root}/${body.id}`)).body).to.deep.equal(body);
	});

	const bad: readonly (readonly [what: string, body: (deviceId: string) => unknown, status: number, message: RegExp])[] = [
		['no device', () => ({ c8y_Restart: {} }), 400, /deviceId is missing/],
		['an empty device', () => ({ deviceId: '', c8y_Restart: {} }), 400, /deviceId is missing/],
		['a device that is an object', () => ({ deviceId: {}, c8y_Restart: {} }), 422, /deviceId must be a text of digits/],
		['an unknown device', () => ({ deviceId: '1', c8y_Restart: {} }), 404, /No managed object for id '1'/],
		['a device that is no id', () => ({ deviceId: 'abc', c8y_Restart: {} }), 404, /digits/],
		['an array', () => [], 422, /must be a JSON object, found an array/],
		['nothing to do', (deviceId) => ({ deviceId }), 422, /asks for nothing/],
		['an unsupported operation', (deviceId) => ({ deviceId, c8y_DeviceProfile: {} }), 422, /does not support c8y_DeviceProfile/],
		[
			'a description that is a number',
			(deviceId) => ({ deviceId, description: 1, c8y_Restart: {} }),
			422,
			/description must be text/,
		],
		[
			'a long description',
			(deviceId) => ({ deviceId, description: 'x'.repeat(70_000), c8y_Restart: {} }),
			422,
			/description is too long/,
		],
		['a fragment with a dot', (deviceId) => ({ deviceId, c8y_Restart: {}, 'a.b': 1 }), 422, /'a\.b' cannot be the name/],
		['a restart that is a text', (deviceId) => ({ deviceId, c8y_Restart: 'now' }), 422, /c8y_Restart must be an object/],
		['a command without text', (deviceId) => ({ deviceId, c8y_Command: {} }), 422, /c8y_Command\.text must be text/],
		['firmware without version', (deviceId) => ({ deviceId, c8y_Firmware: { name: 'f' } }), 422, /c8y_Firmware\.version/],
		['an update that is an object', (deviceId) => ({ deviceId, c8y_SoftwareUpdate: {} }), 422, /must be an array/],
		['an empty update', (deviceId) => ({ deviceId, c8y_SoftwareUpdate: [] }), 422, /is empty/],
		[
			'an item without name',
			(deviceId) => ({ deviceId, c8y_SoftwareUpdate: [install, { action: 'install' }] }),
			422,
			/\[1\]\.name/,
		],
		[
			'a wrong action',
			(deviceId) => ({ deviceId, c8y_SoftwareUpdate: [{ ...install, action: 'remove' }] }),
			422,
			/\[0\]\.action must be 'install' or 'delete', found 'remove'/,
		],
		[
			'a version that is a number',
			(deviceId) => ({ deviceId, c8y_SoftwareUpdate: [{ ...install, version: 1 }] }),
			422,
			/\[0\]\.version must be text/,
		],
		[
			'a type that the device has not',
			(deviceId) => ({ deviceId, c8y_SoftwareUpdate: [{ ...install, softwareType: 'rpm' }] }),
			422,
			/does not support 'rpm'; it supports: apt/,
		],
		[
			'what fits no message',
			(deviceId) => ({ deviceId, custom: { text: 'x'.repeat(100_000) } }),
			422,
			/does not fit one message/,
		],
		['too many bytes', (deviceId) => ({ deviceId, custom: { text: 'x'.repeat(1_100_000) } }), 422, /bytes: at most/],
	];
	for (const [what, body, status, message] of bad) {
		it(`refuses ${what} with ${status}, and creates nothing`, async () => {
			const count = async () =>
				(await fixture.call('admin', 'get', `${root}?pageSize=1&withTotalElements=true`)).body.statistics.totalElements;
			const before = await count();
			const answer = await post(body(device));
			expectRefusal(answer, status, message);
			expect(await count()).to.equal(before);
		});
	}

	for (const from of operationStatuses) {
		for (const to of operationStatuses) {
			const allowed = from === to || operationTransitions[from].includes(to);
			it(`${allowed ? 'lets' : 'does not let'} ${from} become ${to}`, async () => {
				const id = await create();
				if (from !== 'PENDING') await put(id, { status: from, failureReason: 'first' });
				const { status, body } = await put(id, { status: to, id, deviceId: device });
				expect([status, body.status ?? body.error]).to.deep.equal(allowed ? [200, to] : [422, 'operation/transition']);
				const left = (await fixture.call('admin', 'get', `${root}/${id}`)).body.status;
				expect(left).to.equal(allowed ? to : from);
			});
		}
	}

	it('keeps a reason as it is, and changes description and fragments', async () => {
		const id = await create({ custom: { a: 1 } });
		const failureReason = 'last line\n\nline "one", two\r\n';
		const { body } = await put(id, { status: 'FAILED', failureReason, description: 'new', custom: null, note: [1] });
		expect([body.failureReason, body.description, body.note]).to.deep.equal([failureReason, 'new', [1]]);
		expect(body).not.to.have.property('custom');
	});

	const badChanges: readonly (readonly [body: unknown, status: number, message: RegExp])[] = [
		[{ status: 'DONE' }, 422, /status must be one of PENDING, EXECUTING, SUCCESSFUL, FAILED, found 'DONE'/],
		[{ status: 1 }, 422, /status must be one of/],
		[{ failureReason: {} }, 422, /failureReason must be text/],
		[{ description: [] }, 422, /description must be text/],
		[{ 'a b': 1 }, 422, /cannot be the name/],
		[{ note: 'x'.repeat(1_100_000) }, 422, /bytes: at most/],
		[[], 422, /must be a JSON object/],
	];
	for (const [body, status, message] of badChanges) {
		it(`refuses the change ${JSON.stringify(body).slice(0, 40)}`, async () => {
			const id = await create();
			const answer = await put(id, body);
			expectRefusal(answer, status, message);
		});
	}

	it('knows nothing of operations that are not there', async () => {
		for (const id of ['4294967295', '4294967296', 'abc', '-1', '1.5']) {
			expect((await fixture.call('admin', 'get', `${root}/${id}`)).status, id).to.equal(404);
			expect((await put(id, { status: 'FAILED' })).status, id).to.equal(404);
		}
	});

	describe('a list', () => {
		let ids: string[];
		let other: string;
		before(async () => {
			other = await createDevice({});
			fixture.time = Date.parse('2026-12-01T00:00:00.000Z');
			ids = [];
			for (const body of [{ c8y_Restart: {} }, { c8y_SoftwareUpdate: [install] }, { c8y_Restart: {}, custom: {} }]) {
				ids.push((await post({ deviceId: other, ...body })).body.id);
				fixture.time += 3_600_000;
			}
			await put(ids[0] ?? '', { status: 'EXECUTING' });
		});

		const found = async (query: string) =>
			(await fixture.call('admin', 'get', `${root}?deviceId=${other}&${query}`)).body.operations.map(({ id }: { id: string }) =>
				ids.indexOf(id),
			);
		const rows: readonly (readonly [query: string, expected: readonly number[]])[] = [
			['', [0, 1, 2]],
			['revert=true', [2, 1, 0]],
			['revert=false', [0, 1, 2]],
			['status=PENDING', [1, 2]],
			['status=EXECUTING', [0]],
			['status=FAILED', []],
			['fragmentType=c8y_Restart', [0, 2]],
			['fragmentType=c8y_Restart&status=PENDING', [2]],
			['fragmentType=', []],
			['agentId=1', []],
			['dateFrom=1970-01-01&revert=true&pageSize=1&currentPage=1', [2]],
			['dateFrom=1970-01-01T00:00:00.000Z&dateTo=2026-12-01T00:30:00.000Z', [0]],
			['dateFrom=2026-12-01T01:00:00Z', [1, 2]],
			['dateFrom=2026-12-01T01:00:00.000001%2B00:00', [1, 2]],
			['dateFrom=2026-12-01T02:00:00%2B01:00', [1, 2]],
			['dateFrom=2026-12-01T02:00:00+01:00', [1, 2]],
			['dateFrom=2026-11-30T20:00:00-05:00', [1, 2]],
			['dateFrom=2026-12-01T01:00', [1, 2]],
			['dateTo=2026-12-01', [0]],
			['dateTo=2026-11-30', []],
			['dateFrom=2026-12-02', []],
			['bulkId=5&unknown=1', [0, 1, 2]],
		];
		for (const [query, expected] of rows) {
			it(`finds ${expected.length} with '${query}'`, async () => expect(await found(query)).to.deep.equal(expected));
		}

		const refused = [
			'status=pending',
			'status=',
			'dateFrom=yesterday',
			'dateFrom=',
			'dateTo=2026-13-01',
			'dateTo=2026-02-30',
			'dateTo=2026-12-01T25:00:00Z',
		];
		for (const query of [...refused, 'bulkOperationId=5', 'revert=2', 'deviceId=1']) {
			it(`refuses '${query}' by name, in GET and DELETE`, async () => {
				for (const method of ['get', 'delete'] as const) {
					if (method === 'delete' && query.startsWith('revert')) continue;
					const { status, body } = await fixture.call('admin', method, `${root}?deviceId=${other}&${query}`);
					expectRefusal({ status, body }, 400, new RegExp(query.split('=')[0] ?? ''));
				}
			});
		}

		it('DELETE removes what matches, and nothing for an empty device', async () => {
			expect((await fixture.call('admin', 'delete', `${root}?deviceId=`)).status).to.equal(204);
			expect((await fixture.call('admin', 'delete', `${root}?deviceId=${other}&status=EXECUTING`)).status).to.equal(204);
			expect(await found('')).to.deep.equal([1, 2]);
			for (const query of ['', '?devicId=1']) {
				expectRefusal(await fixture.call('admin', 'delete', `${root}${query}`), 400, /at least one filter: deviceId/);
			}
			expect((await fixture.call('admin', 'delete', `${root}?deviceId=${other}`)).status).to.equal(204);
			expect(await found('')).to.deep.equal([]);
		});
	});

	it('logs what was done, by whom and to what', async () => {
		const id = await create();
		const line = fixture.logLines.map((text) => JSON.parse(text)).findLast(({ msg }) => msg === 'Operation created');
		expect(line).to.include({ tenant: 't1', user: 'admin', type: 'Operation', source: id, channel: 'http' });
		expect(line.text).to.equal(`Operation created: ${id}, PENDING, device ${device}`);
	});
});
