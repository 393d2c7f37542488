import type { Field, Section } from './template.ts';
import type { templates } from './templates.ts';

type Row = (typeof templates)[number];

/** The name of any template. */
export type TemplateName = Row['name'];
/** The name of a template that devices send. */
export type UpstreamTemplateName = Extract<Row, { direction: 'up' }>['name'];
/** The name of a template that is sent to devices. */
export type DownstreamTemplateName = Extract<Row, { direction: 'down' }>['name'];

type Values<Fields extends readonly Field[]> = { [F in Fields[number] as F['name']]: string };
type ItemsOf<R extends Row> = R extends { group: infer Group extends readonly Field[] } ? Values<Group>[] : never[];
type SectionsOf<R extends Row> = R extends { sections: infer Parts extends readonly Section[] }
	? { sections: { [S in Parts[number] as S['name']]: Values<S['fields']>[] } }
	: unknown;
type Bodies = {
	[R in Row as R['name']]: { id: R['id']; fields: Values<R['fields']>; items: ItemsOf<R>; sections: SectionsOf<R> };
};

/**
 * A decoded message of one template. Every parameter is there, `''` where the line had none; every item is padded to its full
 * width; a template without a repeating group has no items. `line` is the line of the payload it starts on, from 1.
 */
export type MessageOf<Name extends TemplateName> = {
	[N in Name]: {
		template: N;
		id: Bodies[N]['id'];
		line: number;
		fields: Bodies[N]['fields'];
		items: Bodies[N]['items'];
	} & Bodies[N]['sections'];
}[Name];

/** Any message that devices send, discriminated by `template`. */
export type UpstreamMessage = MessageOf<UpstreamTemplateName>;
/** Any message that is sent to devices, discriminated by `template`. */
export type DownstreamMessage = MessageOf<DownstreamTemplateName>;
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

type Contents = { [R in Row as R['name']]: FieldsInput<R> & ItemsInput<R> & SectionsInput<R> };

/** What the encoder needs for a template: optional parameters may be left out. A decoded message will do. */
export type ContentOf<Name extends TemplateName> = Contents[Name];
