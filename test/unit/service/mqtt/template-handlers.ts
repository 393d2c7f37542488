import { expect } from 'chai';
import { startTime, tenant, useBench } from '../../inventory/inventory-bench.ts';
import { openGatewayBench } from '../gateway-bench.ts';

const now = new Date(startTime).toISOString();

describe('service/mqtt/template-handlers', () => {
	const bench = useBench(openGatewayBench);
	const object = (serial = 'dev1') => bench().object(serial);

	// Each row: what the device sends, the fragment, and what is in it afterwards (undefined: it is not there).
	const rows: [lines: string, fragment: string, value: unknown][] = [
		['110,s1,,1.0', 'c8y_Hardware', { serialNumber: 's1', revision: '1.0' }],
		['111,1', 'c8y_Mobile', { imei: '1' }],
		['112,51.1,6.7,,4', 'c8y_Position', { lat: 51.1, lng: 6.7, accuracy: 4 }],
		['402,51.1,6.7', 'c8y_Position', { lat: 51.1, lng: 6.7 }],
		['113,"a=1\nb=2"', 'c8y_Configuration', { config: 'a=1\nb=2' }],
		['114,b,a,b,,a', 'c8y_SupportedOperations', ['b', 'a']],
		['114,a\n114,b', 'c8y_SupportedOperations', ['b']],
		['115,fw,1', 'c8y_Firmware', { name: 'fw', version: '1', url: '' }],
		['117,60', 'c8y_RequiredAvailability', { responseInterval: 60 }],
		['117,60\n117,10', 'c8y_RequiredAvailability', { responseInterval: 60 }],
		['118,x', 'c8y_SupportedLogs', ['x']],
		['119,x,y', 'c8y_SupportedConfigurations', ['x', 'y']],
		['120,sshd,u', 'c8y_Configuration_sshd', { type: 'sshd', url: 'u', name: 'sshd', time: now }],
		['120,tedge.toml,u', 'c8y_Configuration_tedge_toml', { type: 'tedge.toml', url: 'u', name: 'tedge.toml', time: now }],
		['120,my $file,u', 'c8y_Configuration_my__file', { type: 'my $file', url: 'u', name: 'my $file', time: now }],
		['121,TRUE,5', 'c8y_Profile', { profileExecuted: true, profileId: '5' }],
		['121,no', 'c8y_Profile', { profileExecuted: false }],
		['122,n,1,,m', 'c8y_Agent', { name: 'n', version: '1', maintainer: 'm' }],
		['125', 'c8y_Availability', { lastMessage: now }],
		['143,apt,,docker,apt', 'c8y_SupportedSoftwareTypes', ['apt', 'docker']],
		['143,apt\n143', 'c8y_SupportedSoftwareTypes', undefined],
		['150,ssh', 'c8y_RemoteAccessSupportedProtocols', ['ssh']],
		['115,fw,1\n107,c8y_Firmware,unknown', 'c8y_Firmware', undefined],
		['107,name,type', 'c8y_IsDevice', {}],
	];
	for (const [lines, fragment, value] of rows) {
		it(`leaves ${fragment} ${value === undefined ? 'away' : JSON.stringify(value)} after ${JSON.stringify(lines)}`, async () => {
			const session = bench().session();
			await bench().publish(session, lines);
			expect((await object()).fragments[fragment]).to.deep.equal(value);
			expect(bench().lines(session, 's/e')).to.deep.equal([]);
		});
	}

	// Each row: what the device sends, and how the answer begins.
	const bad: [line: string, answer: string, word: string][] = [
		['112,north', '40,112', "'north'"],
		['112,abc', '40,112', 'line 1: latitude must be'],
		['\n402,1,x', '40,402', 'line 2: longitude must be'],
		['117,', '40,117', 'whole number'],
		[`101,kid,${'n'.repeat(1025)},t`, '41,101', 'name has 1025 characters: at most 1024'],
		[`101,kid,n,${'t'.repeat(1025)}`, '41,101', 'type has 1025 characters'],
		[`102,svc,${'t'.repeat(1025)},n,up`, '41,102', 'serviceType has 1025 characters'],
		[`102,svc,t,${'n'.repeat(1025)},up`, '41,102', 'serviceName has 1025 characters'],
		['402,x', '40,402', "'x'"],
		['117,soon', '40,117', "'soon'"],
		['117,1.5', '40,117', "'1.5'"],
		['107,a.b', '41,107', 'a.b'],
		[`116,${'n'.repeat(101)},1,u`, '40,116', 'at most 100'],
		[`140,a,1,${'t'.repeat(21)},`, '40,140', 'at most 20'],
		[`141,a,1,,\u0001`, '', ''],
		['141,a\u0001,1', '40,141', 'package 1: name'],
		['102,dev1,service,me,up', '41,102', 'the device itself'],
		['504,5', '41,504', "'5'"],
		['501,c8y_Restart', '41,501', 'no PENDING'],
	];
	for (const [line, answer, word] of bad) {
		it(`answers ${answer || 'nothing'} to ${JSON.stringify(line.slice(0, 30))}`, async () => {
			const session = bench().session();
			await bench().publish(session, '140,old,1,,', line);
			const [first = ''] = bench().lines(session, 's/e');
			expect(first.startsWith(answer)).to.equal(true, first);
			expect(first).to.include(word);
		});
	}

	it('does not let 107 take name or type away, and removes what stands beside them', async () => {
		const session = bench().session();
		await bench().publish(session, '100,Mine,my_type\n115,fw,1', '107,name,type,c8y_Firmware');
		expect(await object()).to.include({ name: 'Mine', type: 'my_type' });
		expect((await object()).fragments).to.not.have.property('c8y_Firmware');
		expect(bench().lines(session, 's/e')).to.deep.equal([]);
	});

	it('refuses a renaming of a service to a name that is too long', async () => {
		const session = bench().session();
		await bench().publish(session, '102,svc,t,Service,up', `102,svc,t,${'n'.repeat(1025)},down`);
		expect(await object('svc')).to.include({ name: 'Service' });
		expect(bench().lines(session, 's/e')).to.have.length(1);
	});

	it('names a child by its serial, however long that is', async () => {
		const serial = 's'.repeat(1020);
		await bench().publish(bench().session(), `101,${serial}`);
		expect((await object(serial)).name).to.have.length(1024);
	});

	it('accepts measurements, alarms and events, and keeps nothing of them', async () => {
		const session = bench().session();
		await bench().publish(session, '100');
		const before = await object();
		await bench().publish(session, '200,f,s,1\n211,20\n301,t,x\n304,t\n305,t,MINOR\n306,t\n400,t,x\n401,1,2');
		expect(await object()).to.deep.equal(before);
		expect(bench().lines(session, 's/e')).to.deep.equal([]);
	});

	it('creates a child as 101 says, once, on the device or on a child', async () => {
		const session = bench().session();
		const onKid = { topic: 's/us/kid', payload: Buffer.from('101,grandkid,,,false') };
		await bench().publish(session, '101,kid,Kid,kid_type', '101,kid,Other,other', onKid);
		expect(await object('kid')).to.include({ name: 'Kid', type: 'kid_type' });
		const grandkid = await object('grandkid');
		expect(grandkid.fragments).to.not.have.property('c8y_IsDevice');
		const [parent] = await bench().inventory.objects.listParents(tenant, grandkid.id);
		expect(parent).to.include({ parent: (await object('kid')).id, kind: 'childDevices' });
	});

	it('creates a service as 102 says, and updates it with 102 and 104, the last one winning', async () => {
		const session = bench().session();
		await bench().publish(session, '102,svc,systemd,sshd,up', '102,svc,systemd,sshd,down\n102,svc,systemd,ssh,down');
		const service = await object('svc');
		expect(service).to.include({ type: 'c8y_Service', name: 'ssh' });
		expect(service.fragments).to.deep.equal({ serviceType: 'systemd', status: 'down' });
		await bench().publish(session, { topic: 's/us/svc', payload: Buffer.from('104,up') });
		expect((await object('svc')).fragments).to.deep.equal({ serviceType: 'systemd', status: 'up' });
	});

	// Each row: a JSON body for the device, and the name and fragments that it leaves.
	const json: [body: string, name: string, fragments: object][] = [
		['{"a":1}', 'n', { a: 1 }],
		['{"name":null,"type":null,"a":1}', 'n', { a: 1 }],
		['{"name":"m"}', 'm', {}],
		['{"old":null}', 'n', {}],
		['{}', 'n', { c8y_Availability: { lastMessage: now } }],
	];
	for (const [body, name, fragments] of json) {
		it(`merges ${body} as JSON`, async () => {
			const session = bench().session();
			await bench().publish(session, '100,n,t', { topic: 'inventory/managedObjects/update/dev1', payload: Buffer.from(body) });
			const after = await object();
			expect([after.name, after.type]).to.deep.equal([name, 't']);
			expect(after.fragments).to.deep.equal({ c8y_IsDevice: {}, com_cumulocity_model_Agent: {}, ...fragments });
			expect(bench().lines(session, 'error')).to.deep.equal([]);
		});
	}
});
