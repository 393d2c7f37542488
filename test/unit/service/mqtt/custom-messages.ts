import { expect } from 'chai';
import type { ManagedObjectId } from '../../../../inventory/index.ts';
import { parseOperationId } from '../../../../operations/index.ts';
import type { IncomingPublish } from '../../../../service/mqtt/session.ts';
import { StoreError } from '../../../../store/index.ts';
import { tenant, useBench } from '../../inventory/inventory-bench.ts';
import { type FakeSession, idle, openGatewayBench } from '../gateway-bench.ts';

const lines = [
	'10,get,GET,INVENTORY,,true',
	'10,getX,GET,INVENTORY,,false',
	'10,put,PUT,INVENTORY,true,true,,c8y_My.value,NUMBER,',
	'10,post,POST,INVENTORY,true,,name,STRING,',
	'10,op,PUT,OPERATION,true,c8y_Op,status,OPERATIONSTATUS,,c8y_Result.n,NUMBER,',
	'10,getOp,GET,OPERATION,,c8y_Op',
	'10,ev,POST,EVENT,true,c8y_E,,',
	'11,obj,,owner,id,name,c8y_My.value',
	'11,opr,,deviceId,status,c8y_Op.text,c8y_Result.n',
	'11,eve,,text,text,source.id',
];

describe('service/mqtt/custom-messages', () => {
	const bench = useBench(openGatewayBench);
	const on = (topic: string, payload: string, more: Partial<IncomingPublish> = {}) => ({
		topic,
		payload: Buffer.from(payload),
		...more,
	});
	const got = (session: FakeSession, topic = 's/dc/coll') => bench().lines(session, topic);
	const errors = (session: FakeSession) => got(session, 's/e');
	const topics = ['s/e', 's/dt', 's/dc/coll', 's/dd'];
	const connect = (serial = 'dev1', more: { defaultCollection?: string } = {}) => bench().session(serial, { topics, ...more });
	const idOf = async (serial: string) => (await bench().object(serial)).id;

	async function registered(serial = 'dev1'): Promise<FakeSession> {
		const session = connect(serial);
		await bench().publish(session, on('s/us', '125'), on('s/ut/coll', lines.join('\n')));
		return session;
	}
	async function operation(deviceId: ManagedObjectId, text: string): Promise<string> {
		return (await bench().operations.create(tenant, { deviceId, fragments: { c8y_Op: { text } } })).id;
	}
	const statuses = async () =>
		(await bench().operations.list(tenant, {}, { skip: 0, limit: 20, revert: false })).map(({ status }) => status);

	it('registers a collection, and says whether there is one [SR-20] [SR-41]', async () => {
		const session = connect();
		await bench().publish(session, on('s/ut/coll', ''), on('s/ut/coll', lines.join('\n')), on('s/ut/coll', ''));
		const { managedObjectId } = await bench().inventory.externalIds.get(tenant, 'c8y_SmartRest2DeviceIdentifier', 'coll');
		expect(got(session, 's/dt')).to.deep.equal(['41,coll', `20,coll,${managedObjectId}`]);
		expect(errors(session)).to.deep.equal([]);
	});

	it('takes the same registration again, and refuses another one', async () => {
		const session = await registered();
		await bench().publish(session, on('s/ut/coll', lines.join('\n')), on('s/ut/coll', '11,1,,,a'));
		expect(errors(session)).to.have.length(1);
		expect(errors(session)[0]).to.match(/^41,11,.*cannot be changed/);
	});

	it('answers each bad line of a registration, and creates nothing', async () => {
		const session = connect();
		await bench().publish(session, on('s/ut/coll', '10,1,GET,INVENTORY,,true\n10,2,GET\n\n11,3,,'), on('s/ut/coll', ''));
		expect(errors(session).map((line) => line.replace(/:.*/, ''))).to.deep.equal([
			'40,10,line 2 position 4',
			'40,11,line 4 position 5',
		]);
		expect(got(session, 's/dt')).to.deep.equal(['41,coll']);
	});

	it('refuses a collection that is too large for the inventory', async () => {
		const session = connect();
		const long = Array.from({ length: 8 }, (_, index) => `11,${index},,,${'a'.repeat(300)}`).join('\n');
		await bench().publish(session, on('s/ut/coll', long), on('s/ut/x', 'x'.repeat(16_185)), {
			topic: 's/ut/x',
			payload: Buffer.from([0xff]),
		});
		expect(errors(session).map((line) => line.slice(0, 3))).to.deep.equal(['41,', '42,', '40,']);
	});

	it('answers with the device itself, by id and by external id', async () => {
		const session = await registered();
		const id = await idOf('dev1');
		await bench().publish(session, on('s/uc/coll', `get,${id}\ngetX,c8y_Serial,dev1`));
		expect(got(session)).to.deep.equal([`obj,${id},MQTT Device dev1,`, `obj,${id},MQTT Device dev1,`]);
	});

	it('changes the device and what is below it, and says what came of it', async () => {
		const session = await registered();
		await bench().publish(session, on('s/us', '101,kid,Kid'));
		const kid = await idOf('kid');
		await bench().publish(session, on('s/uc/coll/kid', `put,${kid},2.5`), on('t/uc/coll', `put,${await idOf('dev1')},1`));
		expect((await bench().object('kid')).fragments).to.deep.include({ c8y_My: { value: 2.5 } });
		expect(got(session)).to.deep.equal([`obj,${kid},Kid,2.5`, `obj,${await idOf('dev1')},MQTT Device dev1,1`]);
	});

	it('creates the device and a child with their first message', async () => {
		await registered();
		const session = connect('dev2');
		await bench().publish(session, on('s/uc/coll/dev2:kid', 'ev,hello'));
		expect(got(session)).to.deep.equal([`eve,hello,${await idOf('dev2:kid')}`]);
		expect((await bench().object('dev2')).name).to.equal('MQTT Device dev2');
	});

	// Each row: what is tried on the object of another device.
	for (const template of ['get', 'put'] as const) {
		it(`refuses ${template} of what is not of the device, by whichever user`, async () => {
			await registered();
			const other = await idOf('dev1');
			const { managedObjectId } = await bench().inventory.externalIds.get(tenant, 'c8y_SmartRest2DeviceIdentifier', 'coll');
			for (const role of ['device', 'admin'] as const) {
				const session = bench().session(`${role}2`, { role, topics });
				await bench().publish(session, on('s/uc/coll', `${template},${other},1\n${template},${managedObjectId},1`));
				expect(errors(session).map((line) => line.slice(0, 3 + template.length))).to.deep.equal([
					`41,${template}`,
					`41,${template}`,
				]);
				expect(got(session)).to.deep.equal([]);
			}
			expect((await bench().object('dev1')).fragments).not.to.have.property('c8y_My');
		});
	}

	it('does not let a device change the collection that it has registered', async () => {
		const session = await registered();
		const { managedObjectId } = await bench().inventory.externalIds.get(tenant, 'c8y_SmartRest2DeviceIdentifier', 'coll');
		await bench().publish(session, on('s/uc/coll', `put,${managedObjectId},1`));
		expect(errors(session)).to.deep.equal(['41,put,a template collection cannot be changed over MQTT']);
	});

	it('creates objects with and without an external id, and lets a device go on with them', async () => {
		const session = await registered();
		await bench().publish(session, on('s/uc/coll', 'post,imei1,c8y_Imei,Meter\npost,,,Nameless'));
		const { managedObjectId } = await bench().inventory.externalIds.get(tenant, 'c8y_Imei', 'imei1');
		await bench().publish(session, on('s/uc/coll', `put,${managedObjectId},3`));
		expect(got(session).map((line) => line.split(',').slice(2).join())).to.deep.equal(['Meter,', 'Nameless,', 'Meter,3']);
		expect(errors(session)).to.deep.equal([]);
	});

	it('creates an object once, though the publish is sent again', async () => {
		const session = await registered();
		const payload = 'post,imei1,c8y_Imei,Meter';
		await bench().publish(
			session,
			on('s/uc/coll', payload),
			on('s/uc/coll', payload, { redelivered: true }),
			on('s/uc/coll', payload),
		);
		expect(new Set(got(session)).size).to.equal(1);
		expect(got(session)).to.have.length(2);
		expect(errors(session)).to.deep.equal(["41,post,The external id 'c8y_Imei/imei1' is taken"]);
	});

	it('does not let a device take the serial of another registered device', async () => {
		const session = await registered();
		await bench().access.registration.request(tenant, 'victim');
		await bench().access.registration.poll('victim');
		await bench().access.registration.accept(tenant, 'victim');
		await bench().access.registration.poll('victim');
		await bench().publish(session, on('s/uc/coll', 'post,victim,c8y_Serial,Double\npost,free,c8y_Serial,Mine'));
		expect(errors(session)).to.deep.equal(["41,post,'victim' is the serial of another device"]);
		expect((await bench().object('free')).owner).to.equal('device_dev1');
	});

	it('moves the oldest EXECUTING operation, else the oldest PENDING one, by the one table', async () => {
		const session = await registered();
		const id = await idOf('dev1');
		for (const text of ['one', 'two']) await operation(id, text);
		await bench().publish(
			session,
			on('s/uc/coll', 'getOp\nop,EXECUTING,1\nop,SUCCESSFUL,2\nop,PENDING,0\nop,FAILED,3\nop,FAILED,4'),
		);
		const mine = got(session).filter((line) => line.startsWith('opr,PENDING') || !line.includes('dev1'));
		expect(mine).to.deep.equal([
			'opr,PENDING,one,',
			'opr,EXECUTING,one,1',
			'opr,SUCCESSFUL,one,2',
			'opr,PENDING,two,0',
			'opr,FAILED,two,3',
		]);
		expect(errors(session)).to.deep.equal(['41,op,no EXECUTING or PENDING operation with c8y_Op']);
		expect(await statuses()).to.deep.equal(['SUCCESSFUL', 'FAILED']);
	});

	it('refuses a status that may not follow', async () => {
		const session = await registered();
		await operation(await idOf('dev1'), 'one');
		await bench().publish(session, on('s/uc/coll', 'op,EXECUTING,1\nop,PENDING,1'));
		expect(errors(session)).to.have.length(1);
		expect(errors(session)[0]).to.include('is EXECUTING and cannot become PENDING');
	});

	it('moves one operation only, though the publish is sent again', async () => {
		const session = await registered();
		for (const text of ['one', 'two']) await operation(await idOf('dev1'), text);
		const report = on('s/uc/coll', 'op,SUCCESSFUL,1', { messageId: 77 });
		await bench().publish(session, report, { ...report, redelivered: true });
		expect(await statuses()).to.deep.equal(['SUCCESSFUL', 'PENDING']);
		expect(errors(session)).to.deep.equal([]);
	});

	it('moves no operation of another device', async () => {
		await registered();
		await operation(await idOf('dev1'), 'one');
		const session = connect('dev2');
		await bench().publish(session, on('s/uc/coll', 'op,SUCCESSFUL,1\ngetOp'));
		expect(errors(session).map((line) => line.slice(0, 5))).to.deep.equal(['41,op', '41,ge']);
		expect(await statuses()).to.deep.equal(['PENDING']);
	});

	it('uses the default collection of the connection on s/ud and s/dd', async () => {
		await registered();
		const session = connect('dev2', { defaultCollection: 'coll' });
		await bench().publish(session, on('s/ud', 'ev,hello'), on('q/ud/dev2:kid', 'ev,again'));
		expect(got(session, 's/dd').map((line) => line.slice(0, 9))).to.deep.equal(['eve,hello', 'eve,again']);
		expect(got(session)).to.deep.equal([]);
	});

	for (const wildcard of ['s/dc/#', 's/dc/+']) {
		it(`answers a device that listens to ${wildcard}, and sends it no operations`, async () => {
			await registered();
			const session = bench().session('dev2', { topics: [wildcard] });
			bench().gateway.outbound.subscribed(session, wildcard, 1);
			await bench().publish(session, on('s/uc/coll', 'ev,hello'));
			await operation(await idOf('dev2'), 'one');
			await idle(bench());
			expect(got(session)).to.have.length(1);
		});
	}

	it('sends operations in order by the templates that fit, and leaves others undelivered', async () => {
		const session = await registered();
		const id = await idOf('dev1');
		const first = await operation(id, 'one');
		bench().gateway.outbound.subscribed(session, 's/dc/coll', 1);
		await session.received(1);
		await operation(id, 'two, three');
		await session.received(2);
		expect(got(session)).to.deep.equal(['opr,dev1,PENDING,one,', 'opr,dev1,PENDING,"two, three",']);
		await bench().publish(session, on('s/ut/other', '11,1,,c8y_None,a'));
		bench().gateway.outbound.subscribed(session, 's/dc/other', 1);
		bench().gateway.outbound.resend(session, 's/dc/coll');
		await session.received(4);
		await idle(bench());
		expect(got(session).slice(2)).to.deep.equal(got(session).slice(0, 2));
		expect(got(session, 's/dc/other')).to.deep.equal([]);
		bench().gateway.outbound.close();
		await idle(bench());
		const { delivery } = await bench().operations.get(tenant, parseOperationId(first));
		expect(delivery.status).to.equal('DELIVERED');
	});

	it('sends what was pending as soon as the device has registered the collection', async () => {
		const session = connect('dev1', { defaultCollection: 'coll' });
		await bench().publish(session, on('s/us', '125'));
		await operation(await idOf('dev1'), 'early');
		for (const topic of ['s/dc/coll', 's/dd']) bench().gateway.outbound.subscribed(session, topic, 1);
		await idle(bench());
		expect(session.sent).to.deep.equal([]);
		await bench().publish(session, on('s/ut/coll', lines.join('\n')));
		await session.received(2);
		for (const topic of ['s/dc/coll', 's/dd']) expect(got(session, topic)).to.deep.equal(['opr,dev1,PENDING,early,']);
	});

	it('sends no operation that does not fit into a message', async () => {
		const session = await registered();
		await bench().publish(session, on('s/ut/deep', '11,1,,,..none'));
		const c8y_Op = { list: Array.from({ length: 600 }, () => ({})) };
		await bench().operations.create(tenant, { deviceId: await idOf('dev1'), fragments: { c8y_Op } });
		bench().gateway.outbound.subscribed(session, 's/dc/deep', 1);
		await idle(bench());
		expect(got(session, 's/dc/deep')).to.deep.equal([]);
		expect(session.cutOff).to.deep.equal([]);
	});

	it('does the good lines beside the bad ones, and counts the answers', async () => {
		const session = await registered();
		await bench().publish(session, on('s/uc/coll', `ev,a\nev\nnone\nev,b\n${'none\n'.repeat(30)}`));
		expect(got(session).map((line) => line.slice(0, 5))).to.deep.equal(['eve,a', 'eve,b']);
		expect(
			errors(session)
				.slice(0, 2)
				.map((line) => line.slice(0, 7)),
		).to.deep.equal(['40,ev,l', '50,none']);
		expect(errors(session)).to.have.length(21);
	});

	it('creates the device anew when it was deleted while it was connected', async () => {
		const session = await registered();
		const id = await idOf('dev1');
		await bench().inventory.objects.remove(tenant, id, []);
		await bench().publish(session, on('s/uc/coll', `put,${id},1`), on('s/uc/coll', 'ev,hello'));
		expect(errors(session)).to.have.length(1);
		expect(got(session)).to.deep.equal([`eve,hello,${await idOf('dev1')}`]);
		expect(await idOf('dev1')).not.to.equal(id);
	});

	it('fails the turn when the store cannot write, so that nothing is acknowledged', async () => {
		const session = await registered();
		const id = await idOf('dev1');
		bench().store.beforeBatch = () => {
			throw new StoreError('disk full');
		};
		for (const publish of [on('s/uc/coll', `put,${id},1`), on('s/ut/other', '11,1,,,a')]) {
			const failure = await bench()
				.publish(session, publish)
				.catch((error: unknown) => error);
			expect(failure).to.be.instanceOf(StoreError);
		}
	});

	it('lets a connection listen to so many collections', () => {
		const session = bench().session('dev1', { topics: ['s/ds', 's/dc/a', 's/dc/b'] });
		const { mayListen } = bench().gateway;
		expect(mayListen(session, 's/dc/c')).to.equal(true);
		session.subscriptions.set('s/dc/c', 1);
		expect([mayListen(session, 's/dc/d'), mayListen(session, 's/dc/c'), mayListen(session, 's/dd')]).to.deep.equal([
			false,
			true,
			true,
		]);
	});
});
