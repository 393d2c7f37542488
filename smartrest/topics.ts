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

/** What the placeholders of a pattern stood for; `''` for one that was left out. */
interface Parts {
	mode: Mode;
	collection: string;
	child: string;
	externalId: string;
}

/** A pattern as the documentation writes it: `<placeholder>` is one level, what stands in brackets may be left out. */
type TopicRow = readonly [pattern: string, toTopic: (parts: Parts) => Topic];

const upstreamTopics: readonly TopicRow[] = [
	['<mode>/us[/<child>]', ({ mode, child }) => ({ kind: 'static', direction: 'up', mode, ...optional(child, { child }) })],
	[
		'<mode>/uc/<collection>[/<child>]',
		({ mode, collection, child }) => ({ kind: 'custom', direction: 'up', mode, collection, ...optional(child, { child }) }),
	],
	['<mode>/ud[/<child>]', ({ mode, child }) => ({ kind: 'default', direction: 'up', mode, ...optional(child, { child }) })],
	['s/ut/<collection>', ({ collection }) => ({ kind: 'template', direction: 'up', collection })],
	['s/uat', () => ({ kind: 'token', direction: 'up' })],
	['s/ucr', () => ({ kind: 'credentials', direction: 'up' })],
	[
		's/ul[/<collection>]',
		({ collection }) => ({ kind: 'legacy', direction: 'up', suffix: 'ul', ...optional(collection, { collection }) }),
	],
	[
		'inventory/managedObjects/update[/<externalId>]',
		({ externalId }) => ({ kind: 'inventory', direction: 'up', ...optional(externalId, { externalId }) }),
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
	[
		's/dl[/<collection>]',
		({ collection }) => ({ kind: 'legacy', direction: 'down', suffix: 'dl', ...optional(collection, { collection }) }),
	],
	[
		's/ol[/<collection>]',
		({ collection }) => ({ kind: 'legacy', direction: 'down', suffix: 'ol', ...optional(collection, { collection }) }),
	],
	['devicecontrol/notifications', () => ({ kind: 'operations', direction: 'down' })],
	['error', () => ({ kind: 'json-error', direction: 'down' })],
];

/** All topics that devices use, as the documentation writes them: `<placeholder>` is one level, what is in brackets may be left out. */
export const topicPatterns: Readonly<Record<'up' | 'down', readonly string[]>> = {
	up: upstreamTopics.map(([pattern]) => pattern),
	down: downstreamTopics.map(([pattern]) => pattern),
};

/** Takes a topic apart; `undefined` for one that devices have no use of, and for one with a wildcard [SR-TOPIC]. */
export function parseTopic(topic: string): Topic | undefined {
	for (const { expression, toTopic } of topicMatchers) {
		const match = expression.exec(topic);
		if (match !== null) return toTopic(toParts(match.groups ?? {}));
	}
	return undefined;
}

/**
 * Whether a device may subscribe to a filter: to the downstream topics, and with a wildcard only in the place of a template
 * collection, so that no filter reaches what devices publish or the broker's own topics [SR-TOPIC].
 */
export function maySubscribe(filter: string): boolean {
	return filterExpressions.some((expression) => expression.test(filter));
}

/** Topic filters for everything that devices publish, except what asks for credentials; `+` for each part that differs. */
export function upstreamFilters(): string[] {
	const parts: Parts = { mode: 's', collection: '', child: '', externalId: '' };
	return upstreamTopics
		.filter(([, toTopic]) => toTopic(parts).kind !== 'credentials')
		.flatMap(([pattern]) => [pattern.replace(/\[.*\]/, ''), pattern.replace(/[[\]]/g, '')])
		.map((filter) => filter.replace(/<\w+>/g, '+'))
		.filter((filter, index, all) => all.indexOf(filter) === index);
}

const word = '[^/+#\\u0000]+';
const topicMatchers = [...upstreamTopics, ...downstreamTopics].map(([pattern, toTopic]) => ({
	expression: toExpression(pattern, word),
	toTopic,
}));
const filterExpressions = downstreamTopics.map(([pattern]) => toExpression(pattern, `${word}|[+]|#`));

function toExpression(pattern: string, level: string): RegExp {
	const source = pattern
		.replaceAll('[', '(?:')
		.replaceAll(']', ')?')
		.replace('<mode>', '(?<mode>[stqc])')
		.replace(/<(collection|child|externalId)>/g, `(?<$1>${level})`);
	return new RegExp(`^${source}$`);
}

const modes: readonly Mode[] = ['s', 't', 'q', 'c'];

function toParts(groups: { [name: string]: string | undefined }): Parts {
	return {
		mode: modes.find((mode) => mode === groups.mode) ?? 's',
		collection: groups.collection ?? '',
		child: groups.child ?? '',
		externalId: groups.externalId ?? '',
	};
}

/** A part that was left out is no property at all. */
function optional<Part extends object>(value: string, part: Part): Partial<Part> {
	return value === '' ? {} : part;
}
