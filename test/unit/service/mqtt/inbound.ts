import { expect } from 'chai';
import type { IncomingPublish } from '../../../../service/mqtt/session.ts';
import { StoreError } from '../../../../store/index.ts';
import { expectRefusal, tenant, useBench } from '../../inventory/inventory-bench.ts';
import { type FakeSession, openGatewayBench } from '../gateway-bench.ts';

describe('service/mqtt/inbound', () => {
	const bench = useBench(openGatewayBench);
	const lines = (session: FakeSession, topic: string) => bench().lines(session, topic);
	const own = (serial = 'dev1') => bench().object(serial);
	const packages = async (serial = 'dev1') => {
		const found = await bench().inventory.software.list(tenant, (await own(serial)).id, {}, { skip: 0, limit: 50 });
		return found.map(({ name, version }) => `${name} ${version}`);
	};
	const on = (topic: string, payload: string, more: Partial<IncomingPublish> = {}) => ({
		topic,
		payload: Buffer.from(payload),
		...more,
	});

	it('creates the device with its first message, whatever it is', async () => {
		const session = bench().session();
		await bench().publish(session, '114,c8y_Restart');
		const object = await own();
		expect(object).to.include({ name: 'MQTT Device dev1', type: 'c8y_MQTTDevice', owner: 'device_dev1', id: session.device });
		expect(object.fragments).to.include.keys('c8y_IsDevice', 'com_cumulocity_model_Agent', 'c8y_SupportedOperations');
	});

	it('takes name and type of a 100 that comes first, and answers 41 to a later one', async () => {
		const session = bench().session();
		await bench().publish(session, '100,My name,my_type');
		expect(lines(session, 's/e')).to.deep.equal([]);
		await bench().publish(session, '100,Other,other');
		expect(await own()).to.include({ name: 'My name', type: 'my_type' });
		expect(lines(session, 's/e')).to.deep.equal(['41,100,Device already existing']);
	});

	it('does the good lines beside the bad ones, and answers each bad one', async () => {
		const session = bench().session();
		await bench().publish(session, '141,a,1,,\n141,,2\n999,x\n141,b,1,,\n502\n142,a,1', '141,c,"open\n141,d,1');
		expect(await packages()).to.deep.equal(['b 1', 'd 1']);
		expect(lines(session, 's/e').map((line) => line.split(',').slice(0, 2).join())).to.deep.equal([
			'40,141',
			'50,999',
			'40,502',
			'40,141',
		]);
	});

	// Each row: the payloads of one turn, and the packages that are there afterwards.
	const orders: [title: string, payloads: string[], left: string[]][] = [
		['an append before a removal', ['141,a,1', '142,a,1'], []],
		['a removal before an append', ['141,a,1', '142,a,1', '141,a,1'], ['a 1']],
		['a set between appends', ['141,a,1', '140,b,1,,', '141,c,1'], ['b 1', 'c 1']],
		['a set in one publish with appends', ['141,a,1\n140,b,1,,\n141,c,1\n142,b,1'], ['c 1']],
		['other lines between appends', ['141,a,1\n125\n141,b,1\n114,c8y_Restart\n142,a,1'], ['b 1']],
		['an empty set at the end', ['141,a,1', '140,,,,'], []],
		['a legacy list between', ['141,a,1', '116,b,1,u', '141,c,1'], ['b 1', 'c 1']],
		[
			'a long run of appends',
			[Array.from({ length: 12 }, (_, i) => `141,p${String(i).padStart(2, '0')},1`).join('\n')],
			Array.from({ length: 12 }, (_, i) => `p${String(i).padStart(2, '0')} 1`),
		],
	];
	for (const [title, payloads, left] of orders) {
		it(`keeps the order of ${title}, for a new device and a known one`, async () => {
			const session = bench().session();
			await bench().publish(session, ...payloads);
			expect(await packages()).to.deep.equal(left);
			await bench().publish(session, '140', ...payloads);
			expect(await packages()).to.deep.equal(left);
			expect(lines(session, 's/e')).to.deep.equal([]);
		});
	}

	it('keeps children apart in a turn', async () => {
		const session = bench().session();
		await bench().publish(session, '141,own,1', on('s/us/kid', '141,a,1'), '141,own2,1', on('s/us/kid', '141,b,1\n142,a,1'));
		expect(await packages()).to.deep.equal(['own 1', 'own2 1']);
		expect(await packages('kid')).to.deep.equal(['b 1']);
		expect(await own('kid')).to.include({ type: 'c8y_MQTTChildDevice' });
	});

	it('writes the packages of a turn in one batch', async () => {
		const session = bench().session();
		await bench().publish(session, '140,x,1,,');
		let batches = 0;
		bench().store.beforeBatch = () => void batches++;
		await bench().publish(session, '141,a,1', '141,b,1\n142,x,1', '141,c,1');
		expect(batches).to.equal(1);
		expect(await packages()).to.deep.equal(['a 1', 'b 1', 'c 1']);
	});

	it('changes nothing when the same turn is sent again', async () => {
		const session = bench().session();
		const turn = ['140,a,1,,\n114,c8y_SoftwareUpdate', '141,b,2,apt,u\n142,a,1'];
		await bench().publish(session, ...turn);
		const before = await packages();
		await bench().publish(session, ...turn.map((line) => on('s/us', line, { redelivered: true })));
		expect(await packages()).to.deep.equal(before);
	});

	for (const failing of [1, 2, 3]) {
		it(`fails the turn when write ${failing} fails, and does all of it when it is sent again`, async () => {
			const session = bench().session();
			await bench().publish(session, '140,old,1,,');
			const turn = ['141,a,1\n114,c8y_Restart', '142,old,1', '113,config\n141,b,1'];
			let batches = 0;
			bench().store.beforeBatch = () => {
				batches++;
				if (batches === failing) throw new StoreError('disk full');
			};
			await expectRefusal(bench().publish(session, ...turn), 'StoreError', 'disk full');
			expect(lines(session, 's/e')).to.deep.equal([]);
			await bench().publish(session, ...turn);
			expect(await packages()).to.deep.equal(['a 1', 'b 1']);
			expect((await own()).fragments).to.include.keys('c8y_SupportedOperations', 'c8y_Configuration');
		});
	}

	for (const [title, ...next] of [
		['141', '141,a,1'],
		['141 and 142', '141,a,1', '142,a,1\n141,a,1'],
		['140', '140,a,1,,'],
		['a fragment', '113,c\n141,a,1'],
		['JSON', on('inventory/managedObjects/update', '{"x":1}'), '141,a,1'],
	] as [string, ...(string | ReturnType<typeof on>)[]][]) {
		it(`creates a device anew that was deleted meanwhile, with ${title}`, async () => {
			const session = bench().session();
			await bench().publish(session, '100,Old,old\n141,old,1');
			const old = await own();
			await bench().inventory.objects.remove(tenant, old.id, []);
			await bench().publish(session, ...next);
			expect((await own()).id).to.not.equal(old.id);
			expect(await packages()).to.deep.equal(['a 1']);
			expect(session.device).to.equal((await own()).id);
			expect(lines(session, 's/e')).to.deep.equal([]);
			expect(lines(session, 'error')).to.deep.equal([]);
		});
	}

	for (const again of ['101,kid,Kid', '102,kid,service,Kid,up']) {
		it(`creates a child anew that was deleted meanwhile, with ${again.slice(0, 3)}`, async () => {
			const session = bench().session();
			await bench().publish(session, again, on('s/us/kid', '141,a,1'));
			const old = await own('kid');
			await bench().inventory.objects.remove(tenant, old.id, []);
			await bench().publish(session, again);
			const fresh = await own('kid');
			expect(fresh.id).to.not.equal(old.id);
			expect(fresh.name).to.equal('Kid');
		});
	}

	it('refuses to speak for what is not below the device', async () => {
		await bench().publish(bench().session('dev2'), '100');
		const session = bench().session();
		await bench().publish(
			session,
			on('s/us/dev2', '141,a,1'),
			on('inventory/managedObjects/update/dev2', '{"a":1}'),
			'102,dev2,service,n,up',
		);
		expect(await packages('dev2')).to.deep.equal([]);
		expect((await own('dev2')).fragments).to.not.have.property('a');
		expect(lines(session, 's/e').map((line) => line.slice(0, 6))).to.deep.equal(['41,141', '41,102']);
		expect(lines(session, 'error')).to.have.length(1);
	});

	// Each row: topic and payload that are refused, the topic of the answer and a word of it.
	const refused: [topic: string, payload: string, answer: string, word: string][] = [
		['s/us', 'x'.repeat(16_185), 's/e', '42,'],
		['s/ds', '100', 's/e', '50,'],
		['unknown', '100', 's/e', 'unknown'],
		['s/uc/x', '1,2', 's/e', "41,1,there is no template collection 'x'"],
		['s/ud', '1,2', 's/e', '41,1,the client id names no default template collection'],
		['s/uc/x', 'x'.repeat(16_185), 's/e', '42,'],
		['s/ucr', '', 's/e', '50,'],
		['inventory/managedObjects/update', '{', 'error', 'not JSON'],
		['inventory/managedObjects/update', '[]', 'error', 'JSON object'],
		['inventory/managedObjects/update', '{"a.b":1}', 'error', 'a.b'],
		['inventory/managedObjects/update', '{"a":[1e999]}', 'error', "at 'a[0]' a number that is too large"],
		['inventory/managedObjects/update', '{"c8y_SoftwareList":[{"name":"\\ud800"}]}', 'error', 'half of a character'],
		['inventory/managedObjects/update/unknown', '{}', 'error', 'unknown'],
		['event/events/create', '{', 'error', 'not JSON'],
	];
	for (const [topic, payload, answer, word] of refused) {
		it(`answers ${payload.slice(0, 40)} on ${topic} on ${answer}, and goes on`, async () => {
			const session = bench().session();
			await bench().publish(session, on(topic, payload), '141,a,1');
			expect(lines(session, answer)).to.have.length(1);
			expect(lines(session, answer)[0]).to.include(word);
			expect(await packages()).to.deep.equal(['a 1']);
		});
	}

	it('survives JSON that is nested as deep as a payload allows', async () => {
		const session = bench().session();
		const deep = `{"a":${'['.repeat(8000)}${']'.repeat(8000)}}`;
		await bench().publish(session, on('inventory/managedObjects/update', deep), '141,a,1');
		expect(await packages()).to.deep.equal(['a 1']);
		expect(lines(session, 'error')[0]).to.include('nested too deep');
	});

	it('answers 41 to a 100 whose name is too long, and creates the device with what comes next', async () => {
		const session = bench().session();
		await bench().publish(session, `100,${'n'.repeat(1025)},t`);
		expect(lines(session, 's/e')).to.have.length(1);
		expect(lines(session, 's/e')[0]).to.match(/^41,100,name has 1025 characters/);
		await bench().publish(session, '125');
		expect(await own()).to.include({ name: 'MQTT Device dev1' });
	});

	it('answers twenty bad lines of a payload, and counts the rest in one more, for each payload', async () => {
		const session = bench().session();
		const bad = Array.from({ length: 50 }, () => '999').join('\n');
		await bench().publish(session, `${bad}\n110,good`, '998', bad);
		const answers = lines(session, 's/e');
		expect(answers.filter((line) => line.startsWith('50,999'))).to.have.length(40);
		expect(answers.filter((line) => line.startsWith('50,998'))).to.have.length(1);
		expect(answers.filter((line) => line.includes('30 more lines'))).to.have.length(2);
		expect(answers).to.have.length(43);
		expect((await own()).fragments.c8y_Hardware).to.deep.equal({ serialNumber: 'good' });
	});

	it('bounds the answers to packages that the store refuses, too', async () => {
		const session = bench().session();
		const refused = Array.from({ length: 40 }, (_, index) => `141,p${index},${'1'.repeat(51)}`).join('\n');
		await bench().publish(session, '100', `${refused}\n141,good,1`);
		expect(lines(session, 's/e')).to.have.length(21);
		expect(await packages()).to.deep.equal(['good 1']);
	});

	it('reads so many lines of a publish, and answers all the others with one line', async () => {
		const session = bench().session();
		const many = `${'125\n'.repeat(1999)}110,last`;
		await bench().publish(session, many);
		expect(lines(session, 's/e')).to.deep.equal([]);
		await bench().publish(session, `${many}\n115,unread,1\n115,unread,2`);
		expect(lines(session, 's/e')).to.have.length(1);
		expect(lines(session, 's/e')[0]).to.match(/^42,,line 2001 .*more than 2000 lines/);
		const { fragments } = await own();
		expect(fragments.c8y_Hardware).to.deep.equal({ serialNumber: 'last' });
		expect(fragments).to.not.have.property('c8y_Firmware');
	});

	const longItems = Array.from({ length: 900 }, (_, index) => `package-of-mine-${index},1.0.0,apt,`).join(',');
	for (const id of ['140', '141', '116', '142', ' \r\n140']) {
		it(`takes a payload that begins with '${id.trim()}' and is larger than others may be`, async () => {
			const session = bench().session();
			const payload = `${id},${id === '142' ? longItems.replaceAll(',apt,', '') : id === '116' ? longItems.replaceAll(',apt,', ',') : longItems}`;
			expect(payload.length).to.be.within(16_185, 40_000);
			await bench().publish(session, payload);
			expect(lines(session, 's/e')).to.deep.equal([]);
		});
	}

	it('keeps a list whole whose first part is larger than other payloads may be', async () => {
		const session = bench().session();
		await bench().publish(session, '140,old,1', `140,${longItems}`, '141,last,1');
		const { id } = await own();
		const read = { skip: 0, limit: 1000 };
		expect(await bench().inventory.software.list(tenant, id, {}, read)).to.have.length(901);
	});

	for (const [title, payload] of [
		['another template', `113,${longItems.replaceAll(',', ' ')}`],
		['a template whose id only begins like that of a list', `1400,${longItems}`],
		['a list that comes second', `125\n140,${longItems}`],
		['a list beyond its own limit', `140,${longItems},${longItems}`],
	] as const) {
		it(`refuses a large payload with ${title}, and stores nothing of it`, async () => {
			const session = bench().session();
			await bench().publish(session, '140,old,1', payload);
			expect(lines(session, 's/e')).to.have.length(1);
			expect(lines(session, 's/e')[0]).to.match(/^42,/);
			expect(await packages()).to.deep.equal(['old 1']);
			expect((await own()).fragments).to.not.have.property('c8y_Configuration');
		});
	}

	it('refuses bytes that are no text, and stores nothing of them', async () => {
		const session = bench().session();
		await bench().publish(session, '140,old,1', {
			payload: Buffer.from([...Buffer.from('140,a'), 0xff, 0xfe, ...Buffer.from(',1')]),
		});
		expect(lines(session, 's/e')).to.deep.equal(['40,140,line 1 position 1: the payload is not text in UTF-8']);
		expect(await packages()).to.deep.equal(['old 1']);
	});

	it('keeps the credentials of a device that asks before it listens', async () => {
		const deaf = bench().session('dev9', { role: 'bootstrap', topics: ['s/e'] });
		const listening = bench().session('dev9', { role: 'bootstrap' });
		const { registration } = bench().access;
		await registration.request(tenant, 'dev9');
		await bench().publish(listening, on('s/ucr', ''));
		await registration.accept(tenant, 'dev9');
		await bench().publish(deaf, on('s/ucr', ''), on('s/ucr', ''));
		await bench().publish(listening, on('s/ucr', ''));
		expect(lines(listening, 's/dcr')).to.have.length(1);
		expect(deaf.sent).to.deep.equal([]);
	});

	for (const [title, sent] of [
		['101', on('s/us', '101,dev2,fake,t,true')],
		['102', on('s/us', '102,dev2,service,fake,up')],
		['a message as it', on('s/us/dev2', '125')],
		['a 100 as it', on('s/us/dev2', '100,fake,t')],
		['packages as it', on('s/us/dev2', '141,a,1\n140,a,1')],
	] as const) {
		it(`does not let a device take the serial of a registered one with ${title}`, async () => {
			await bench().access.users.set(tenant, 'device_dev2', 'password', 'device');
			const thief = bench().session('dev1');
			await bench().publish(thief, sent, '101,kid', on('s/us/kid2', '125'));
			const count = sent.payload.toString().split('\n').length;
			expect(lines(thief, 's/e')).to.have.length(count);
			for (const answer of lines(thief, 's/e')) expect(answer).to.match(/^41,\d+,'dev2' is the serial of another device$/);
			expect(await bench().inventory.devices.find(tenant, 'dev2')).to.equal(undefined);
			await Promise.all([own('kid'), own('kid2')]);
			const owner = bench().session('dev2');
			await bench().publish(owner, '100,Right,t');
			expect(lines(owner, 's/e')).to.deep.equal([]);
			expect(await own('dev2')).to.include({ name: 'Right', owner: 'device_dev2' });
		});
	}

	it('does not make a removed device anew for what it had sent before its connection ended', async () => {
		await bench().access.users.set(tenant, 'device_dev1', 'password', 'device');
		const session = bench().session('dev1');
		await bench().publish(session, '100,first,t', '101,kid');
		await bench().access.deviceRemoval.remove(tenant, 'dev1', { isAgent: true, withUser: true });
		for (const serial of ['kid', 'dev1']) await bench().inventory.objects.remove(tenant, (await own(serial)).id, []);
		const { length } = lines(session, 's/e');
		await bench().publish(session, '141,a,1', '100,again,t', '101,kid', on('s/us/kid', '125'));
		expect(lines(session, 's/e').slice(length)).to.have.length(4);
		for (const answer of lines(session, 's/e').slice(length)) expect(answer).to.contain("'dev1' was removed");
		for (const serial of ['kid', 'dev1']) expect(await bench().inventory.devices.find(tenant, serial)).to.equal(undefined);
	});

	it('lets a user who is no device create what is registered', async () => {
		await bench().access.users.set(tenant, 'device_dev2', 'password', 'device');
		const admin = bench().session('dev1', { role: 'admin' });
		await bench().publish(admin, on('s/us/dev2', '125'));
		expect(lines(admin, 's/e')).to.deep.equal([]);
		await own('dev2');
	});

	it('answers questions on their topics', async () => {
		const session = bench().session();
		await bench().publish(session, '101,kid', '105\n123\n600\n602', on('s/uat', ''), on('s/ut/coll', ''));
		const answers = lines(session, 's/ds');
		expect(answers.slice(0, 3)).to.deep.equal(['106,kid', `124,${session.device}`, '601,1.2.3']);
		expect(answers[3]).to.match(/^603,100,101,/);
		expect(lines(session, 's/dat')[0]).to.match(/^71,[\w-]+\.[\w-]+\.[\w-]+$/);
		expect(lines(session, 's/dt')).to.deep.equal(['41,coll']);
	});

	it('moves operations on, and says when there is nothing to move', async () => {
		const session = bench().session();
		await bench().publish(session, '100');
		const made = await bench().operation((await own()).id);
		await bench().publish(session, '502,c8y_SoftwareList,x\n501,c8y_Restart\n503,c8y_Restart', '503,c8y_Restart');
		expect((await bench().operations.get(tenant, made.id)).status).to.equal('SUCCESSFUL');
		await bench().publish(session, `505,${made.id},late`, `504,nonsense`);
		expect(lines(session, 's/e').map((line) => line.slice(0, 6))).to.deep.equal(['41,502', '41,503', '41,505', '41,504']);
		expect((await bench().operations.get(tenant, made.id)).status).to.equal('SUCCESSFUL');
	});

	it('takes a report sent again for the same one, and does not complain', async () => {
		const session = bench().session();
		await bench().publish(session, '100');
		const device = (await own()).id;
		await bench().operation(device);
		const second = await bench().operation(device);
		await bench().publish(session, on('s/us', '501,c8y_Restart', { messageId: 7 }));
		await bench().publish(session, on('s/us', '501,c8y_Restart', { messageId: 7, redelivered: true }));
		expect((await bench().operations.get(tenant, second.id)).status).to.equal('PENDING');
		expect(lines(session, 's/e')).to.deep.equal([]);
	});

	it('gives the bootstrap user nothing but credentials', async () => {
		const session = bench().session('dev9', { role: 'bootstrap' });
		const { registration } = bench().access;
		await registration.request(tenant, 'dev9');
		await bench().publish(session, on('s/ucr', ''), '100', on('s/uat', ''), on('inventory/managedObjects/update', '{}'));
		expect(await bench().inventory.devices.find(tenant, 'dev9')).to.equal(undefined);
		expect(lines(session, 's/e')).to.have.length(3);
		await registration.accept(tenant, 'dev9');
		await bench().publish(session, on('s/ucr', ''), on('s/ucr', ''));
		expect(lines(session, 's/dcr')).to.have.length(1);
		expect(lines(session, 's/dcr')[0]).to.match(/^70,t1,device_dev9,\w{24}$/);
	});

	it('sends nothing to a session that does not listen or is closed', async () => {
		const deaf = bench().session('dev1', { topics: [] });
		await bench().publish(deaf, '999', '105');
		const closed = bench().session('dev2');
		closed.closed = true;
		await bench().publish(closed, '999', '141,a,1');
		expect([...deaf.sent, ...closed.sent]).to.deep.equal([]);
		expect(await packages('dev2')).to.deep.equal(['a 1']);
	});
});
