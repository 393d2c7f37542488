import type { MessageOf, TemplateName } from '../../../smartrest/index.ts';

/** A good line with what it says, and a bad line with the position of its fault and a word of the reason. */
export interface TemplateRows<Name extends TemplateName> {
	good: [line: string, fields: MessageOf<Name>['fields'], items?: MessageOf<Name>['items']][];
	bad: [line: string, position: number, about: string][];
}

const url = 'http://example.com/software_a';
const located = { latitude: '51.1', longitude: '6.7', altitude: '12', accuracy: '4' };
const noLocation = { latitude: '', longitude: '', altitude: '', accuracy: '' };
const serial = { externalId: 'DeviceSerial' };
const packageA = { name: 'software_a', version: '3.0.0', type: 'type A', url: 'http://example.com/software_a' };
const packageB = { name: 'software_b', version: '2.0.0', type: 'type B', url: 'http://example.com/software_b' };
const updateA = { name: 'software_a', version: '4.0.0', url: 'http://example.com/software_a', action: 'install' };
const updateB = { name: 'software_b', version: '3.0.0', url: 'http://example.com/software_b', action: 'delete' };

/** For every template its rows: one that is missing does not compile, and a test says so too. */
export const templateRows: { [Name in TemplateName]: TemplateRows<Name> } = {
	DeviceCreation: {
		good: [
			['100,myDevice,myType', { name: 'myDevice', type: 'myType' }],
			['100', { name: '', type: '' }],
			['100,,', { name: '', type: '' }],
			['100,,myType', { name: '', type: 'myType' }],
			['100,dev1,thin-edge.io,,,', { name: 'dev1', type: 'thin-edge.io' }],
		],
		bad: [['100,"myDevice,myType', 2, 'not closed']],
	},
	ChildDeviceCreation: {
		good: [
			[
				'101,dev1:device:child1,child1,thin-edge.io-child,false',
				{ childId: 'dev1:device:child1', name: 'child1', type: 'thin-edge.io-child', isDevice: 'false' },
			],
			['101,c1', { childId: 'c1', name: '', type: '', isDevice: '' }],
		],
		bad: [
			['101', 2, 'childId is missing'],
			['101,,child1', 2, 'childId is missing'],
		],
	},
	ServiceCreation: {
		good: [
			[
				'102,dev1:device:main:service:tedge-agent,service,tedge-agent,up',
				{
					serviceExternalId: 'dev1:device:main:service:tedge-agent',
					serviceType: 'service',
					serviceName: 'tedge-agent',
					status: 'up',
				},
			],
		],
		bad: [
			['102,,service,agent,up', 2, 'serviceExternalId is missing'],
			['102,id,service,agent', 5, 'status is missing'],
		],
	},
	ServiceStatusUpdate: { good: [['104,down', { status: 'down' }]], bad: [['104,', 2, 'status is missing']] },
	GetChildDevices: { good: [['105', {}]], bad: [['105,"', 2, 'not closed']] },
	ClearDeviceFragments: {
		good: [['107,c8y_Position,,c8y_Configuration', {}, [{ fragment: 'c8y_Position' }, { fragment: 'c8y_Configuration' }]]],
		bad: [
			['107', 2, 'fragment is missing'],
			['107,,,', 2, 'fragment is missing'],
		],
	},
	ConfigureHardware: {
		good: [['110,serial1,model,1.0', { serialNumber: 'serial1', model: 'model', revision: '1.0' }]],
		bad: [['110,a,"b"c', 3, 'closing quote']],
	},
	ConfigureMobile: {
		good: [['111,1,2,3,4,5,6,7', { imei: '1', iccid: '2', imsi: '3', mcc: '4', mnc: '5', lac: '6', cellId: '7' }]],
		bad: [['111,1,2,"3', 4, 'not closed']],
	},
	ConfigurePosition: { good: [['112,51.1,6.7,12,4', located]], bad: [['112,"51.1"0', 2, 'closing quote']] },
	SetConfiguration: {
		good: [
			['113,"a=1\\nb=2"', { configuration: 'a=1\\nb=2' }],
			['113,"a=1\nb=2"', { configuration: 'a=1\nb=2' }],
			['113', { configuration: '' }],
		],
		bad: [['113,"a=1', 2, 'not closed']],
	},
	SetSupportedOperations: {
		good: [
			['114,c8y_Restart,c8y_SoftwareUpdate', {}, [{ operation: 'c8y_Restart' }, { operation: 'c8y_SoftwareUpdate' }]],
			['114', {}, []],
		],
		bad: [['114,c8y_Restart,"c8y_SoftwareUpdate', 3, 'not closed']],
	},
	SetFirmware: {
		good: [['115,fw,1.0,None', { name: 'fw', version: '1.0', url: 'None' }]],
		bad: [['115,"fw" 1', 2, 'closing quote']],
	},
	SetSoftwareList: {
		good: [
			[
				'116,software_a,3.0.0,http://example.com/software_a,software_b,2.0.0,http://example.com/software_b',
				{},
				[
					{ name: 'software_a', version: '3.0.0', url },
					{ name: 'software_b', version: '2.0.0', url: 'http://example.com/software_b' },
				],
			],
			['116,,1.0,', {}, [{ name: '', version: '1.0', url: '' }]],
			['116', {}, []],
			['116,,,', {}, []],
			['116,a', {}, [{ name: 'a', version: '', url: '' }]],
		],
		bad: [['116,a,1,"u,b,2', 4, 'not closed']],
	},
	SetRequiredAvailability: { good: [['117,60', { minutes: '60' }]], bad: [['117,"60', 2, 'not closed']] },
	SetSupportedLogs: {
		good: [
			['118,agentlog', {}, [{ logType: 'agentlog' }]],
			['118,', {}, []],
		],
		bad: [['118,"agentlog"s', 2, 'closing quote']],
	},
	SetSupportedConfigurations: {
		good: [['119,sshd,agent', {}, [{ configurationType: 'sshd' }, { configurationType: 'agent' }]]],
		bad: [['119,sshd,"agent', 3, 'not closed']],
	},
	SetCurrentlyInstalledConfiguration: {
		good: [['120,sshd,http://e.com/f,,', { type: 'sshd', url: 'http://e.com/f', name: '', time: '' }]],
		bad: [['120,sshd', 3, 'url is missing']],
	},
	SetAppliedDeviceProfile: {
		good: [['121,true,12345', { executed: 'true', profileId: '12345' }]],
		bad: [['121,,12345', 2, 'executed is missing']],
	},
	SetDeviceAgentInformation: {
		good: [
			[
				'122,DM Reference Agent,1.0,https://e.com,Open Source',
				{ name: 'DM Reference Agent', version: '1.0', url: 'https://e.com', maintainer: 'Open Source' },
			],
		],
		bad: [['122,agent,1.0,https://e.com', 5, 'maintainer is missing']],
	},
	GetDeviceManagedObjectId: { good: [['123', {}]], bad: [['123,"a"b', 2, 'closing quote']] },
	SendHeartbeat: { good: [['125', {}]], bad: [['"125', 1, 'not closed']] },
	SetAdvancedSoftwareList: {
		good: [
			[
				'140,software_a,3.0.0,"type A",http://example.com/software_a,software_b,2.0.0,"type B",http://example.com/software_b',
				{},
				[packageA, packageB],
			],
			['140', {}, []],
			['140,,,,', {}, []],
			[
				'140,a,,debian,,b,1.0,debian,,c,,debian,https://foobar.io/c.deb,d,beta,debian,https://foobar.io/d.deb,m,,apama,https://foobar.io/m.epl',
				{},
				[
					{ name: 'a', version: '', type: 'debian', url: '' },
					{ name: 'b', version: '1.0', type: 'debian', url: '' },
					{ name: 'c', version: '', type: 'debian', url: 'https://foobar.io/c.deb' },
					{ name: 'd', version: 'beta', type: 'debian', url: 'https://foobar.io/d.deb' },
					{ name: 'm', version: '', type: 'apama', url: 'https://foobar.io/m.epl' },
				],
			],
		],
		bad: [
			['140,a,1,apt,,,2,apt', 6, 'name is missing'],
			['140,,1', 2, 'name is missing'],
		],
	},
	AppendAdvancedSoftwareItems: {
		good: [
			[
				'141,software_a,3.0.0,"type A",http://example.com/software_a,software_b,2.0.0,"type B",http://example.com/software_b',
				{},
				[packageA, packageB],
			],
			['141,name,1.0,apt', {}, [{ name: 'name', version: '1.0', type: 'apt', url: '' }]],
			['141,name,1.0,apt,,,,', {}, [{ name: 'name', version: '1.0', type: 'apt', url: '' }]],
			['141,name', {}, [{ name: 'name', version: '', type: '', url: '' }]],
		],
		bad: [['141,,1.0,apt', 2, 'name is missing']],
	},
	RemoveAdvancedSoftwareItems: {
		good: [
			[
				'142,software_a,3.0.0,software_b,2.0.0',
				{},
				[
					{ name: 'software_a', version: '3.0.0' },
					{ name: 'software_b', version: '2.0.0' },
				],
			],
			['142,tool', {}, [{ name: 'tool', version: '' }]],
		],
		bad: [['142,tool,1.0,,2.0', 4, 'name is missing']],
	},
	SetSupportedSoftwareTypes: {
		good: [
			['143,apt,,flow,', {}, [{ type: 'apt' }, { type: 'flow' }]],
			['143', {}, []],
		],
		bad: [['143,apt,"', 3, 'not closed']],
	},
	SetSupportedRemoteAccessProtocols: {
		good: [['150,SSH,VNC', {}, [{ protocol: 'SSH' }, { protocol: 'VNC' }]]],
		bad: [['150,"SSH"VNC', 2, 'closing quote']],
	},
	CreateCustomMeasurement: {
		good: [
			['200,c8y_Temperature,T,25,C', { fragment: 'c8y_Temperature', series: 'T', value: '25', unit: 'C', time: '' }],
			['200', { fragment: '', series: '', value: '', unit: '', time: '' }],
		],
		bad: [['200,f,"T', 3, 'not closed']],
	},
	CreateCustomMeasurementWithMultipleFragments: {
		good: [
			[
				'201,KamstrupA220Reading,,c8y_A,A+:1,1234,kWh,',
				{},
				['KamstrupA220Reading', '', 'c8y_A', 'A+:1', '1234', 'kWh'].map((parameter) => ({ parameter })),
			],
		],
		bad: [['201,t,"', 3, 'not closed']],
	},
	CreateSignalStrengthMeasurement: {
		good: [['210,-90,23', { rssi: '-90', ber: '23', time: '' }]],
		bad: [['210,"-90', 2, 'not closed']],
	},
	CreateTemperatureMeasurement: { good: [['211,25', { temperature: '25', time: '' }]], bad: [['211,"25', 2, 'not closed']] },
	CreateBatteryMeasurement: { good: [['212,95', { battery: '95', time: '' }]], bad: [['212,"95', 2, 'not closed']] },
	CreateCriticalAlarm: { good: [['301,T', { type: 'T', text: '', time: '' }]], bad: [['301', 2, 'type is missing']] },
	CreateMajorAlarm: {
		good: [['302,T,"a, b"', { type: 'T', text: 'a, b', time: '' }]],
		bad: [['302,,text', 2, 'type is missing']],
	},
	CreateMinorAlarm: { good: [['303,T,x,', { type: 'T', text: 'x', time: '' }]], bad: [['303,', 2, 'type is missing']] },
	CreateWarningAlarm: { good: [['304,T', { type: 'T', text: '', time: '' }]], bad: [['304', 2, 'type is missing']] },
	UpdateAlarmSeverity: {
		good: [['305,T,MINOR', { type: 'T', severity: 'MINOR' }]],
		bad: [['305,T', 3, 'severity is missing']],
	},
	ClearAlarm: { good: [['306,T', { type: 'T' }]], bad: [['306', 2, 'type is missing']] },
	ClearAlarmFragments: {
		good: [['307,T,f', { type: 'T' }, [{ fragment: 'f' }]]],
		bad: [['307,,f', 2, 'type is missing']],
	},
	CreateBasicEvent: {
		good: [['400,c8y_AgentStartEvent,DM Agent started', { type: 'c8y_AgentStartEvent', text: 'DM Agent started', time: '' }]],
		bad: [['400,c8y_AgentStartEvent', 3, 'text is missing']],
	},
	CreateLocationUpdateEvent: {
		good: [['401,51.1,6.7,12,4', { ...located, time: '' }]],
		bad: [['401,51.1,"6.7', 3, 'not closed']],
	},
	CreateLocationUpdateEventWithDeviceUpdate: {
		good: [['402', { ...noLocation, time: '' }]],
		bad: [['402,"51.1"6.7', 2, 'closing quote']],
	},
	ClearEventFragments: {
		good: [
			['407,T,f,g', { type: 'T' }, [{ fragment: 'f' }, { fragment: 'g' }]],
			['407,T', { type: 'T' }, []],
		],
		bad: [['407', 2, 'type is missing']],
	},
	GetPendingOperations: {
		good: [
			['500', {}],
			['500,', {}],
		],
		bad: [['500,"a', 2, 'not closed']],
	},
	SetOperationToExecuting: {
		good: [['501,c8y_SoftwareUpdate', { fragment: 'c8y_SoftwareUpdate' }]],
		bad: [['501', 2, 'fragment is missing']],
	},
	SetOperationToFailed: {
		good: [
			[
				"502,c8y_SoftwareList,'list' object has no attribute 'topic'",
				{ fragment: 'c8y_SoftwareList', reason: "'list' object has no attribute 'topic'" },
			],
			['502,c8y_Command', { fragment: 'c8y_Command', reason: '' }],
		],
		bad: [['502,,reason', 2, 'fragment is missing']],
	},
	SetOperationToSuccessful: {
		good: [
			['503,c8y_SoftwareUpdate', { fragment: 'c8y_SoftwareUpdate' }, []],
			['503,c8y_Command,a,,c,', { fragment: 'c8y_Command' }, [{ parameter: 'a' }, { parameter: '' }, { parameter: 'c' }]],
		],
		bad: [['503,', 2, 'fragment is missing']],
	},
	SetOperationToExecutingById: {
		good: [['504,4711', { operationId: '4711' }]],
		bad: [['504', 2, 'operationId is missing']],
	},
	SetOperationToFailedById: {
		good: [
			['505,123,"line one\nline two, with ""quotes"""', { operationId: '123', reason: 'line one\nline two, with "quotes"' }],
			['505,123,Cancelled operation', { operationId: '123', reason: 'Cancelled operation' }],
		],
		bad: [['505,,reason', 2, 'operationId is missing']],
	},
	SetOperationToSuccessfulById: {
		good: [['506,123,a,"b, c"', { operationId: '123' }, [{ parameter: 'a' }, { parameter: 'b, c' }]]],
		bad: [['506', 2, 'operationId is missing']],
	},
	SetExecutingOperationsToFailed: {
		good: [
			['507,c8y_Restart,restarted', { fragment: 'c8y_Restart', reason: 'restarted' }],
			['507,,restarted', { fragment: '', reason: 'restarted' }],
		],
		bad: [['507,"c8y_Restart', 2, 'not closed']],
	},
	GetPlatformVersion: { good: [['600', {}]], bad: [['600,"', 2, 'not closed']] },
	GetServedTemplates: { good: [['602', {}]], bad: [['602,"', 2, 'not closed']] },
	TemplateCollectionFound: {
		good: [['20,myTemplates,123', { xId: 'myTemplates', collectionId: '123' }]],
		bad: [['20,myTemplates', 3, 'collectionId is missing']],
	},
	TemplateCollectionMissing: { good: [['41,myTemplates', { xId: 'myTemplates' }]], bad: [['41', 2, 'xId is missing']] },
	Credentials: {
		good: [['70,t123,device_s1,pw', { tenant: 't123', username: 'device_s1', password: 'pw' }]],
		bad: [['70,t123,device_s1', 4, 'password is missing']],
	},
	Token: { good: [['71,e30.e30.x', { token: 'e30.e30.x' }]], bad: [['71,', 2, 'token is missing']] },
	ChildDevices: {
		good: [['106,child1,child2', {}, [{ childId: 'child1' }, { childId: 'child2' }]]],
		bad: [['106,"child1', 2, 'not closed']],
	},
	DeviceManagedObjectId: {
		good: [['124,22519994', { managedObjectId: '22519994' }]],
		bad: [['124', 2, 'managedObjectId is missing']],
	},
	Restart: { good: [['510,DeviceSerial', serial]], bad: [['510', 2, 'externalId is missing']] },
	Command: { good: [['511,DeviceSerial,ls', { ...serial, text: 'ls' }]], bad: [['511,,ls', 2, 'externalId is missing']] },
	Configuration: {
		good: [['513,DeviceSerial,"a=1\nb=2"', { ...serial, text: 'a=1\nb=2' }]],
		bad: [['513', 2, 'externalId is missing']],
	},
	Firmware: {
		good: [['515,DeviceSerial,fw,1.0,http://e.com', { ...serial, name: 'fw', version: '1.0', url: 'http://e.com' }]],
		bad: [['515,,fw', 2, 'externalId is missing']],
	},
	SoftwareList: {
		good: [
			[
				'516,DeviceSerial,software_a,4.0.0,http://example.com/software_a',
				serial,
				[{ name: 'software_a', version: '4.0.0', url }],
			],
			['516,DeviceSerial', serial, []],
		],
		bad: [['516,DeviceSerial,,1.0', 3, 'name is missing']],
	},
	UploadConfigurationFile: { good: [['520,DeviceSerial', serial]], bad: [['520', 2, 'externalId is missing']] },
	DownloadConfigurationFile: {
		good: [['521,DeviceSerial,http://e.com', { ...serial, url: 'http://e.com' }]],
		bad: [['521,,http://e.com', 2, 'externalId is missing']],
	},
	LogfileRequest: {
		good: [
			[
				'522,DeviceSerial,agentlog,2013-06-22T17:03:14.000+02:00,2013-06-22T18:03:14.000+02:00,ERROR,1000',
				{
					...serial,
					name: 'agentlog',
					startTime: '2013-06-22T17:03:14.000+02:00',
					endTime: '2013-06-22T18:03:14.000+02:00',
					searchText: 'ERROR',
					maximumLines: '1000',
				},
			],
		],
		bad: [['522', 2, 'externalId is missing']],
	},
	DownloadConfigurationFileWithType: {
		good: [['524,DeviceSerial,http://e.com,sshd', { ...serial, url: 'http://e.com', type: 'sshd' }]],
		bad: [['524', 2, 'externalId is missing']],
	},
	FirmwareFromPatch: {
		good: [
			[
				'525,DeviceSerial,fw,1.1,http://e.com,1.0',
				{ ...serial, name: 'fw', version: '1.1', url: 'http://e.com', dependency: '1.0' },
			],
		],
		bad: [['525', 2, 'externalId is missing']],
	},
	UploadConfigurationFileWithType: {
		good: [['526,DeviceSerial,sshd', { ...serial, type: 'sshd' }]],
		bad: [['526,,sshd', 2, 'externalId is missing']],
	},
	DeviceProfile: {
		good: [['527,DeviceSerial', serial]],
		bad: [
			['527', 2, 'externalId is missing'],
			['527,DeviceSerial,fw,1.0', 3, 'section marker is missing'],
			['527,DeviceSerial,$SW,,1.0', 4, 'name is missing'],
		],
	},
	UpdateSoftware: {
		good: [
			[
				'528,DeviceSerial,software_a,4.0.0,http://example.com/software_a,install,software_b,3.0.0,http://example.com/software_b,delete',
				serial,
				[updateA, updateB],
			],
		],
		bad: [['528,DeviceSerial,software_a,4.0.0,http://example.com/software_a', 6, 'action is missing']],
	},
	UpdateAdvancedSoftware: {
		good: [
			[
				'529,DeviceSerial,software_a,4.0.0,"type A",http://example.com/software_a,install,software_b,3.0.0,"type B",http://example.com/software_b,delete',
				serial,
				[
					{ ...updateA, type: 'type A' },
					{ ...updateB, type: 'type B' },
				],
			],
		],
		bad: [['529,DeviceSerial,software_a,4.0.0,apt,http://example.com/software_a', 7, 'action is missing']],
	},
	RemoteAccessConnect: {
		good: [['530,DeviceSerial,10.0.0.67,5900,key', { ...serial, hostname: '10.0.0.67', port: '5900', connectionKey: 'key' }]],
		bad: [['530', 2, 'externalId is missing']],
	},
	PlatformVersion: { good: [['601,1.0.0', { version: '1.0.0' }]], bad: [['601', 2, 'version is missing']] },
	ServedTemplates: {
		good: [['603,100,101', {}, [{ templateId: '100' }, { templateId: '101' }]]],
		bad: [['603,"100', 2, 'not closed']],
	},
};
