import type { z } from 'zod';
import { groups } from './schema.ts';
import { settingNotes } from './setting.ts';

/** One setting as it is shown: to readers of the reference, in faults, in `--print-config`. */
export interface Setting {
	/** Its name in the environment and in the file. */
	readonly name: string;
	readonly group: string;
	/** Its key in its group of the configuration. */
	readonly key: string;
	readonly groupTitle: string;
	readonly meaning: string;
	/** What a right value is, in words. */
	readonly right: string;
	readonly secret: boolean;
	/** The value when nobody sets it. */
	readonly value: unknown;
}

/** All settings, in the order of the schema. */
export const settings: readonly Setting[] = Object.entries(groups).flatMap(([group, groupSchema]) =>
	Object.entries(groupSchema.shape).map(([key, schema]: [string, z.ZodType]) => {
		const note = settingNotes.get(schema);
		if (note === undefined) throw new TypeError(`The setting ${group}.${key} has no name`);
		return {
			...note,
			group,
			key,
			groupTitle: groupSchema.description ?? group,
			meaning: schema.description ?? '',
			value: schema.safeParse(undefined).data,
		};
	}),
);
