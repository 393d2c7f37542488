import { z } from 'zod';

/** Text of decimal digits. */
export const idSchema = z.string().meta({ description: 'Decimal digits', override: { pattern: '^[0-9]+$' } });
/** An id as clients send it: some send it as a number. */
export const sentIdSchema = z.union([z.string(), z.int()], { error: 'must be a text of digits' });
export const timeSchema = z.string().meta({ description: 'RFC 3339, UTC, milliseconds', override: { format: 'date-time' } });

const references = z
	.object({
		self: z.string(),
		references: z.array(
			z.object({
				managedObject: z.object({ id: idSchema, name: z.string().optional(), self: z.string() }),
				self: z.string(),
			}),
		),
	})
	.meta({ id: 'References' });

/** A managed object as it is answered. */
export const managedObjectSchema = z
	.looseObject({
		id: idSchema,
		self: z.string(),
		owner: z.string(),
		creationTime: timeSchema,
		lastUpdated: timeSchema,
		name: z.string().optional(),
		type: z.string().optional(),
		childDevices: references.optional(),
		childAssets: references.optional(),
		childAdditions: references.optional(),
		deviceParents: references.optional(),
		assetParents: references.optional(),
		additionParents: references.optional(),
		c8y_SoftwareList: z.array(z.looseObject({})).optional(),
		c8y_Availability: z
			.looseObject({ status: z.enum(['AVAILABLE', 'UNAVAILABLE']).optional(), lastMessage: z.string().optional() })
			.optional(),
	})
	.meta({ id: 'ManagedObject', description: 'A device, a child, a service or another object; other fields are its fragments' });

/** A managed object as it is sent; what only the service may set is ignored. */
export const managedObjectBodySchema = z
	.looseObject({
		name: z.string().nullable().optional(),
		type: z.string().nullable().optional(),
		c8y_SoftwareList: z.array(z.looseObject({})).nullable().optional(),
	})
	.meta({ id: 'ManagedObjectBody', description: 'Other fields are fragments; null removes one' });
