import { z } from 'zod';
import { AccessError } from '../../access/index.ts';
import { InventoryError } from '../../inventory/index.ts';
import { createBulkRegistration } from './bulk-registration.ts';
import { parseDeviceLines } from './device-lines.ts';
import type { HttpServices } from './http-options.ts';
import { readMultipartForm } from './multipart-form.ts';
import { readLimited } from './read-limited.ts';
import { created } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const statuses = ['CREATED', 'CREDENTIAL_UPDATED', 'FAILED'] as const;
const resultSchema = z.object({
	line: z.string().meta({ description: 'Its number in the file; the head line is 1' }),
	deviceId: z.string(),
	bulkNewDeviceStatus: z.enum(statuses),
	failureReason: z.string().optional(),
});
const answerSchema = z
	.object({
		numberOfAll: z.int(),
		numberOfCreated: z.int(),
		numberOfFailed: z.int(),
		numberOfSuccessful: z.int(),
		credentialUpdatedList: z.array(resultSchema),
		failedCreationList: z.array(resultSchema),
		lines: z.array(resultSchema).meta({ description: 'What became of each line, in the order of the file' }),
	})
	.meta({ id: 'BulkNewDeviceRequests' });
const formSchema = z.object({
	file: z.any().meta({
		description: 'CSV with a head line, separated by comma, semicolon or tab',
		override: { type: 'string', format: 'binary' },
	}),
});

/** Registers many devices at once. */
export function bulkRegistrationRoutes(services: HttpServices): Route[] {
	const { options } = services;
	const register = createBulkRegistration(services);

	return [
		route({
			method: 'post',
			path: '/devicecontrol/bulkNewDeviceRequests',
			permission: 'registrations:write',
			summary: 'Register devices by a CSV file',
			description:
				'Each line has the result of its own. AUTH_TYPE BASIC needs CREDENTIALS, a password; CERTIFICATES needs ENROLLMENT_OTP where the service signs the certificate (EST), and nothing where another authority does. PATH names groups with slashes between; missing ones are made.',
			tag: 'Device registration',
			params: noParams,
			query: noQuery,
			body: noBody,
			upload: { 'multipart/form-data': formSchema },
			answers: { 201: { description: 'What became of the lines', schema: answerSchema } },
			refusals: ['http/bodyTooLarge', 'http/unsupportedMediaType', 'http/malformedMultipart', 'http/invalidBody'],
			handler: async ({ principal, headers, readStream }) => {
				const { received } = await readMultipartForm(
					{ headers, body: readStream(), limits: { fieldMaxBytes: 1024 } },
					({ stream }) => readLimited(stream, options.bodyMaxBytes),
					async () => {},
				);
				const lines: z.output<typeof resultSchema>[] = [];
				for (const { number, values } of parseDeviceLines(received, options.bulkRegistrationMaxLines)) {
					const place = { line: String(number), deviceId: values.ID ?? '' };
					try {
						lines.push({ ...place, bulkNewDeviceStatus: await register(principal, values) });
					} catch (error) {
						if (!(error instanceof AccessError || error instanceof InventoryError)) throw error;
						lines.push({ ...place, bulkNewDeviceStatus: 'FAILED', failureReason: error.message });
					}
				}
				const of = (status: (typeof statuses)[number]) => lines.filter((each) => each.bulkNewDeviceStatus === status);
				const [failed, updated] = [of('FAILED'), of('CREDENTIAL_UPDATED')];
				return created({
					numberOfAll: lines.length,
					numberOfCreated: of('CREATED').length,
					numberOfFailed: failed.length,
					numberOfSuccessful: lines.length - failed.length,
					credentialUpdatedList: updated,
					failedCreationList: failed,
					lines,
				});
			},
		}),
	];
}
