import type { ValueTypeName } from './collection-values.ts';

/** A value that every template of a kind has, in the order of the line. */
export interface MandatoryValue {
	readonly name: string;
	readonly type: ValueTypeName;
	/** Where it goes: into the document under its name, or beside it because it only says what is meant. */
	readonly role: 'document' | 'selector';
}

/** What a request template may ask for. */
export interface RequestKindRow {
	readonly name: string;
	readonly method: 'GET' | 'PUT' | 'POST';
	readonly api: 'INVENTORY' | 'MEASUREMENT' | 'EVENT' | 'ALARM' | 'OPERATION';
	/** Whether the template says how a managed object is named: by its id, or by an external id of a given type. */
	readonly byReference: boolean;
	readonly mandatory: readonly MandatoryValue[];
	/** Whether values of the template's own may follow. */
	readonly takesCustomValues: boolean;
	readonly effect: string;
}

const type = { name: 'type', type: 'STRING', role: 'document' } as const;
const text = { name: 'text', type: 'STRING', role: 'document' } as const;
const time = { name: 'time', type: 'DATE', role: 'document' } as const;
const fragment = { name: 'fragment', type: 'STRING', role: 'selector' } as const;

/** THE table of what request templates may ask for: registration, decoder, handlers and the reference page are made from it. [SR-10] */
export const requestKinds = [
	{
		name: 'GetObject',
		method: 'GET',
		api: 'INVENTORY',
		byReference: true,
		mandatory: [],
		takesCustomValues: false,
		effect: 'Answers with a managed object: the device, what is below it, or what the device has created.',
	},
	{
		name: 'UpdateObject',
		method: 'PUT',
		api: 'INVENTORY',
		byReference: true,
		mandatory: [],
		takesCustomValues: true,
		effect: 'Changes such a managed object; named fragments are replaced whole.',
	},
	{
		name: 'CreateObject',
		method: 'POST',
		api: 'INVENTORY',
		byReference: false,
		mandatory: [{ name: 'externalIdType', type: 'STRING', role: 'selector' }],
		takesCustomValues: true,
		effect: 'Creates a managed object, with an external id where the message gives one.',
	},
	{
		name: 'CreateMeasurement',
		method: 'POST',
		api: 'MEASUREMENT',
		byReference: false,
		mandatory: [type, time],
		takesCustomValues: true,
		effect: 'Reports a measurement; accepted and not kept.',
	},
	{
		name: 'CreateEvent',
		method: 'POST',
		api: 'EVENT',
		byReference: false,
		mandatory: [type, text, time],
		takesCustomValues: true,
		effect: 'Reports an event; accepted and not kept.',
	},
	{
		name: 'CreateAlarm',
		method: 'POST',
		api: 'ALARM',
		byReference: false,
		mandatory: [
			type,
			text,
			{ name: 'status', type: 'ALARMSTATUS', role: 'document' },
			{ name: 'severity', type: 'SEVERITY', role: 'document' },
			time,
		],
		takesCustomValues: true,
		effect: 'Raises an alarm; accepted and not kept.',
	},
	{
		name: 'UpdateAlarm',
		method: 'PUT',
		api: 'ALARM',
		byReference: false,
		mandatory: [type],
		takesCustomValues: true,
		effect: 'Changes the alarm of the type; accepted and not kept.',
	},
	{
		name: 'GetOperation',
		method: 'GET',
		api: 'OPERATION',
		byReference: false,
		mandatory: [fragment],
		takesCustomValues: false,
		effect: 'Answers with the oldest EXECUTING operation with the fragment, else the oldest PENDING one.',
	},
	{
		name: 'UpdateOperation',
		method: 'PUT',
		api: 'OPERATION',
		byReference: false,
		mandatory: [fragment],
		takesCustomValues: true,
		effect: 'Changes that operation: `status`, `failureReason`, `description`, fragments.',
	},
] as const satisfies readonly RequestKindRow[];

export type RequestKind = (typeof requestKinds)[number]['name'];

/** The first field of a line that has a value: template id, message id, method, API and whether it is answered come before. */
export const firstValuePosition = 6;

/** Fields between the head of a line and the values that a template adds itself. */
export function fixedWidth({ byReference, mandatory }: RequestKindRow): number {
	return byReference ? 2 : mandatory.length;
}

export function findRequestKind(method: string, api: string): ((typeof requestKinds)[number] & RequestKindRow) | undefined {
	return requestKinds.find((kind) => kind.method === method && kind.api === api);
}
