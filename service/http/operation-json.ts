import { z } from 'zod';
import { formatTime, parseManagedObjectId } from '../../inventory/index.ts';
import {
	type NewOperation,
	type Operation,
	type OperationChange,
	operationServerFields,
	operationStatuses,
} from '../../operations/index.ts';
import { fragmentsOf, recordOf } from './fragments-of.ts';
import { HttpError } from './http-error.ts';
import { decodeJson, describedBody } from './json-decode.ts';
import type { Json } from './managed-object-json.ts';
import { idSchema, sentIdSchema, timeSchema } from './managed-object-schema.ts';
import type { JsonBody } from './route.ts';

const statusSchema = z.enum(operationStatuses);

/** An operation as it is answered. */
export const operationSchema = z
	.looseObject({
		id: idSchema,
		self: z.string(),
		deviceId: idSchema,
		agentId: idSchema,
		deviceName: z.string().optional(),
		status: statusSchema,
		failureReason: z.string().optional(),
		description: z.string().optional(),
		creationTime: timeSchema,
		delivery: z.object({
			status: z.enum(['PENDING', 'DELIVERED']),
			time: timeSchema,
			log: z.array(z.looseObject({})),
		}),
		deviceExternalIDs: z.object({ externalIds: z.array(z.object({ type: z.string(), externalId: z.string() })) }),
	})
	.meta({ id: 'Operation', description: 'Other fields are the fragments: what the device is asked to do' });

const newOperationSchema = z
	.looseObject({
		deviceId: z.union([z.string(), z.int()]).optional(),
		description: z.string().nullable().optional(),
		c8y_SoftwareUpdate: z
			.array(
				z.looseObject({
					name: z.string(),
					version: z.string().nullable().optional(),
					softwareType: z.string().nullable().optional(),
					url: z.string().nullable().optional(),
					action: z.enum(['install', 'delete']),
				}),
			)
			.optional(),
	})
	.meta({ id: 'NewOperation', description: 'Other fields are fragments. deviceId is the id of the managed object' });

const operationChangeSchema = z
	.looseObject({
		status: statusSchema.optional(),
		failureReason: z.string().nullable().optional(),
		description: z.string().nullable().optional(),
	})
	.meta({ id: 'OperationChange', description: 'Other fields are fragments; null removes one' });

/** The body that creates an operation. */
export const newOperationBody: JsonBody<NewOperation> = describedBody(newOperationSchema, (value) => {
	const { deviceId, description, status: _, failureReason: __, ...fragments } = recordOf('An operation', value);
	if (deviceId === undefined || deviceId === null || deviceId === '')
		throw new HttpError('http/badRequest', 'deviceId is missing: name the managed object that the operation is for');
	const id = decodeJson(deviceIdBody, { deviceId });
	const texts = decodeJson(textsBody, { description });
	return {
		deviceId: parseManagedObjectId(String(id.deviceId)),
		...(texts.description != null && { description: texts.description }),
		fragments: fragmentsOf(fragments, operationServerFields, { keepNulls: false }),
	};
});

/** The body that changes an operation. */
export const operationChangeBody: JsonBody<OperationChange> = describedBody(operationChangeSchema, (value) => {
	const { deviceId: _, status, failureReason, description, ...fragments } = recordOf('An operation', value);
	const decoded = decodeJson(statusBody, { status });
	const texts = decodeJson(textsBody, { description, failureReason });
	const changed = fragmentsOf(fragments, operationServerFields, { keepNulls: true });
	return {
		...(decoded.status && { status: decoded.status }),
		...(texts.failureReason != null && { failureReason: texts.failureReason }),
		...(texts.description != null && { description: texts.description }),
		...(Object.keys(changed).length > 0 && { fragments: changed }),
	};
});

// Made once: to make a schema costs many times what it costs to use it.
const deviceIdBody = z.object({ deviceId: sentIdSchema });
const statusBody = z.object({ status: statusSchema.nullish() });
const text = z.string().max(65_536).nullish();
const textsBody = z.object({ description: text, failureReason: text });

/** An operation as clients see it. */
export function operationJson(operation: Operation, base: string): Json {
	const { id, deviceId, agentId, deviceName, status, failureReason, description, creationTime, delivery } = operation;
	return {
		id,
		self: `${base}/devicecontrol/operations/${id}`,
		deviceId,
		agentId,
		deviceName,
		status,
		failureReason,
		description,
		creationTime: formatTime(creationTime),
		delivery: { status: delivery.status, time: formatTime(delivery.time), log: [] },
		deviceExternalIDs: { externalIds: operation.externalIds },
		...operation.fragments,
	};
}
