import { z } from 'zod';
import type { Principal } from '../../access/index.ts';
import type { ObjectFilter } from '../../inventory/index.ts';
import type { HttpOptions } from './http-options.ts';
import type { ObjectView } from './managed-object-json.ts';
import { booleanParameter, listParameter, textParameter } from './query-values.ts';

const example = "$filter=(type eq 'c8y_Software' and name eq 'python3*') $orderby=name";

/** What managed objects can be asked for. */
export const objectFilterParameters = {
	type: textParameter('The exact type').optional(),
	fragmentType: textParameter('A fragment that the objects have').optional(),
	owner: textParameter('The exact owner').optional(),
	ids: listParameter('Ids, separated by commas or repeated').optional(),
	text: textParameter('The whole text of a property of the objects; single quotes around it are left out')
		.transform((text) => /^'(.*)'$/s.exec(text)?.[1] ?? text)
		.optional(),
	query: textParameter('What the objects must be, in the query language, and their order').meta({ example }).optional(),
	q: textParameter('The same as query, and only devices').optional(),
	childDeviceId: textParameter('Id of a child device: its parents are found').optional(),
	childAssetId: textParameter('Id of a child asset: its parents are found').optional(),
	childAdditionId: textParameter('Id of a child addition: its parents are found').optional(),
	onlyRoots: booleanParameter('Whether only objects without parents are found').optional(),
	withGroups: booleanParameter('Changes nothing: groups are found like all other objects').optional(),
} satisfies Readonly<Record<Exclude<keyof ObjectFilter, 'below' | 'within'> | 'withGroups', z.ZodType>>;

/** What of managed objects is shown. */
export const viewParameters = {
	withChildren: booleanParameter('Whether to show child references; true when unset').optional(),
	withParents: booleanParameter(
		'Whether to show references to the parents that the caller may read; false when unset',
	).optional(),
	skipChildrenNames: booleanParameter('Whether to leave out the names of children').optional(),
};

const viewQuery = z.object(viewParameters);

export function objectView(
	{ base, principal }: { readonly base: string; readonly principal: Principal },
	{ withChildren = true, withParents = false, skipChildrenNames = false }: z.output<typeof viewQuery>,
	{ showAdvancedListInInventory }: Pick<HttpOptions, 'showAdvancedListInInventory'>,
): ObjectView {
	return {
		base,
		withChildren,
		...(withParents && { parentsFor: principal }),
		skipChildrenNames,
		withAdvancedList: showAdvancedListInInventory,
	};
}
