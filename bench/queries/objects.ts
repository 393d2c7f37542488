import type { NewObject } from '../../inventory/index.ts';

export const tenant = 't1';
/** Each value of a field is shared by so many objects. */
export const alike = 5;
/** Groups with devices in them; however many devices there are. */
export const groups = 100;

/** A device; `heardAt` is when it last sent something. Numbers that are `alike` have the same values in every field that is asked for. */
export function newObject(number: number, heardAt: string): NewObject {
	const set = Math.floor(number / alike);
	return {
		owner: `fitter_${set}`,
		patch: {
			name: `Gateway ${set}`,
			type: `gateway_model_${set}`,
			fragments: {
				c8y_IsDevice: {},
				[`site_${set}`]: {},
				c8y_Software: { version: `4.${set}` },
				c8y_Hardware: { serialNumber: `SN${set}`, model: 'EG-200', revision: '3' },
				c8y_Availability: { lastMessage: heardAt },
				c8y_RequiredAvailability: { responseInterval: 525_600 },
			},
		},
	};
}

/** The queries that are measured: each finds the objects of one set. */
export const queries: Readonly<Record<string, (set: number) => string>> = {
	type: (set) => `$filter=type eq 'gateway_model_${set}'`,
	name: (set) => `$filter=name eq 'Gateway ${set}'`,
	owner: (set) => `$filter=owner eq 'fitter_${set}'`,
	'fragment existence': (set) => `$filter=has(site_${set})`,
	'c8y_Software.version': (set) => `$filter=c8y_Software.version eq '4.${set}'`,
	'serial number': (set) => `$filter=c8y_Hardware.serialNumber eq 'SN${set}'`,
	'two terms, sorted': (set) => `$filter=has(c8y_IsDevice) and type eq 'gateway_model_${set}' $orderby=name asc`,
	'text with a wildcard': (set) => `$filter=owner eq 'fitter_${set}*' and name eq 'Gateway ${set}'`,
};
