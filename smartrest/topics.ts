/** How a publish is processed: `s` persistent, `t` transient, `q` quiescent, `c` CEP [SR-TOPIC]. */
export type Mode = 's' | 't' | 'q' | 'c';

/**
 * A topic that devices use, taken apart [SR-TOPIC]: `up` is published by devices, `down` is subscribed to by them. `child` is
 * an external id, `collection` the X-ID of a template collection.
 */
export type Topic =
	| { kind: 'static'; direction: 'up'; mode: Mode; child?: string }
	| { kind: 'static'; direction: 'down' }
	| { kind: 'error'; direction: 'down' }
	| { kind: 'token'; direction: 'up' | 'down' }
	| { kind: 'credentials'; direction: 'up' | 'down' }
	| { kind: 'template'; direction: 'up'; collection: string }
	| { kind: 'template'; direction: 'down' }
	| { kind: 'custom'; direction: 'up'; mode: Mode; collection: string; child?: string }
	| { kind: 'custom'; direction: 'down'; collection: string }
	| { kind: 'default'; direction: 'up'; mode: Mode; child?: string }
	| { kind: 'default'; direction: 'down' }
	| { kind: 'legacy'; direction: 'up' | 'down'; suffix: LegacySuffix; collection?: string }
	| { kind: 'operations'; direction: 'down' }
	| { kind: 'json-error'; direction: 'down' }
	| { kind: 'inventory'; direction: 'up'; externalId?: string }
	| { kind: JsonRecordKind; direction: 'up'; bulk: boolean };

/** SmartREST 1: `s/ul` up, `s/dl` and `s/ol` down; granted to thin-edge, which asks for them when so configured. */
type LegacySuffix = 'ul' | 'dl' | 'ol';
type JsonRecordKind = 'event' | 'alarm' | 'measurement';

/** What a pattern's placeholders stood for; those that the pattern does not name, or that were left out, are `''`. */
interface Parts {
	mode: Mode;
	collection: string;
	child: string;
	externalId: string;
}

/** A pattern's levels are words or placeholders; a placeholder ending in `?` may be left out with its slash. */
type Pattern = string;
type TopicRow = readonly [Pattern, (parts: Parts) => Topic];

const upstreamTopics: readonly TopicRow[] = [
	['<mode>/us/<child?>', ({ mode, child }) => ({ kind: 'static', direction: 'up', mode, ...given('child', child) })],
	[
		'<mode>/uc/<collection>/<child?>',
		({ mode, collection, child }) => ({ kind: 'custom', direction: 'up', mode, collection, ...given('child', child) }),
	],
	['<mode>/ud/<child?>', ({ mode, child }) => ({ kind: 'default', direction: 'up', mode, ...given('child', child) })],
	['s/ut/<collection>', ({ collection }) => ({ kind: 'template', direction: 'up', collection })],
	['s/uat', () => ({ kind: 'token', direction: 'up' })],
	['s/ucr', () => ({ kind: 'credentials', direction: 'up' })],
	['s/ul/<collection?>', ({ collection }) => ({ kind: 'legacy', direction: 'up', suffix: 'ul', ...given('collection', collection) })],
	[
		'inventory/managedObjects/update/<externalId?>',
		({ externalId }) => ({ kind: 'inventory', direction: 'up', ...given('externalId', externalId) }),
	],
	['event/events/create', () => ({ kind: 'event', direction: 'up', bulk: false })],
	['event/events/createBulk', () => ({ kind: 'event', direction: 'up', bulk: true })],
	['alarm/alarms/create', () => ({ kind: 'alarm', direction: 'up', bulk: false })],
	['alarm/alarms/createBulk', () => ({ kind: 'alarm', direction: 'up', bulk: true })],
	['measurement/measurements/create', () => ({ kind: 'measurement', direction: 'up', bulk: false })],
	['measurement/measurements/createBulk', () => ({ kind: 'measurement', direction: 'up', bulk: true })],
];

const downstreamTopics: readonly TopicRow[] = [
	['s/ds', () => ({ kind: 'static', direction: 'down' })],
	['s/e', () => ({ kind: 'error', direction: 'down' })],
	['s/dat', () => ({ kind: 'token', direction: 'down' })],
	['s/dcr', () => ({ kind: 'credentials', direction: 'down' })],
	['s/dt', () => ({ kind: 'template', direction: 'down' })],
	['s/dc/<collection>', ({ collection }) => ({ kind: 'custom', direction: 'down', collection })],
	['s/dd', () => ({ kind: 'default', direction: 'down' })],
	['s/dl/<collection?>', ({ collection }) => ({ kind: 'legacy', direction: 'down', suffix: 'dl', ...given('collection', collection) })],
	['s/ol/<collection?>', ({ collection }) => ({ kind: 'legacy', direction: 'down', suffix: 'ol', ...given('collection', collection) })],
	['devicecontrol/notifications', () => ({ kind: 'operations', direction: 'down' })],
	['error', () => ({ kind: 'json-error', direction: 'down' })],
];

/** Takes a topic apart; `undefined` for one that devices have no use of, and for one with a wildcard [SR-TOPIC]. */
export function parseTopic(topic: string): Topic | undefined {
	if (notInATopic.test(topic)) return undefined;
	const levels = topic.split('/');
	for (const { pattern, toTopic } of rowsByKey.get(keyOf(levels)) ?? []) {
		const parts = matchPattern(pattern, levels);
		if (parts !== undefined) return toTopic(parts);
	}
	return undefined;
}

/** Puts a topic together; the inverse of `parseTopic`. */
export function formatTopic(topic: Topic): string {
	switch (topic.kind) {
		case 'static':
			return topic.direction === 'up' ? join(topic.mode, 'us', topic.child) : 's/ds';
		case 'custom':
			return topic.direction === 'up'
				? join(topic.mode, 'uc', topic.collection, topic.child)
				: join('s', 'dc', topic.collection);
		case 'default':
			return topic.direction === 'up' ? join(topic.mode, 'ud', topic.child) : 's/dd';
		case 'template':
			return topic.direction === 'up' ? join('s', 'ut', topic.collection) : 's/dt';
		case 'token':
			return topic.direction === 'up' ? 's/uat' : 's/dat';
		case 'credentials':
			return topic.direction === 'up' ? 's/ucr' : 's/dcr';
		case 'error':
			return 's/e';
		case 'legacy':
			return join('s', topic.suffix, topic.collection);
		case 'operations':
			return 'devicecontrol/notifications';
		case 'json-error':
			return 'error';
		case 'inventory':
			return join('inventory', 'managedObjects', 'update', topic.externalId);
		default:
			return join(topic.kind, `${topic.kind}s`, topic.bulk ? 'createBulk' : 'create');
	}
}

/** Whether a device may publish on a topic. */
export function mayPublish(topic: string): boolean {
	return parseTopic(topic)?.direction === 'up';
}

/**
 * Whether a device may subscribe to a filter: to the downstream topics, and with a wildcard only in the place of a template
 * collection, so that no filter reaches what devices publish or the broker's own topics [SR-TOPIC].
 */
export function maySubscribe(filter: string): boolean {
	const levels = filter.split('/');
	if (levels.some((level) => notInALevel.test(level))) return false;
	return downstreamPatterns.some((pattern) => matchPattern(pattern, levels) !== undefined);
}

const notInATopic = /[+#\0]/;
/** A wildcard is a level of its own or nothing. */
const notInALevel = /\0|[+#]./s;

interface PatternLevel {
	word?: string;
	placeholder?: 'mode' | 'collection' | 'child' | 'externalId';
	optional: boolean;
}

function compilePattern(pattern: Pattern): PatternLevel[] {
	return pattern.split('/').map((level) => {
		const optional = level.endsWith('?>');
		switch (level.replace('?', '')) {
			case '<mode>':
				return { placeholder: 'mode', optional };
			case '<collection>':
				return { placeholder: 'collection', optional };
			case '<child>':
				return { placeholder: 'child', optional };
			case '<externalId>':
				return { placeholder: 'externalId', optional };
			default:
				return { word: level, optional: false };
		}
	});
}
