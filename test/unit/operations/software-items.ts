import { expect } from 'chai';
import fc from 'fast-check';
import { completeList, type SoftwareItem, toSoftwareItem, withTypeOfVersion } from '../../../operations/index.ts';
import { expectRefusal, tenant, useBench } from '../inventory/inventory-bench.ts';
import { openOperationsBench } from './operations-bench.ts';

const whole = { name: 'a', version: '1', softwareType: '', url: '', action: 'install' as const };

describe('operations/software-items', () => {
	const items: [sent: object, read: Partial<SoftwareItem>][] = [
		[{ name: 'a', version: '1', action: 'install' }, {}],
		[{ name: 'a', version: '1' }, {}],
		[
			{ name: 'a', action: 'delete' },
			{ version: '', action: 'delete' },
		],
		[{ name: 'a', version: null, url: null, softwareType: null }, { version: '' }],
		[
			{ name: 'a', version: '1.0::debian' },
			{ version: '1.0', softwareType: 'debian' },
		],
		[
			{ name: 'a', version: '1::2::debian' },
			{ version: '1::2', softwareType: 'debian' },
		],
		[
			{ name: 'a', version: '::debian' },
			{ version: '', softwareType: 'debian' },
		],
		[
			{ name: 'a', version: '1.0::debian', softwareType: 'apt' },
			{ version: '1.0::debian', softwareType: 'apt' },
		],
		[{ name: 'a', version: '1:2' }, { version: '1:2' }],
		[
			{ name: 'a', version: '1', url: 'u', softwareType: 't', id: 'x' },
			{ url: 'u', softwareType: 't' },
		],
	];
	for (const [sent, read] of items) {
		it(`reads ${JSON.stringify(sent)}`, () =>
			expect(withTypeOfVersion(toSoftwareItem({ ...sent }))).to.deep.equal({ ...whole, ...read }));
	}

	it('leaves a version as it was sent where the device knows no types', () => {
		expect(toSoftwareItem({ name: 'a', version: '1.0::debian' })).to.include({ version: '1.0::debian', softwareType: '' });
		const removed = { ...whole, version: '1.0::debian', action: 'delete' as const };
		expect(completeList([{ name: 'a', version: '1.0::debian' }], [removed])).to.deep.equal([]);
	});

	const name = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor');
	const version = fc.constantFrom('1', '2', '3');
	const installed = fc.uniqueArray(fc.record({ name, version }), { selector: (item) => `${item.name} ${item.version}` });
	const change = fc.record({
		name,
		version: fc.constantFrom('', '1', '2', '3'),
		softwareType: fc.constantFrom('', 'apt'),
		url: fc.constant(''),
		action: fc.constantFrom('install' as const, 'delete' as const),
	});

	it('leaves alone what no change names, in its order', () => {
		fc.assert(
			fc.property(installed, fc.array(change, { maxLength: 6 }), (before, changes) => {
				const named = new Set<string>(changes.map((each) => each.name));
				const after = completeList(before, changes).filter((item) => !named.has(item.name));
				const kept = before.filter((item) => !named.has(item.name));
				expect(after).to.have.deep.members(kept);
			}),
		);
	});

	it('holds what the last install of a name says, and nothing that was deleted last', () => {
		fc.assert(
			fc.property(installed, fc.array(change, { minLength: 1, maxLength: 6 }), (before, changes) => {
				const after = completeList(before, changes);
				const last = changes.at(-1) ?? whole;
				const found = after.filter((item) => item.name === last.name);
				if (last.action === 'install') expect(found.map((item) => item.version)).to.deep.equal([last.version]);
				else if (last.version === '') expect(found).to.deep.equal([]);
				else expect(found.map((item) => item.version)).to.not.include(last.version);
			}),
		);
	});

	it('names no package twice, and is the same when the changes are done already', () => {
		fc.assert(
			fc.property(installed, fc.array(change, { maxLength: 6 }), (before, changes) => {
				const after = completeList(before, changes);
				expect(new Set(after.map((item) => `${item.name} ${item.version}`)).size).to.equal(after.length);
				expect(completeList(after, changes)).to.have.deep.members(after);
				expect(completeList(before, [])).to.have.deep.members(before);
			}),
		);
	});
});

describe('operations/operations createSoftwareChange', () => {
	const bench = useBench(openOperationsBench);
	const changes = [
		{ name: 'a', version: '2', url: 'http://a', action: 'install' },
		{ name: 'b', action: 'delete' },
	];
	async function change(device: Readonly<Record<string, unknown>>, wanted: readonly Record<string, unknown>[] = changes) {
		const id = await bench().device('s', device);
		await bench().inventory.software.set(
			tenant,
			id,
			[
				{ name: 'z', version: '1' },
				{ name: 'a', version: '1', url: 'old' },
				{ name: 'b', version: '1' },
				{ name: 'b', version: '2' },
				{ name: 'c', version: '3', softwareType: 'apt' },
			],
			'legacy',
		);
		return bench().operations.createSoftwareChange(tenant, id, wanted);
	}

	for (const device of [
		{ c8y_SupportedOperations: ['c8y_SoftwareUpdate'] },
		{ c8y_SupportedOperations: ['c8y_SoftwareList', 'c8y_SoftwareUpdate'], c8y_SupportedSoftwareTypes: ['apt'] },
	]) {
		it(`creates a c8y_SoftwareUpdate, as it was sent, for ${JSON.stringify(device)}`, async () => {
			const made = await change(device);
			expect(made.fragments).to.deep.equal({ c8y_SoftwareUpdate: changes });
			expect(made.description).to.equal('Apply software changes: install "a" (version: 2), delete "b"');
		});
	}

	it('adds to the complete list that was asked for and has not ended, and to what is installed afterwards', async () => {
		const made = await change({ c8y_SupportedOperations: ['c8y_SoftwareList'] });
		const { operations } = bench();
		const install = (name: string) =>
			operations.createSoftwareChange(tenant, made.deviceId, [{ name, version: '1', action: 'install' }]);
		const namesOf = ({ fragments }: { readonly fragments: Readonly<Record<string, unknown>> }) => {
			const list = fragments.c8y_SoftwareList;
			return Array.isArray(list) ? list.map((item: { name: string }) => item.name) : [];
		};
		const second = await install('d');
		expect(namesOf(second)).to.deep.equal(['z', 'a', 'c', 'd']);
		for (const { id } of [made, second]) await operations.update(tenant, id, { status: 'FAILED' });
		expect(namesOf(await install('e'))).to.deep.equal(['z', 'a', 'b', 'b', 'c', 'e']);
	});

	it('creates the complete c8y_SoftwareList for a device that knows nothing else', async () => {
		const made = await change({ c8y_SupportedOperations: ['c8y_SoftwareList'] });
		expect(made.fragments).to.deep.equal({
			c8y_SoftwareList: [
				{ name: 'z', version: '1', url: '' },
				{ name: 'a', version: '2', url: 'http://a' },
				{ name: 'c', version: '3', url: '', softwareType: 'apt' },
			],
		});
	});

	it('keeps what is installed of a type that the device does not announce any more', async () => {
		const made = await change({ c8y_SupportedOperations: ['c8y_SoftwareList'], c8y_SupportedSoftwareTypes: ['x'] });
		expect(JSON.stringify(made.fragments)).to.include('"softwareType":"apt"');
	});

	// Each row: what the device announced, the changes, the code and a word of the message.
	const refused: [device: Record<string, unknown>, wanted: Record<string, unknown>[], code: string, word: string][] = [
		[{}, changes, 'unsupported', 'neither c8y_SoftwareUpdate nor c8y_SoftwareList'],
		[{ c8y_SupportedOperations: ['c8y_Restart'] }, changes, 'unsupported', 'neither'],
		[{ c8y_SupportedOperations: ['c8y_SoftwareList'] }, [], 'invalid', 'empty'],
		[{ c8y_SupportedOperations: ['c8y_SoftwareList'] }, [{ name: 'a', action: 'x' }], 'invalid', '[0].action'],
		[{ c8y_SupportedOperations: ['c8y_SoftwareUpdate'] }, [{ action: 'install' }], 'invalid', '[0].name'],
		[
			{ c8y_SupportedOperations: ['c8y_SoftwareUpdate'], c8y_SupportedSoftwareTypes: ['apt'] },
			[{ name: 'a', softwareType: 'rpm', action: 'install' }],
			'unsupported',
			"'rpm'",
		],
	];
	for (const [device, wanted, code, word] of refused) {
		it(`refuses ${JSON.stringify(wanted).slice(0, 50)} for ${JSON.stringify(device)}`, () =>
			expectRefusal(change(device, wanted), `operation/${code}`, word));
	}
});
