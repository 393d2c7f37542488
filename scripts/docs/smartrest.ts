import {
	errorCodes,
	type RequestKindRow,
	requestKinds,
	type Template,
	templates,
	topicPatterns,
	valueTypes,
} from '../../smartrest/index.ts';
import { pageHead, table } from './markdown.ts';

/** The device protocol: every template that is served, and what `s/e` says. */
export function renderSmartRest(): string {
	const rows: readonly Template[] = templates;
	const section = (direction: Template['direction']) =>
		table(
			['id', 'name', 'parameters', 'effect'],
			rows.filter((row) => row.direction === direction).map((row) => [row.id, row.name, parameters(row), row.effect]),
		);
	return `${[
		pageHead('SmartREST 2.0 templates', 'smartrest/templates.ts').trimEnd(),
		'Mandatory parameters are bold; what stands in round brackets may come again and again. Values are separated by commas; a value with a comma, a quote, a line break or white space at its ends is quoted.',
		'## Topics',
		'`<mode>` is `s`, `t`, `q` or `c`; what stands in square brackets may be left out. A wildcard may be subscribed to in the place of `<collection>` only. `s/ucr` and `s/dcr` are for the bootstrap user, `s/ul` (SmartREST 1) is refused, `s/dl` and `s/ol` stay silent.',
		table(
			['published by devices', 'subscribed to by devices'],
			topicPatterns.up.map((up, index) => [code(up), code(topicPatterns.down[index])]),
		),
		'## From the device, on `s/us` and `s/us/<child>`',
		section('up'),
		'## To the device, on `s/ds` (`70` on `s/dcr`, `71` on `s/dat`, `20` and `41` on `s/dt`)',
		section('down'),
		...collectionSections(),
		'## Errors, on `s/e`',
		'A line that is refused is answered with `<code>,<template id>,<text>` and spoils none of the lines beside it.',
		table(
			['code', 'meaning'],
			Object.values(errorCodes).map(({ code, meaning }) => [code, meaning]),
		),
	]
		.join('\n\n')
		.trimEnd()}\n`;
}

function code(text: string | undefined): string {
	return text === undefined ? '' : `\`${text}\``;
}

function parameters({ fields, group, sections }: Template): string {
	const names = fields.map(({ name, mandatory }) => (mandatory ? `**${name}**` : name));
	if (group) names.push(`(${group.map(({ name, mandatory }) => (mandatory ? `**${name}**` : name)).join(', ')})…`);
	for (const { marker, fields: parts } of sections ?? []) names.push(`${marker} (${parts.map(({ name }) => name).join(', ')})…`);
	return names.join(', ');
}

function collectionSections(): string[] {
	const kinds: readonly RequestKindRow[] = requestKinds;
	return [
		'## Template collections',
		'A collection is registered by one publish on `s/ut/<X-ID>`, all lines of which must be good; it cannot be changed over MQTT afterwards. An empty publish asks for it, and `20` or `41` answers on `s/dt`. Its messages go to `s/uc/<X-ID>` and `s/uc/<X-ID>/<child>`, their answers and operations come on `s/dc/<X-ID>`. The collection that the client id names as its third part (`d:<serial>:<X-ID>`) is also reached by `s/ud`, `s/ud/<child>` and `s/dd`.',
		'A line `10` is a request template. A value that the template gives is fixed; one that it leaves empty is sent in the message, in this order. `response` says whether the message is answered by the response templates: `true`, `false`, or empty for `true` with GET only.',
		table(
			['request template', 'message', 'effect'],
			kinds.map((kind) => [requestLine(kind), messageLine(kind), kind.effect]),
		),
		"`(path,type,value)…` are values of the template's own, with one of these types; `STRING` when left out.",
		table(
			['type', 'meaning'],
			Object.entries(valueTypes).map(([name, { meaning }]) => [`\`${name}\``, meaning]),
		),
		'A line `11,<msgId>,<base>,<condition>,<pattern>…` is a response template. It is written where its condition finds something, or has none: `<msgId>,<value>…`, for operations `<msgId>,<external id of the device>,<value>…`. Base and patterns are put together; a pattern that finds nothing is an empty value, one that finds several is a value each. Every template of the collection is tried, so there may be several lines in one message.',
		"Paths have names, `['name']`, `[0]`, `[*]`, `.*` and one `..`; the leading `$.` may be left out.",
	];
}

function requestLine({ method, api, byReference, mandatory, takesCustomValues }: RequestKindRow): string {
	const values = byReference ? ['byId', 'externalIdType'] : mandatory.map(({ name }) => name);
	const own = takesCustomValues ? ['(path,type,value)…'] : [];
	return `\`${['10', '<msgId>', method, api, '<response>', ...values.map((name) => `<${name}>`), ...own].join()}\``;
}

function messageLine({ name, byReference, mandatory, takesCustomValues }: RequestKindRow): string {
	const object = byReference ? ['<object>'] : name === 'CreateObject' ? ['<externalId>'] : [];
	const own = takesCustomValues ? ['<value>…'] : [];
	return `\`${['<msgId>', ...object, ...mandatory.map((value) => `<${value.name}>`), ...own].join()}\``;
}
