import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';

const fragment = 'com_cumulocity_model_smartrest_csv_CsvSmartRestTemplate';
const type = 'c8y_SmartRest2DeviceIdentifier';

/** What a device of the documentation registers. */
const lines = [
	'10,999,POST,MEASUREMENT,,c8y_MyMeasurement,,c8y_MyMeasurement.M.value,NUMBER,',
	'10,201,PUT,INVENTORY,true,false,c8y_Serial,c8y_MyCustomValue,STRING,',
	'10,202,GET,INVENTORY,,false,c8y_Serial',
	'10,301,PUT,OPERATION,,c8y_CustomConfiguration,status,OPERATIONSTATUS,,failureReason,STRING,',
	'11,888,,c8y_IsDevice,name,c8y_MyCustomValue,c8y_SupportedOperations[*]',
	'11,111,c8y_CustomConfiguration,c8y_CustomConfiguration,val1,customValues[*]',
];

describe('journeys/template-collections', () => {
	let service: ServiceUnderTest;
	before(async () => {
		service = await startService({ TEMPLATE_CACHE_SECONDS: '0', TEMPLATE_SUBSCRIPTIONS_MAX: '3' });
	});
	after(() => service.close());

	const topics = ['s/ds', 's/e', 's/dt'];
	const connect = (serial: string, more: readonly string[] = [], options: object = {}) =>
		service.connect(serial, { topics: [...topics, ...more], ...options });

	it('registers, asks for and uses a collection, with a child and in every mode [SR-10] [SR-11]', async () => {
		const device = await connect('using', ['s/dc/using']);
		await device.send('', 's/ut/using');
		expect(await device.nextLine('s/dt')).to.equal('41,using');
		await device.send(lines, 's/ut/using');
		await device.send('', 's/ut/using');
		const { managedObject } = await service.operator.http.get<{ managedObject: { id: string } }>(
			`/identity/externalIds/${type}/using`,
		);
		expect(await device.nextLine('s/dt')).to.equal(`20,using,${managedObject.id}`);
		await device.send(['114,c8y_CustomConfiguration,c8y_Restart', '101,using:kid,Kid']);
		await device.send(['999,,25', '999,2016-06-22T17:03:14.000+02:00,25.5', '201,using,"a, b"'], 's/uc/using');
		expect(await device.nextLine('s/dc/using')).to.equal('888,MQTT Device using,"a, b",c8y_CustomConfiguration,c8y_Restart');
		for (const mode of ['t', 'q', 'c']) await device.send(`201,using:kid,${mode}`, `${mode}/uc/using/using:kid`, 2);
		for (const mode of ['t', 'q', 'c']) expect(await device.nextLine('s/dc/using')).to.equal(`888,Kid,${mode},`);
		expect(await service.operator.objectOf('using:kid')).to.include({ c8y_MyCustomValue: 'c' });
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('says what is wrong with bad lines and unknown collections, and goes on', async () => {
		const device = await connect('bad');
		await device.send('101,x', 's/uc/c8y-dm-agent-v1.0');
		expect(await device.nextLine('s/e')).to.match(/^41,101,.*no template collection 'c8y-dm-agent-v1\.0'/);
		await device.send(['10,1,GET,INVENTORY,,true', '10,2,STEAL,INVENTORY', '11,3,,'], 's/ut/bad');
		expect(await device.nextLine('s/e')).to.match(/^40,10,line 2 position 3: the method/);
		expect(await device.nextLine('s/e')).to.match(/^40,11,line 3 position 5: a pattern/);
		await device.send('10,1,GET,INVENTORY,,true', 's/ut/bad');
		await device.send('11,1,,,a', 's/ut/bad');
		expect(await device.nextLine('s/e')).to.match(/^41,11,.*cannot be changed/);
		await device.send(['1', '2'], 's/uc/bad');
		expect((await device.nextLine('s/e')).slice(0, 5)).to.equal('41,1,');
		expect((await device.nextLine('s/e')).slice(0, 5)).to.equal('50,2,');
		await device.send('1', 's/ud');
		expect(await device.nextLine('s/e')).to.include('default template collection');
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('sends operations by the templates, when the device subscribes, at once and on 500, and lets it report on them', async () => {
		const device = await connect('asked');
		await device.send('125');
		await device.send(lines, 's/ut/asked');
		const operations: string[] = [];
		const ask = async (val1: string) => {
			const made = await service.operator.createOperation('asked', {
				c8y_CustomConfiguration: { val1, customValues: ['a', 'b,c'] },
			});
			operations.push(made.id);
		};
		await ask('1');
		await device.subscribe(['s/dc/asked']);
		expect(await device.nextLine('s/dc/asked')).to.equal('111,asked,1,a,"b,c"');
		await ask('2');
		expect(await device.nextLine('s/dc/asked')).to.equal('111,asked,2,a,"b,c"');
		await device.send('500');
		for (const val1 of ['1', '2']) expect(await device.nextLine('s/dc/asked')).to.equal(`111,asked,${val1},a,"b,c"`);
		await eventually(
			'the delivery is noted',
			() => service.operator.operation(operations[1] ?? ''),
			({ delivery }) => delivery.status === 'DELIVERED',
		);
		await device.send(['301,EXECUTING', '301,SUCCESSFUL', '301,EXECUTING', '301,FAILED,no room'], 's/uc/asked');
		await service.operator.reaches(operations[0] ?? '', 'SUCCESSFUL');
		expect(await service.operator.reaches(operations[1] ?? '', 'FAILED')).to.include({ failureReason: 'no room' });
		expect(await device.untaken('s/ds')).to.deep.equal([]);
		expect(await device.untaken('s/e')).to.deep.equal([]);
	});

	it('sends what was not acknowledged again, and keeps the static messages as they are', async () => {
		const device = await connect('again');
		await device.send('125');
		await device.send(['11,1,c8y_Restart,c8y_Restart,missing'], 's/ut/again');
		await device.close();
		await service.operator.createOperation('again', { c8y_Restart: {} });
		for (let connection = 0; connection < 2; connection++) {
			const returned = await connect('again', ['s/dc/again']);
			expect(await returned.nextLine('s/dc/again')).to.equal('1,again,');
			expect(await returned.nextLine('s/ds')).to.equal('510,again');
			returned.drop();
			await returned.closed;
		}
	});

	it('leaves an operation undelivered that no template fits', async () => {
		const device = await connect('unfit', ['s/dc/unfit']);
		await device.send('125');
		await device.send(lines, 's/ut/unfit');
		const { id } = await service.operator.createOperation('unfit', { c8y_Other: {} });
		await device.send('500');
		expect(await device.untaken('s/dc/unfit')).to.deep.equal([]);
		expect((await service.operator.operation(id)).delivery.status).to.equal('PENDING');
	});

	it('uses the default collection of the client id', async () => {
		const device = await connect('default', ['s/dd'], { clientId: 'd:default:shared' });
		await device.send('125');
		await device.send(lines, 's/ut/shared');
		await device.send('202,default', 's/ud');
		expect(await device.nextLine('s/dd')).to.equal('888,MQTT Device default,,');
		await device.send('201,default,x', 's/ud/default:kid');
		expect(await device.nextLine('s/dd')).to.equal('888,MQTT Device default,x,');
		expect(await service.operator.findId('default:kid')).to.be.a('string');
		await service.operator.createOperation('default', { c8y_CustomConfiguration: { val1: 'v' } });
		expect(await device.nextLine('s/dd')).to.equal('111,default,v,');
	});

	it('takes collections from the inventory, as tools and the web page make them, and what becomes of them', async () => {
		const { http } = service.operator;
		const templates = (path: string) => ({
			name: 'custom_devmgmt',
			type: 'c8y_SmartRest2Template',
			__externalId: 'custom_devmgmt',
			[fragment]: {
				requestTemplates: [
					{ name: 'own', msgId: 1, method: 'GET', api: 'INVENTORY', response: true, byId: false, externalIdType: 'c8y_Serial' },
				],
				responseTemplates: [
					{ msgId: 'dm101', condition: 'set_wifi', base: 'set_wifi', name: 'set_wifi', pattern: ['name', 'ssid', 'type'] },
					{ msgId: 'me', condition: 'c8y_IsDevice', pattern: [path] },
				],
			},
		});
		const { id } = await http.post<{ id: string }>('/inventory/managedObjects', templates('type'));
		await http.post(`/identity/globalIds/${id}/externalIds`, { type, externalId: 'custom_devmgmt' });
		const device = await connect('wifi', ['s/dc/custom_devmgmt']);
		await device.send('', 's/ut/custom_devmgmt');
		expect(await device.nextLine('s/dt')).to.equal(`20,custom_devmgmt,${id}`);
		await device.send('1,wifi', 's/uc/custom_devmgmt');
		expect(await device.nextLine('s/dc/custom_devmgmt')).to.equal('me,c8y_MQTTDevice');
		await service.operator.createOperation('wifi', { set_wifi: { name: 'home', ssid: 'x y', type: 'wpa' } });
		expect(await device.nextLine('s/dc/custom_devmgmt')).to.equal('dm101,wifi,home,x y,wpa');
		await http.put(`/inventory/managedObjects/${id}`, templates('name'));
		await device.send('1,wifi', 's/uc/custom_devmgmt');
		expect(await device.nextLine('s/dc/custom_devmgmt')).to.equal('me,MQTT Device wifi');
		await http.delete(`/inventory/managedObjects/${id}`);
		await device.send('1,wifi', 's/uc/custom_devmgmt');
		expect(await device.nextLine('s/e')).to.include("no template collection 'custom_devmgmt'");
	});

	it('keeps devices with users of their own apart, and lets them share a collection', async () => {
		const [first, second] = await Promise.all(
			['apart-1', 'apart-2'].map(async (serial) => {
				const { user, password } = await service.register(serial);
				return connect(serial, ['s/dc/apart'], { user, password });
			}),
		);
		if (!first || !second) throw new Error('two devices were asked for');
		await first.send(['125']);
		await first.send(['10,c,POST,INVENTORY,,c8y_Asset,name,STRING,', '10,g,GET,INVENTORY,,false', ...lines], 's/ut/apart');
		await first.send('c,a1,Pump', 's/uc/apart');
		await second.send(['202,apart-2', '202,apart-1', '201,apart-1,mine', 'g,c8y_Asset,a1'], 's/uc/apart');
		expect(await second.nextLine('s/dc/apart')).to.equal('888,MQTT Device apart-2,,');
		for (const id of ['202', '201', 'g']) expect((await second.nextLine('s/e')).split(',').slice(0, 2)).to.deep.equal(['41', id]);
		await service.operator.createOperation('apart-1', { c8y_CustomConfiguration: { val1: 'secret' } });
		expect(await first.nextLine('s/dc/apart')).to.equal('111,apart-1,secret,');
		await second.send('301,SUCCESSFUL', 's/uc/apart');
		expect((await second.nextLine('s/e')).split(',').slice(0, 2)).to.deep.equal(['41', '301']);
		await first.send('g,c8y_Asset,a1', 's/uc/apart');
		expect(await first.untaken('s/e')).to.deep.equal([]);
		expect(await second.untaken('s/dc/apart')).to.deep.equal([]);
	});

	it('grants so many collections to a connection', async () => {
		const device = await connect('greedy');
		expect(await device.subscribe(['s/dc/a', 's/dc/#', 's/dc/c', 's/dc/d', 's/dd'])).to.deep.equal([1, 1, 1, 128, 1]);
	});

	it('answers a device that listens to all collections', async () => {
		const device = await connect('wild', ['s/dc/#']);
		await device.send('125');
		await device.send(lines, 's/ut/wild');
		await device.send('202,wild', 's/uc/wild');
		expect(await device.nextLine('s/dc/wild')).to.equal('888,MQTT Device wild,,');
	});
});
