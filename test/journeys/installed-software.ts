import { expect } from 'chai';
import { encodeChunks, maximumPayloadBytes } from '../../smartrest/index.ts';
import type { FakeDevice } from '../support/fake-device.ts';
import { sized } from '../support/named-stores.ts';
import { type PackageJson, softwarePath } from '../support/operator.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const itemOf = (index: number, version: string) => ({
	name: `package-${String(index).padStart(6, '0')}`,
	version,
	type: 'apt',
	url: `http://example.com/pool/${index}.deb`,
});
const listOf = (count: number, version: string) => Array.from({ length: count }, (_, index) => itemOf(index, version));

describe('journeys/installed-software', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	/** 140 with the first packages and 141 with the rest, without waiting in between. */
	async function report(device: FakeDevice, items: ReturnType<typeof listOf>): Promise<number> {
		const chunks = encodeChunks('SetAdvancedSoftwareList', { items }, maximumPayloadBytes);
		if (!chunks.ok) throw new Error(chunks.reason);
		await Promise.all(chunks.lines.map((line) => device.send(line)));
		return chunks.lines.length;
	}

	const large = sized(20_000, 4000);
	it(`stores a list of ${large} packages and shows it page by page [SR-140] [SR-141]`, async () => {
		const { operator } = service;
		const device = await service.connect('large-1');
		expect(await report(device, listOf(large, '1.0'))).to.be.above(large / 400);
		const deviceId = await operator.idOf('large-1');
		const page = await operator.softwarePage(deviceId, 'pageSize=3&currentPage=2&withTotalPages=true&withTotalElements=true');
		expect(page.softwareList.map(({ name }) => name)).to.deep.equal(['package-000003', 'package-000004', 'package-000005']);
		expect(page.statistics).to.include({ currentPage: 2, totalPages: Math.ceil(large / 3), totalElements: large });
		const all = await operator.softwareOf('large-1');
		expect(all).to.have.length(large);
		const last = itemOf(large - 1, '1.0');
		expect(all.at(-1)).to.deep.equal({ name: last.name, version: '1.0', softwareType: 'apt', url: last.url });
		const found = await operator.softwarePage(deviceId, 'name=*-0039*&pageSize=2000&withTotalElements=true');
		expect(found.statistics.totalElements).to.equal(100);
	});

	it('shows a concurrent reader the old list or the new one, whole, while 140 replaces it', async () => {
		const { operator } = service;
		const device = await service.connect('atomic-1');
		await device.send(`140,${Array.from({ length: 300 }, (_, index) => `p${index},0,,`).join(',')}`);
		const deviceId = await operator.idOf('atomic-1');
		const seen: (readonly PackageJson[])[] = [];
		let writing = true;
		const readers = Array.from({ length: 2 }, async () => {
			while (writing) seen.push((await operator.softwarePage(deviceId, 'pageSize=2000')).softwareList);
		});
		for (let round = 1; round <= sized(30, 8); round++) {
			const count = round % 2 === 0 ? 300 : 200;
			await device.send(`140,${Array.from({ length: count }, (_, index) => `p${index},${round},,`).join(',')}`);
		}
		writing = false;
		await Promise.all(readers);
		const mixed = seen.filter((list) => new Set(list.map(({ version }) => version)).size !== 1);
		expect(mixed).to.have.length(0);
		const wrongLength = seen.filter((list) => list.length !== (Number(list[0]?.version) % 2 === 0 ? 300 : 200));
		expect(wrongLength).to.have.length(0);
		expect(new Set(seen.map(([first]) => first?.version)).size).to.be.above(1);
	});

	it('writes nothing when an unchanged list comes again', async () => {
		const device = await service.connect('unchanged-1');
		await report(device, listOf(1000, '1.0'));
		const { lastUpdated } = await service.operator.objectOf('unchanged-1');
		await device.send(encodeFirst(listOf(100, '1.0')));
		const shortened = await service.operator.objectOf('unchanged-1');
		await device.send(encodeFirst(listOf(100, '1.0')));
		const again = await service.operator.objectOf('unchanged-1');
		expect(again.lastUpdated).to.equal(shortened.lastUpdated);
		expect(lastUpdated).to.be.a('string');
		expect(await service.operator.namesOf('unchanged-1')).to.have.length(100);
	});

	for (const empty of ['140', '140,', '140,,,,']) {
		it(`empties the list with '${empty}'`, async () => {
			const device = await service.connect(`empty-${empty.length}`);
			await device.send(['140,a,1,,,b,2', empty]);
			expect(await service.operator.namesOf(device.serial)).to.deep.equal([]);
			expect(await device.untaken('s/e')).to.deep.equal([]);
		});
	}

	it('identifies a package by name and version, and updates its type and URL [SR-141] [SR-142]', async () => {
		const device = await service.connect('identity-1');
		await device.send(['140,a,1,x,u1,a,2,x,u2', '141,a,1,y,,b,,,', '142,a,2,unknown,3']);
		expect(await service.operator.softwareOf('identity-1')).to.deep.equal([
			{ name: 'a', version: '1', softwareType: 'y' },
			{ name: 'b', version: '' },
		]);
	});

	it('reads through one door what came in through the other', async () => {
		const { operator } = service;
		const device = await service.connect('doors-1');
		const deviceId = await (async () => {
			await device.send('116,a,1,http://a,b,2,');
			return operator.idOf('doors-1');
		})();
		const path = `${softwarePath}?deviceId=${deviceId}`;
		expect(await operator.namesOf('doors-1')).to.deep.equal(['a 1', 'b 2']);
		// 141, 142, PUT and DELETE leave the list as legacy as it is.
		await device.send(['141,c,3,apt,', '142,b,2']);
		await operator.http.put(path, [{ name: 'd', version: '4' }]);
		await operator.http.delete(path, [{ name: 'a', version: '1' }]);
		const { c8y_SoftwareList } = await operator.objectOf('doors-1');
		expect(c8y_SoftwareList).to.have.length(2);
		expect(await operator.namesOf('doors-1')).to.deep.equal(['c 3', 'd 4']);
		// 140 makes it advanced, and it shows in a child addition.
		await device.send('140,e,5,apt,http://e');
		const advanced = await operator.objectOf('doors-1');
		expect(advanced).not.to.have.property('c8y_SoftwareList');
		const shown = advanced.childAdditions?.references[0]?.managedObject.id;
		expect(await operator.http.get(`/inventory/managedObjects/${shown}`)).to.deep.include({
			type: 'c8y_InstalledSoftwareList',
			c8y_SoftwareList: [{ name: 'e', version: '5', softwareType: 'apt', url: 'http://e' }],
		});
		// A legacy write takes it back.
		await operator.http.put(`/inventory/managedObjects/${deviceId}`, {
			c8y_SoftwareList: [{ name: 'f', version: '6', url: '' }],
		});
		expect(await operator.objectOf('doors-1')).to.deep.include({ c8y_SoftwareList: [{ name: 'f', version: '6', url: '' }] });
		expect(await operator.namesOf('doors-1')).to.deep.equal(['f 6']);
		await operator.http.post(path, [{ name: 'g', version: '7' }]);
		expect(await operator.objectOf('doors-1')).not.to.have.property('c8y_SoftwareList');
		expect(await operator.namesOf('doors-1')).to.deep.equal(['g 7']);
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('keeps the software of a child apart from that of its parent', async () => {
		const device = await service.connect('family-1');
		await device.send('140,a,1');
		await device.send(['140,b,2', '141,c,3'], 's/us/family-1:child');
		await device.send('141,d,4');
		expect(await service.operator.namesOf('family-1')).to.deep.equal(['a 1', 'd 4']);
		expect(await service.operator.namesOf('family-1:child')).to.deep.equal(['b 2', 'c 3']);
	});
});

function encodeFirst(items: ReturnType<typeof listOf>): string {
	return `140,${items.map(({ name, version, type, url }) => [name, version, type, url].join(',')).join(',')}`;
}
