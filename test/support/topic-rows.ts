import { bootstrap } from './service-fixture.ts';

/** What arrives where, when somebody has published; all else must stay silent. */
export type Arrivals = Readonly<Record<string, RegExp>>;

/** One topic, or filter, and what becomes of it. */
export interface TopicRow {
	/** `{own}` is the serial of the client, `{child}` one below it, `{other}` a device, or its child, that is another's. */
	readonly topic: string;
	readonly payload: string;
	/** By whoever speaks for a device; `closed`: the connection ends. */
	readonly published: Arrivals | 'closed';
	/** Where the other serial is of another tenant: there it names nothing, or the client's own. */
	readonly publishedInOtherTenant?: Arrivals;
	readonly mayListen: boolean;
	/** The bootstrap user, who may do one thing; nothing that it publishes elsewhere is answered. */
	readonly mayBootstrapListen?: boolean;
	/** Whether a device at an outside broker reaches the service by it. */
	readonly isBridged: boolean;
}

const taken: Arrivals = {};
const refusedTopic: Arrivals = { 's/e': /^50,,nothing can be published on/ };
const notOurs: Arrivals = {
	's/e': /^41,\w+,.*(?:is not a child of this device|serial of another device|not (?:of|below) this device)/,
};
const modes = ['s', 't', 'q', 'c'];

function up(topic: string, payload: string, published: Arrivals = taken, more: Partial<TopicRow> = {}): TopicRow {
	return { topic, payload, published, mayListen: false, isBridged: true, ...more };
}

function down(topic: string, more: Partial<TopicRow> = {}): TopicRow {
	return { topic, payload: '110,a', published: refusedTopic, mayListen: true, isBridged: false, ...more };
}

function unknown(topic: string, published: TopicRow['published'] = refusedTopic): TopicRow {
	return { topic, payload: '110,a', published, mayListen: false, isBridged: false };
}

/** A filter: nobody may publish on one. */
function filter(topic: string, mayListen = false): TopicRow {
	return { topic, payload: '110,a', published: 'closed', mayListen, isBridged: false };
}

const elsewhere = { publishedInOtherTenant: taken };
const json = '{"a":1}';

/** THE table of topics. */
export const topicRows: readonly TopicRow[] = [
	...modes.flatMap((mode) => [
		up(`${mode}/us`, '110,a'),
		up(`${mode}/us/{child}`, '110,a'),
		up(`${mode}/us/{other}`, '110,stolen', notOurs, elsewhere),
		up(`${mode}/uc/x`, 'p1,{own},1'),
		up(`${mode}/uc/x`, 'p1,{other},2', notOurs, elsewhere),
		up(`${mode}/uc/x/{child}`, 'p1,{child},1'),
		up(`${mode}/uc/x/{other}`, 'p1,{other},2', notOurs, elsewhere),
		up(`${mode}/ud`, 'p1,{own},1'),
		up(`${mode}/ud/{child}`, 'p1,{child},1'),
		up(`${mode}/ud/{other}`, 'p1,{other},2', notOurs, elsewhere),
	]),
	up('s/uc/missing', 'p1,1', { 's/e': /^41,p1,there is no template collection/ }),
	up('s/ut/x', '', { 's/dt': /^20,x,\d+$/ }),
	up('s/uat', '', { 's/dat': /^71,/ }),
	up('s/ucr', '', refusedTopic, { isBridged: false }),
	up('s/ul', '1', refusedTopic),
	up('s/ul/x', '1', refusedTopic),
	up('inventory/managedObjects/update', json),
	up('inventory/managedObjects/update/{child}', json),
	up('inventory/managedObjects/update/{other}', '{"stolen":1}', { error: /is not a child of this device/ }, elsewhere),
	...['event/events', 'alarm/alarms', 'measurement/measurements'].flatMap((kind) => [
		up(`${kind}/create`, '{}'),
		up(`${kind}/createBulk`, '{}'),
	]),
	down('s/ds'),
	down('s/e'),
	down('s/dat'),
	down('s/dcr', { mayBootstrapListen: true }),
	down('s/dt'),
	down('s/dc/x'),
	down('s/dd'),
	down('s/dl'),
	down('s/dl/x'),
	down('s/ol'),
	down('s/ol/x'),
	down('devicecontrol/notifications'),
	down('error'),
	...['s/dc/#', 's/dc/+', 's/dl/#', 's/dl/+', 's/ol/#', 's/ol/+'].map((topic) => filter(topic, true)),
	...['#', '+', '+/+', '+/us', '+/ds', 's/+', 's/#', 's/us/+', 's/us/#', 's/ds/#', 's/uc/#', 's/dc/+/+', 's/dcr/#'].map((each) =>
		filter(each),
	),
	...['devicecontrol/#', 'devicecontrol/+', 'inventory/#', '$SYS/#', '$share/g/#', '$share/g/s/dc/+'].map((each) => filter(each)),
	// Topics of other devices, as brokers elsewhere write them: there are none here.
	...['{other}/s/ds', 't1/{other}/s/ds', 'c8y/t1/{other}/s/ds', 's/ds/{other}', 'devicecontrol/notifications/{other}'].map(
		(each) => unknown(each),
	),
	...['c8y/t1/{other}/s/us', '../{other}/s/us', 'x', 's/us/', 's/us/a/b', 'x/us', 'S/us', '$share/g/s/ds'].map((each) =>
		unknown(each),
	),
	...['$SYS/uptime', '$SYS/{other}/s/us'].map((each) => unknown(each)),
];

/** Who connects, as whom, and the code that answers: 4 for credentials that are none, 5 for those that do not do. */
export interface ConnectRow {
	readonly who: string;
	readonly user?: string;
	readonly password?: string;
	readonly clientId: string;
	readonly code: 0 | 2 | 4 | 5;
}

/** What the logins of the table need: devices that were registered, and their passwords. */
export interface KnownLogins {
	readonly [name: string]: { readonly user: string; readonly password: string };
}

/** THE table of connections. `dev1` has a child `dev1:c` without a user, and `kid` with one. */
export function connectRows(known: KnownLogins): readonly ConnectRow[] {
	const as = (name: string) => known[name] ?? { user: 'missing', password: 'missing' };
	const device = as('dev1');
	return [
		{ who: 'a device', ...device, clientId: 'dev1', code: 0 },
		{ who: 'a device with a connection type and templates', ...device, clientId: 'd:dev1:x', code: 0 },
		{ who: 'a device as another one', ...device, clientId: 'dev2', code: 5 },
		{ who: 'a device as its child', ...device, clientId: 'dev1:c', code: 5 },
		{ who: 'a device as its child, in full', ...device, clientId: 'd:kid', code: 5 },
		{ who: 'a child with a user of its own as its parent', ...as('kid'), clientId: 'dev1', code: 5 },
		{ who: 'a device as nobody', ...device, clientId: '', code: 2 },
		{ who: 'a device with a wildcard for a serial', ...device, clientId: '+', code: 2 },
		{ who: 'a device with a wrong password', user: device.user, password: 'wrong', clientId: 'dev1', code: 4 },
		{ who: 'a device with the password of another', user: device.user, password: as('dev2').password, clientId: 'dev1', code: 4 },
		{ who: 'a device without a password', user: device.user, clientId: 'dev1', code: 4 },
		{ who: 'a device with a token for a password', user: device.user, password: as('token').password, clientId: 'dev1', code: 4 },
		{
			who: 'a device of another tenant in this one',
			user: 't1/device_far',
			password: as('far').password,
			clientId: 'far',
			code: 4,
		},
		{ who: 'a device of another tenant', ...as('far'), clientId: 'far', code: 0 },
		{ who: 'a device of another tenant as one of here', ...as('far'), clientId: 'dev1', code: 5 },
		{ who: 'a device whose user is disabled', ...as('disabled'), clientId: 'disabled', code: 5 },
		{ who: 'a device that was removed with its user', ...as('removed'), clientId: 'removed', code: 4 },
		{ who: 'a device of a suspended tenant', ...as('paused'), clientId: 'paused', code: 5 },
		{ who: 'the administrator, as any device', ...as('admin'), clientId: 'any', code: 0 },
		{ who: 'the administrator of another tenant', ...as('boss'), clientId: 'any', code: 0 },
		{ who: 'an operator', ...as('operator'), clientId: 'any', code: 5 },
		{ who: 'a reader', ...as('reader'), clientId: 'any', code: 5 },
		{ who: 'a user without roles', ...as('nobody'), clientId: 'any', code: 5 },
		{ who: 'a user with all inventory roles for the device', ...as('manager'), clientId: 'dev1', code: 5 },
		{ who: 'the bootstrap user', ...bootstrap, clientId: 'new', code: 0 },
		{ who: 'the bootstrap user of a tenant', user: 't1/devicebootstrap', password: bootstrap.password, clientId: 'new', code: 4 },
		{ who: 'nobody', clientId: 'dev1', code: 4 },
		{ who: 'an unknown user', user: 't1/unknown', password: 'unknown', clientId: 'dev1', code: 4 },
		{ who: 'an unknown tenant', user: 'unknown/device_dev1', password: device.password, clientId: 'dev1', code: 4 },
	];
}
