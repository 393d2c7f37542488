import { expect } from 'chai';
import { upstream } from '../support/raw-client.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

describe('journeys/payloads', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService();
	});
	after(() => service.close());

	const badLines: readonly (readonly [line: string, answer: RegExp])[] = [
		['101', /^40,101,.*line 2.*childId/],
		['117,soon', /^40,117,/],
		['112,north', /^40,112,/],
		['140,a,1,apt,,,2', /^40,140,.*name/],
		[`141,${'x'.repeat(300)},1`, /^40,141,.*255/],
		['142,,1', /^40,142,/],
		['999,a', /^50,999,/],
		['text', /^50,text,/],
		['104', /^40,104,/],
		['504,x', /^4\d,504,/],
		['503,c8y_Restart', /^41,503,/],
	];

	for (const [line, answer] of badLines) {
		it(`answers '${line.slice(0, 20)}' on s/e and does what stands beside it`, async () => {
			const device = await service.connect(`bad-${line.slice(0, 20).replace(/\W/g, '-')}`);
			await device.send(['110,before', line, '141,good,1', '115,after,1,']);
			expect(await device.untaken('s/e')).to.have.length(1);
			expect(await device.nextLine('s/e')).to.match(answer);
			expect(await service.operator.objectOf(device.serial)).to.deep.include({
				c8y_Hardware: { serialNumber: 'before' },
				c8y_Firmware: { name: 'after', version: '1', url: '' },
			});
			expect(await service.operator.namesOf(device.serial)).to.deep.equal(['good 1']);
		});
	}

	it('answers a quote that is never closed, and keeps the lines before it', async () => {
		const device = await service.connect('unclosed');
		await device.send(['110,before', '113,"open', '115,swallowed,1,']);
		expect(await device.nextLine('s/e')).to.match(/^40,113,/);
		const object = await service.operator.objectOf('unclosed');
		expect(object).to.deep.include({ c8y_Hardware: { serialNumber: 'before' } });
		expect(object).not.to.have.property('c8y_Configuration');
	});

	it('reads \\r\\n, blank lines and white space around lines', async () => {
		const device = await service.connect('spaces');
		await device.send('\r\n  110,a  \r\n\r\n115,b,1,\r\n');
		expect(await service.operator.objectOf('spaces')).to.deep.include({
			c8y_Hardware: { serialNumber: 'a' },
			c8y_Firmware: { name: 'b', version: '1', url: '' },
		});
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('takes a payload at the limit, and stores nothing of a larger one', async () => {
		const device = await service.connect('limit');
		const padded = (bytes: number, serial: string) => `110,${serial}\n113,${'x'.repeat(bytes - 9 - serial.length)}`;
		await device.send(padded(16_184, 'a'));
		await device.send(padded(16_185, 'b'));
		expect(await device.untaken('s/e')).to.have.length(1);
		expect(await device.nextLine('s/e')).to.match(/^42,110,.*16185.*16184/);
		expect((await service.operator.objectOf('limit')).c8y_Hardware).to.deep.equal({ serialNumber: 'a' });
	});

	it('takes a software list that thin-edge cut by the number of its packages, whatever its size', async () => {
		const device = await service.connect('large-list');
		const items = (from: number) =>
			Array.from({ length: 100 }, (_, index) => `package-${from + index},1.0,apt,http://host.example/${'x'.repeat(200)}`).join();
		await device.send('140,stale,1,apt,');
		await device.send(`140,${items(0)}`);
		await device.send(`141,${items(100)}`);
		expect(await device.untaken('s/e')).to.deep.equal([]);
		const names = await service.operator.namesOf('large-list');
		expect(names).to.have.length(200);
		expect(names).not.to.include('stale 1');
		await device.send(`140,a,1,apt,http://host.example/${'x'.repeat(256 * 1024)}`);
		expect(await device.nextLine('s/e')).to.match(/^42,140,.*262144/);
		expect(await service.operator.namesOf('large-list')).to.have.length(200);
	});

	it('handles the lines of one publish, and publishes that come together, in order', async () => {
		const client = await service.openRaw('ordered');
		await client.subscribe('s/e');
		const numbers = Array.from({ length: 200 }, (_, index) => index);
		client.send(
			...numbers.map((number) => upstream(number + 1, `110,${number}\n110,${number}.5\n141,p,${number}\n142,p,${number - 1}`)),
		);
		const acknowledged: number[] = [];
		while (acknowledged.length < numbers.length) acknowledged.push((await client.next('puback')).messageId ?? 0);
		expect(acknowledged).to.deep.equal(numbers.map((number) => number + 1));
		expect((await service.operator.objectOf('ordered')).c8y_Hardware).to.deep.equal({ serialNumber: '199.5' });
		expect(await service.operator.namesOf('ordered')).to.deep.equal(['p 199']);
		expect(client.untaken('publish')).to.have.length(0);
	});

	for (const qos of [0, 1] as const) {
		it(`handles what a closed connection left behind at QoS ${qos} before what the next one brings`, async () => {
			const serial = `successor-${qos}`;
			const first = await service.openRaw(serial);
			first.send(...Array.from({ length: 300 }, (_, index) => upstream(index + 1, `110,first-${index}`, { qos })));
			first.send({ cmd: 'disconnect' });
			first.socket.end();
			const second = await service.openRaw(serial);
			second.send(upstream(1, '110,second'));
			await second.next('puback');
			const third = await service.openRaw(serial);
			third.send(upstream(1, '115,third'));
			await third.next('puback');
			expect(await service.operator.objectOf(serial)).to.deep.include({ c8y_Hardware: { serialNumber: 'second' } });
		});
	}

	it('does not let an operation report overtake the list that was sent before it', async () => {
		const device = await service.connect('race');
		await device.send(['114,c8y_SoftwareUpdate', '143,apt']);
		for (let round = 0; round < 20; round++) {
			const items = [{ name: 'p', version: `${round}`, softwareType: 'apt', action: 'install' }];
			const { id } = await service.operator.createOperation('race', { c8y_SoftwareUpdate: items });
			await device.nextLine();
			const line = `141,p,${round},apt\n142,p,${round - 1}`;
			const sent = [device.send('501,c8y_SoftwareUpdate'), device.send(line), device.send('503,c8y_SoftwareUpdate')];
			await service.operator.reaches(id, 'SUCCESSFUL');
			expect(await service.operator.namesOf('race')).to.deep.equal([`p ${round}`]);
			await Promise.all(sent);
		}
	});

	it('answers on s/e for topics that nothing can be published on, and goes on', async () => {
		const device = await service.connect('topics');
		for (const topic of ['s/ds', 'x/us', 's/uc/custom', 'anything/else', '$SYS/broker', 's/us/a/b', 's/ul/x'])
			await device.send('110,a', topic);
		expect(await device.untaken('s/e')).to.have.length(7);
		expect(await service.operator.findId('topics')).to.equal(await service.operator.idOf('topics'));
	});
});
