import { expect } from 'chai';
import { generate } from 'mqtt-packet';
import { eventually } from '../support/eventually.ts';
import type { FakeDevice } from '../support/fake-device.ts';
import { hostileBodies, hostileKeys, hostileTexts, hostileValues } from '../support/injection/hostile-texts.ts';
import { expectUnharmed, type InjectionFixture, openInjectionFixture } from '../support/injection/injection-fixture.ts';

describe('journeys/injection-mqtt', function () {
	this.timeout(60_000);
	let fixture: InjectionFixture;
	let device: FakeDevice;
	before(async () => {
		fixture = await openInjectionFixture();
		device = await fixture.service.connect('serial-1');
		await device.send('500');
		// What is pending is delivered, and that is noted, before anything hostile is sent.
		const { operator } = fixture.service;
		await eventually(
			'the operation is delivered',
			() => operator.operation(fixture.ids.operation),
			({ delivery }) => delivery.status === 'DELIVERED',
		);
		await quiet();
	});
	afterEach(() => expectUnharmed(fixture));
	after(() => fixture.close());

	/** Waits until everything that was sent is handled, and tells what was written and answered. */
	async function quiet(): Promise<{ readonly writes: readonly string[]; readonly errors: readonly string[] }> {
		const errors = (await Promise.all([take('s/e'), take('error')])).flat();
		return { writes: fixture.recorded.takeWrites(), errors };
	}

	async function take(topic: string): Promise<string[]> {
		const untaken = await device.untaken(topic);
		const taken: string[] = [];
		for (const _ of untaken) taken.push(await device.nextLine(topic));
		return taken;
	}

	async function publish(topic: string, payload: string | Buffer): Promise<void> {
		await device.client.publishAsync(topic, payload, { qos: 1 });
	}

	const longField = 'x'.repeat(15_000);
	const lines: readonly (readonly [what: string, payload: string | Buffer, answer: RegExp])[] = [
		['bytes that are no UTF-8', Buffer.from([...Buffer.from('140,a'), 0xff, 0xc0, 0xaf]), /^4\d,140,.*UTF-8/],
		['a lone surrogate', Buffer.from([...Buffer.from('141,a'), 0xed, 0xa0, 0x80]), /^4\d,141,.*UTF-8/],
		['a NUL in a name', '141,a\u0000b,1,apt,', /^4\d,141,.*control character/],
		['a quote that is never closed', '140,"a,1,apt,', /^4\d,140,.*not closed/],
		['a field of 15 KB', `141,${longField},1,apt,`, /^4\d,141,/],
		['a payload of 1 MB', `113,${'x'.repeat(1_000_000)}`, /^4\d,113,.*bytes/],
		['100,000 fields', `114,${'a,'.repeat(100_000)}`, /^4\d,114,/],
		['an id of a template that every object has', 'constructor,a', /^50,constructor/],
		['a prototype for an id', '__proto__,a', /^50,__proto__/],
		['an operation of no name that can be', '501,__proto__', /^4\d,501,/],
		['coordinates that are too large', '112,1e999,1,1', /^4\d,112,/],
		['minutes that are too many', '117,99999999999999999999', /^4\d,117,/],
	];
	for (const [what, payload, answer] of lines) {
		it(`answers a line with ${what} on s/e, and stores nothing`, async () => {
			await publish('s/us', payload);
			const { writes, errors } = await quiet();
			expect(errors.join('\n')).to.match(answer);
			expect(errors.join('')).not.to.match(/[\p{Cc}\p{Bidi_Control}]/u);
			expect(writes).to.deep.equal([]);
		});
	}

	it('keeps the names of packages as they are, whatever they mean elsewhere', async () => {
		const names = [
			'__proto__',
			'constructor',
			'$where',
			'a.b',
			'=cmd|calc',
			'@SUM(1)',
			"' OR 1=1 --",
			'../../etc',
			'\u202ea',
			'<b>',
		];
		await publish('s/us', `140,${names.map((name) => `${name},1,apt,`).join(',')}`);
		const stored = await fixture.service.operator.namesOf('serial-1');
		expect(stored).to.have.members(names.map((name) => `${name} 1`));
		await publish('s/us', '140,a,1,apt,');
		expect((await quiet()).errors).to.deep.equal([]);
	});

	const bodies = [
		...hostileBodies.map(({ name, body }) => ({ name, body })),
		...hostileKeys.map(({ name, json }) => ({ name: `a field of the name of ${name}`, body: `{${json}:{"polluted":true}}` })),
		...hostileValues.map(({ name, json }) => ({ name: `a fragment of ${name}`, body: `{"x_Fragment":${json}}` })),
		...hostileTexts.flatMap(({ name, json }) => (json ? [{ name: `a name of ${name}`, body: `{"name":${json}}` }] : [])),
	];
	it('refuses JSON that cannot be stored on error, and keeps all else as it is', async () => {
		const faults: string[] = [];
		for (const { name, body } of bodies) {
			await publish('inventory/managedObjects/update/serial-1', body);
			const { writes, errors } = await quiet();
			if (errors.length + (writes.length > 0 ? 1 : 0) > 1) faults.push(`${name}: ${errors.join()} ${writes[0]?.slice(0, 200)}`);
			if (errors.length > 0) {
				if (!/name|x_Fragment|line \d|payload|managed object/i.test(errors.join()))
					faults.push(`${name}: unclear ${errors.join()}`);
				continue;
			}
			const object = await fixture.service.operator.objectOf('serial-1');
			const sent: object = JSON.parse(String(body));
			// Numbers are doubles.
			for (const [field, value] of Object.entries(sent))
				if (JSON.stringify(object[field]) !== JSON.stringify(value))
					faults.push(`${name}: ${JSON.stringify(object[field])?.slice(0, 200)}`);
		}
		expect(faults.join('\n')).to.equal('');
	});

	const topics = [
		's/us/__proto__',
		's/us/a/b',
		's/uc/__proto__',
		's/ut/constructor',
		's/ud/$where',
		'inventory/managedObjects/update/../x',
		'inventory/managedObjects/update/__proto__',
		's/us/../../x',
		'$SYS/a',
		'x'.repeat(5000),
		't2/s/us',
		'\u202es/us',
		'a\u0001b',
	];
	it('stores nothing by topics that lead nowhere', async () => {
		for (const topic of topics) {
			const isChild = /^s\/us\/__proto__$/.test(topic);
			await publish(topic, isChild ? '' : '{}');
			const { writes } = await quiet();
			expect(writes, topic).to.deep.equal([]);
		}
	});

	/** What the protocol itself forbids closes the connection, and nothing of it is stored. */
	const forbidden: readonly (readonly [what: string, topic: Buffer])[] = [
		['a plus', Buffer.from('s/+')],
		['a hash', Buffer.from('#')],
		['a NUL', Buffer.from('s/us\u0000')],
		['bytes that are no UTF-8', Buffer.from([0x73, 0x2f, 0x75, 0x73, 0xff])],
		['nothing', Buffer.alloc(0)],
	];
	for (const [what, topic] of forbidden) {
		it(`stores nothing of a publish on a topic of ${what}`, async () => {
			const raw = await fixture.service.openRaw('serial-raw');
			await quiet();
			const length = Buffer.alloc(2);
			length.writeUInt16BE(topic.length);
			const rest = Buffer.concat([length, topic, Buffer.from([0, 1]), Buffer.from('100,x,y')]);
			raw.socket.write(Buffer.concat([Buffer.from([0x32, rest.length]), rest]));
			raw.socket.end(generate({ cmd: 'disconnect' }));
			await raw.closed;
			expect((await quiet()).writes).to.deep.equal([]);
		});
	}

	it('lets nobody in by a hostile client id or user name', async () => {
		const ids = ['a\u0000b', 'a/b', 'a+b', 'a#', '', 'a\r\nb', '\u001b[2J', 'x'.repeat(2000), '../a', 'd:a:b:c:d'];
		const users = ['__proto__', 'constructor/x', '$where', 'a/b/c/d', 't1/admin/x', 't1/', '/admin', 'a\u0000b', "' OR 1=1 --"];
		const attempts = [
			...ids.map((clientId) => ({ clientId, username: fixture.service.admin.user, password: fixture.service.admin.password })),
			...users.map((username) => ({ clientId: 'hostile', username, password: username })),
		];
		for (const attempt of attempts) {
			const raw = await fixture.service.openRaw();
			const code = await Promise.race([raw.logIn(attempt), raw.closed.then(() => -1)]);
			expect(code, JSON.stringify(attempt)).not.to.equal(0);
			raw.close();
		}
		const writes = (await quiet()).writes.filter((write) => !write.startsWith('auditRecords'));
		expect(writes).to.deep.equal([]);
	});

	it('still answers', async () => {
		await publish('s/us', '112,1,2,3');
		expect((await quiet()).errors).to.deep.equal([]);
		expect((await fixture.service.operator.objectOf('serial-1')).c8y_Position).to.deep.include({ lat: 1, lng: 2, alt: 3 });
	});
});
