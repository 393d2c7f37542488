import { errorCodes, type Template, templates } from '../../smartrest/index.ts';
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
		'## From the device, on `s/us` and `s/us/<child>`',
		section('up'),
		'## To the device, on `s/ds` (`70` on `s/dcr`, `71` on `s/dat`, `20` and `41` on `s/dt`)',
		section('down'),
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

function parameters({ fields, group, sections }: Template): string {
	const names = fields.map(({ name, mandatory }) => (mandatory ? `**${name}**` : name));
	if (group) names.push(`(${group.map(({ name, mandatory }) => (mandatory ? `**${name}**` : name)).join(', ')})…`);
	for (const { marker, fields: parts } of sections ?? []) names.push(`${marker} (${parts.map(({ name }) => name).join(', ')})…`);
	return names.join(', ');
}
