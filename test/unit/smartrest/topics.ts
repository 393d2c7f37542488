import { expect } from 'chai';
import fc from 'fast-check';
import { maySubscribe, parseTopic, type Topic } from '../../../smartrest/index.ts';

const upstream: [string, Topic][] = [
	['s/us', { kind: 'static', direction: 'up', mode: 's' }],
	['t/us', { kind: 'static', direction: 'up', mode: 't' }],
	['q/us', { kind: 'static', direction: 'up', mode: 'q' }],
	['c/us', { kind: 'static', direction: 'up', mode: 'c' }],
	['s/us/dev1:device:child1', { kind: 'static', direction: 'up', mode: 's', child: 'dev1:device:child1' }],
	['t/us/ä b', { kind: 'static', direction: 'up', mode: 't', child: 'ä b' }],
	['s/uc/myTemplates', { kind: 'custom', direction: 'up', mode: 's', collection: 'myTemplates' }],
	['q/uc/myTemplates/c1', { kind: 'custom', direction: 'up', mode: 'q', collection: 'myTemplates', child: 'c1' }],
	['s/ud', { kind: 'default', direction: 'up', mode: 's' }],
	['t/ud/c1', { kind: 'default', direction: 'up', mode: 't', child: 'c1' }],
	['s/ut/myTemplates', { kind: 'template', direction: 'up', collection: 'myTemplates' }],
	['s/uat', { kind: 'token', direction: 'up' }],
	['s/ucr', { kind: 'credentials', direction: 'up' }],
	['s/ul', { kind: 'legacy', direction: 'up', suffix: 'ul' }],
	['s/ul/x', { kind: 'legacy', direction: 'up', suffix: 'ul', collection: 'x' }],
	['inventory/managedObjects/update', { kind: 'inventory', direction: 'up' }],
	['inventory/managedObjects/update/dev1:c', { kind: 'inventory', direction: 'up', externalId: 'dev1:c' }],
	['event/events/create', { kind: 'event', direction: 'up', bulk: false }],
	['event/events/createBulk', { kind: 'event', direction: 'up', bulk: true }],
	['alarm/alarms/create', { kind: 'alarm', direction: 'up', bulk: false }],
	['alarm/alarms/createBulk', { kind: 'alarm', direction: 'up', bulk: true }],
	['measurement/measurements/create', { kind: 'measurement', direction: 'up', bulk: false }],
	['measurement/measurements/createBulk', { kind: 'measurement', direction: 'up', bulk: true }],
];

const downstream: [string, Topic][] = [
	['s/ds', { kind: 'static', direction: 'down' }],
	['s/e', { kind: 'error', direction: 'down' }],
	['s/dat', { kind: 'token', direction: 'down' }],
	['s/dcr', { kind: 'credentials', direction: 'down' }],
	['s/dt', { kind: 'template', direction: 'down' }],
	['s/dc/myTemplates', { kind: 'custom', direction: 'down', collection: 'myTemplates' }],
	['s/dd', { kind: 'default', direction: 'down' }],
	['s/dl', { kind: 'legacy', direction: 'down', suffix: 'dl' }],
	['s/dl/x', { kind: 'legacy', direction: 'down', suffix: 'dl', collection: 'x' }],
	['s/ol', { kind: 'legacy', direction: 'down', suffix: 'ol' }],
	['s/ol/x', { kind: 'legacy', direction: 'down', suffix: 'ol', collection: 'x' }],
	['devicecontrol/notifications', { kind: 'operations', direction: 'down' }],
	['error', { kind: 'json-error', direction: 'down' }],
];

const unknown = [
	'',
	'/',
	's',
	's/',
	's/us/',
	's/us/a/b',
	's/us/a/',
	'/s/us',
	'S/us',
	'x/us',
	'ss/us',
	's/usx',
	's/uc',
	's/uc/',
	's/uc/x/y/z',
	's/ut',
	't/uat',
	's/us/+',
	's/us/a+',
	's/us/#',
	's/us/a\u0000',
	's/us\n',
	's/ds/x',
	't/ds',
	's/dc',
	's/dc/x/y',
	'$SYS/broker/uptime',
	'devicecontrol/notifications/x',
	'inventory/managedObjects',
	'inventory/managedObjects/create',
	'inventory/managedObjects/update/',
	'inventory/managedObjects/update/a/b',
	'event/alarms/create',
	'event/events/update',
	'errors',
];

describe('smartrest/topics', () => {
	for (const [text, topic] of [...upstream, ...downstream]) {
		it(`reads ${text}`, () => {
			expect(parseTopic(text)).to.deep.equal(topic);
		});
	}

	for (const [text] of upstream) {
		it(`does not let a device subscribe to ${text}`, () => {
			expect(maySubscribe(text)).to.equal(false);
		});
	}

	for (const [text] of downstream) {
		it(`lets a device subscribe to ${text}`, () => {
			expect(maySubscribe(text)).to.equal(true);
		});
	}

	for (const text of unknown) {
		it(`has no use for ${JSON.stringify(text)}`, () => {
			expect(parseTopic(text)).to.equal(undefined);
			expect(maySubscribe(text)).to.equal(false);
		});
	}

	for (const filter of ['s/dc/#', 's/dc/+', 's/dl/#', 's/dl/+', 's/ol/#', 's/ol/+']) {
		it(`lets a device subscribe to ${filter}`, () => {
			expect(maySubscribe(filter)).to.equal(true);
		});
	}

	const refused = [
		'#',
		'+',
		'/#',
		'+/ds',
		's/#',
		's/+',
		's/+/x',
		's/d+',
		's/d#',
		's/us/#',
		's/uc/#',
		's/dc/x+',
		's/dc/x#',
		's/dc/#/x',
		's/dc/+/x',
		's/dc/+/#',
		'+/+',
		'+/notifications',
		'devicecontrol/#',
		'devicecontrol/+',
		'$SYS/#',
		'$share/group/s/ds',
		'$share/group/#',
		'inventory/#',
	];
	for (const filter of refused) {
		it(`refuses the filter ${filter}`, () => expect(maySubscribe(filter)).to.equal(false));
	}

	it('never throws and never grants what it cannot read', () => {
		const level = fc.constantFrom(
			's',
			't',
			'us',
			'ds',
			'dc',
			'uc',
			'e',
			'+',
			'#',
			'',
			'x',
			'$SYS',
			'devicecontrol',
			'notifications',
		);
		const texts = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.array(level, { maxLength: 5 }).map((levels) => levels.join('/')),
		);
		fc.assert(
			fc.property(texts, (text) => {
				const topic = parseTopic(text);
				if (topic?.direction === 'up') expect(maySubscribe(text)).to.equal(false);
				if (!/[+#]/.test(text)) expect(maySubscribe(text)).to.equal(topic?.direction === 'down');
				else expect(topic).to.equal(undefined);
			}),
			{ numRuns: 2000 },
		);
	});
});
