import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { createLedger, type LedgerStream } from '../support/ledger.ts';
import { createPackageStream } from '../support/package-stream.ts';
import { operatorOf, processLogin, processPassword, type ServiceProcess, useServiceProcess } from '../support/service-process.ts';
import { skipUnless } from '../support/skip.ts';
import { makeSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const authorization = `Basic ${Buffer.from(`${processLogin.username}:${processPassword}`).toString('base64')}`;

describe('journeys/full-disk', function () {
	this.timeout(90_000);
	const { start } = useServiceProcess();
	let disk: SmallDisk | undefined;
	before(
		skipUnless(() => {
			disk = makeSmallDisk(12);
			return disk !== undefined;
		}, 'mounting a small file system is not permitted here'),
	);
	after(() => disk?.remove());

	it('refuses writes and loses nothing while the disk is full, and goes on by itself when there is room', async () => {
		const settings = {
			ADMIN_PASSWORD: processPassword,
			STORE_MIN_FREE_BYTES: '1000000',
			// A device is let go soon, and comes back.
			MQTT_STORE_PATIENCE_SECONDS: '2',
			DATA_DIR: join(disk?.path ?? '', 'store'),
		};
		const service = await start(settings);
		const operator = operatorOf(service);
		const ledger = createLedger();
		const stream = createPackageStream({ serial: 'stream-1', login: processLogin, ledger });
		const operations = ledger.stream('operations');
		const ready = async () => (await fetch(`${service.http}/ready`)).status;

		const { client } = await stream.connect(service.mqtt);
		await eventually(
			'the device is known',
			() => operator.findId('stream-1'),
			(id) => id !== undefined,
		);
		const deviceId = await operator.idOf('stream-1');
		expect(await ready()).to.equal(200);
		await Promise.all([client.closed, createUntilRefused(service, deviceId, operations)]);
		const acknowledged = stream.countAcknowledged();
		expect(acknowledged).to.be.above(1000);
		expect(operations.countAcknowledged()).to.be.above(0);

		const refused = await postOperation(service, deviceId, operations);
		expect(refused.status).to.equal(503);
		expect(refused.headers.get('retry-after')).to.match(/^\d+$/);
		expect(await refused.text()).to.include('The database cannot do this now');
		expect(service.output.join('\n')).to.match(/the disk is full, or .*store\.db has reached its largest size/);
		await eventually('the service is not ready', ready, (status) => status === 503);
		expect((await fetch(`${service.http}/health`)).status).to.equal(200);
		expect((await operator.softwarePage(deviceId, 'pageSize=100')).softwareList).to.have.length(100);
		// A device that comes back meanwhile is cut off again; what still fits is taken.
		const again = await stream.connect(service.mqtt);
		if (again.isIn) await again.client.closed;
		const { sent, acknowledged: taken } = ledger.balance();
		expect(taken).to.be.below(sent);

		disk?.resize(100);
		await eventually('the service is ready', ready, (status) => status === 200);
		expect((await postOperation(service, deviceId, operations)).status).to.equal(201);
		const last = await stream.connect(service.mqtt);
		expect(last.isIn).to.equal(true);
		await eventually('the stream flows', stream.countAcknowledged, (count) => count > acknowledged + 1000);
		await stream.finish();
		expect(await service.end()).to.equal(0);

		const next = await start(settings);
		const later = operatorOf(next);
		await stream.noteStored(later);
		const path = `/devicecontrol/operations?deviceId=${deviceId}&pageSize=2000`;
		const found = await later.http.get<{ operations: { c8y_Restart: { number: number } }[] }>(path);
		for (const { c8y_Restart } of found.operations) operations.stored(c8y_Restart.number);
		const { lost, doubled, strangers } = ledger.balance();
		expect({ lost, doubled, strangers }).to.deep.equal({ lost: [], doubled: [], strangers: [] });
		expect(await next.end()).to.equal(0);
	});
});

/** Numbered, and noted when it is answered with 201. */
async function postOperation({ http }: ServiceProcess, deviceId: string, operations: LedgerStream): Promise<Response> {
	const number = operations.next();
	const answer = await fetch(`${http}/devicecontrol/operations`, {
		method: 'POST',
		headers: { authorization, 'content-type': 'application/json', accept: 'application/json' },
		body: JSON.stringify({ deviceId, c8y_Restart: { number } }),
	});
	if (answer.status === 201) operations.acknowledged(number);
	return answer;
}

async function createUntilRefused(service: ServiceProcess, deviceId: string, operations: LedgerStream): Promise<void> {
	for (;;) {
		const answer = await postOperation(service, deviceId, operations);
		await answer.text();
		if (answer.status === 503) return;
		expect(answer.status).to.equal(201);
	}
}
