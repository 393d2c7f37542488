import type { Direction, Field, Section, templates } from './templates.ts';

type Row = (typeof templates)[number];
type RowOf<Name extends TemplateName> = Extract<Row, { name: Name }>;

/** The name of any template. */
export type TemplateName = Row['name'];
/** The name of a template that devices send. */
export type UpstreamTemplateName = Extract<Row, { direction: 'up' }>['name'];
/** The name of a template that is sent to devices. */
export type DownstreamTemplateName = Extract<Row, { direction: 'down' }>['name'];

type Values<Fields extends readonly Field[]> = { [F in Fields[number] as F['name']]: string };
type Items<R extends Row> = R extends { group: infer Group extends readonly Field[] } ? Values<Group>[] : never[];
type Sections<R extends Row> = R extends { sections: infer Parts extends readonly Section[] }
	? { sections: { [S in Parts[number] as S['name']]: Values<S['fields']>[] } }
	: unknown;

/**
 * A decoded message of one template. Every parameter is there, `''` where the line had none; every item is padded to its full
 * width; a template without a repeating group has no items. `line` is the line of the payload it starts on, from 1.
 */
export type MessageOf<Name extends TemplateName> = {
	[N in Name]: {
		template: N;
		id: RowOf<N>['id'];
		line: number;
		fields: Values<RowOf<N>['fields']>;
		items: Items<RowOf<N>>;
	} & Sections<RowOf<N>>;
}[Name];

/** Any message that devices send, discriminated by `template`. */
export type UpstreamMessage = MessageOf<UpstreamTemplateName>;
/** Any message that is sent to devices, discriminated by `template`. */
export type DownstreamMessage = MessageOf<DownstreamTemplateName>;
/** Any message of a direction. */
export type MessageIn<Way extends Direction> = Way extends 'up' ? UpstreamMessage : DownstreamMessage;

type Input<Fields extends readonly Field[]> = { [F in Extract<Fields[number], { mandatory: true }> as F['name']]: string } & {
	[F in Exclude<Fields[number], { mandatory: true }> as F['name']]?: string | undefined;
};
type FieldsInput<R extends Row> = R['fields'] extends readonly [] ? { fields?: object } : { fields: Input<R['fields']> };
type ItemsInput<R extends Row> = R extends { group: infer Group extends readonly Field[] }
	? { items: readonly Input<Group>[] }
	: { items?: readonly never[] };
type SectionsInput<R extends Row> = R extends { sections: infer Parts extends readonly Section[] }
	? { sections: { [S in Parts[number] as S['name']]?: readonly Input<S['fields']>[] } }
	: unknown;

/** What the encoder needs for a template: optional parameters may be left out. A decoded message will do. */
export type ContentOf<Name extends TemplateName> = FieldsInput<RowOf<Name>> & ItemsInput<RowOf<Name>> & SectionsInput<RowOf<Name>>;
