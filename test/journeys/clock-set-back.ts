import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { createHttpClient } from '../support/http-client.ts';
import { createLedger } from '../support/ledger.ts';
import { sized } from '../support/named-stores.ts';
import { createPackageStream } from '../support/package-stream.ts';
import { upstream } from '../support/raw-client.ts';
import { bootstrap, startService } from '../support/service-fixture.ts';
import { connectDevice, operatorOf, processLogin, processPassword, useServiceProcess } from '../support/service-process.ts';
import { skipUnless } from '../support/skip.ts';

const hour = 3_600_000;
/** Packages that have to be acknowledged: the stream is under way. */
const flowing = sized(500, 50);

describe('journeys/clock-set-back', function () {
	this.timeout(120_000);
	const { folder, start } = useServiceProcess();

	it('keeps the order of operations, tokens and registrations when the clock goes back an hour', async () => {
		let now = Date.UTC(2026, 10, 22, 12);
		const service = await startService({}, { clock: () => now });
		try {
			const { operator } = service;
			const device = await service.connect('back-1', await service.register('back-1'));
			await device.send(['100,Back,type', '114,c8y_Command', '140,a,1,apt,', '117,10', '400,c8y_Event,before']);
			const asked = async (text: string) => (await operator.createOperation('back-1', { c8y_Command: { text } })).id;
			const first = await asked('first');
			expect(await device.nextLine()).to.equal('511,back-1,first');
			await device.send('', 's/uat');
			const [, token = ''] = (await device.nextLine('s/dat')).split(',');
			const asDevice = createHttpClient(service.urls.http, bootstrap);
			await operator.http.post('/devicecontrol/newDeviceRequests', { id: 'late-1' });
			await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: 'late-1' });
			const raw = await service.openRaw('reporting-1');
			raw.send(upstream(1, '100,Reporting,type\n114,c8y_Restart'));
			await raw.next('puback');
			const restarts = [];
			for (let count = 0; count < 2; count++)
				restarts.push((await operator.createOperation('reporting-1', { c8y_Restart: {} })).id);
			raw.send(upstream(7, '501,c8y_Restart'));
			await raw.next('puback', ({ messageId }) => messageId === 7);

			now -= hour;
			const second = await asked('second');
			expect(await device.nextLine()).to.equal('511,back-1,second');
			expect(Number(second)).to.be.above(Number(first));
			await device.send(['501,c8y_Command', '503,c8y_Command']);
			expect((await operator.operation(first)).status).to.equal('SUCCESSFUL');
			expect((await operator.operation(second)).status).to.equal('PENDING');
			await device.send(['141,b,2,apt,']);
			expect(await operator.namesOf('back-1')).to.deep.equal(['a 1', 'b 2']);
			// A publish that is sent again is known, whatever the time was when it was sent first.
			raw.send(upstream(7, '501,c8y_Restart', { dup: true }));
			await raw.next('puback', ({ messageId }) => messageId === 7);
			const statuses = await Promise.all(restarts.map(async (id) => (await operator.operation(id)).status));
			expect(statuses).to.deep.equal(['EXECUTING', 'PENDING']);
			const own = createHttpClient(service.urls.http, { token });
			expect((await own.call('GET', '/inventory/managedObjects')).status).to.equal(200);
			await operator.http.put('/devicecontrol/newDeviceRequests/late-1', { status: 'ACCEPTED' });
			expect((await asDevice.call('POST', '/devicecontrol/deviceCredentials', { id: 'late-1' })).status).to.equal(201);
			// Its lifetime is counted by the clock as it is now.
			now += 2 * hour;
			expect((await own.call('GET', '/inventory/managedObjects')).status).to.equal(401);
		} finally {
			await service.close();
		}
	});

	it('loses nothing of a running process whose clock goes back an hour', async function () {
		const clock = createFakeClock(folder());
		skipUnless(clock !== undefined, 'libfaketime is not installed').call(this);
		const settings = { ADMIN_PASSWORD: processPassword, ...clock?.settings };
		const service = await start(settings);
		const operator = operatorOf(service);
		const ledger = createLedger();
		const stream = createPackageStream({ serial: 'stream-1', login: processLogin, ledger });
		const { client } = await stream.connect(service.mqtt);
		const device = await connectDevice(service, 'listening-1');
		await device.send('114,c8y_Command');
		const create = (text: string) => operator.createOperation('listening-1', { c8y_Command: { text } });
		const { id: first } = await create('first');
		await eventually('the stream flows', stream.countAcknowledged, (count) => count > flowing);
		clock?.shift(-3600);
		const clockOf = async () => {
			const { creationTime } = await operator.http.post<{ creationTime: string }>('/inventory/managedObjects', { name: 'clock' });
			return Date.parse(creationTime);
		};
		await eventually('the clock is back', clockOf, (time) => time < Date.now() - 0.9 * hour);
		const before = stream.countAcknowledged();
		await eventually('the stream flows on', stream.countAcknowledged, (count) => count > before + flowing);
		const { id: second } = await create('second');
		expect([await device.nextLine(), await device.nextLine()]).to.deep.equal(['511,listening-1,first', '511,listening-1,second']);
		await device.send(['501,c8y_Command', '503,c8y_Command', '501,c8y_Command']);
		expect((await operator.operation(first)).status).to.equal('SUCCESSFUL');
		expect((await operator.operation(second)).status).to.equal('EXECUTING');
		await stream.finish();
		client.close();
		await service.kill();
		const next = await start(settings);
		await stream.noteStored(operatorOf(next));
		const { lost, doubled, strangers } = ledger.balance();
		expect({ lost, doubled, strangers }).to.deep.equal({ lost: [], doubled: [], strangers: [] });
		expect((await operatorOf(next).operation(second)).status).to.equal('EXECUTING');
		await next.end();
	});
});
