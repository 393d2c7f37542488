import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { AccessError, deviceUserPrefix, isSerial, type Principal } from '../../access/index.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { readMultipartForm } from './multipart-form.ts';
import { readLimited } from './read-limited.ts';
import { created } from './reply.ts';
import { noBody, noParams, noQuery, type Route, route } from './route.ts';

const agentColumn = 'com_cumulocity_model_Agent.active';
/** What a line may say; what would be lost without a word is refused. */
const columns = [
	'ID',
	'AUTH_TYPE',
	'CREDENTIALS',
	'ENROLLMENT_OTP',
	'NAME',
	'TYPE',
	'IDTYPE',
	'TENANT',
	'ICCID',
	'PATH',
	agentColumn,
] as const;
type Line = Readonly<Partial<Record<(typeof columns)[number], string>>>;

const doneSchema = z.object({ deviceId: z.string(), bulkNewDeviceStatus: z.string() });
const failedSchema = doneSchema.extend({ failureReason: z.string(), line: z.string() });
const answerSchema = z
	.object({
		numberOfAll: z.int(),
		numberOfCreated: z.int(),
		numberOfFailed: z.int(),
		numberOfSuccessful: z.int(),
		credentialUpdatedList: z.array(doneSchema),
		failedCreationList: z.array(failedSchema),
	})
	.meta({ id: 'BulkNewDeviceRequests' });
const formSchema = z.object({
	file: z.any().meta({
		description: 'CSV with a head line, separated by comma, semicolon or tab',
		override: { type: 'string', format: 'binary' },
	}),
});

/** Registers many devices at once. */
export function bulkRegistrationRoutes({ access, inventory, options }: HttpServices): Route[] {
	async function register(principal: Principal, line: Line): Promise<'created' | 'updated'> {
		const { ID: serial = '', AUTH_TYPE: how = 'BASIC', CREDENTIALS: password, ENROLLMENT_OTP: oneTimePassword } = line;
		const { tenant } = principal;
		checkLine(line, tenant);
		const userName = deviceUserPrefix + serial;
		const isKnown = (await access.users.find(tenant, userName)) !== undefined;
		if (oneTimePassword) await access.registration.request(tenant, serial, oneTimePassword);
		else if (how === 'BASIC') await access.users.set(tenant, userName, password ?? '', 'device');
		else await access.users.createWithoutPassword(tenant, userName, 'device');
		await ensureDevice(tenant, serial, line);
		return isKnown ? 'updated' : 'created';
	}

	async function ensureDevice(tenant: string, serial: string, line: Line): Promise<void> {
		await inventory.devices.ensure(tenant, serial, () => ({
			owner: deviceUserPrefix + serial,
			name: line.NAME || serial,
			type: line.TYPE || 'c8y_MQTTDevice',
			fragments: { c8y_IsDevice: {}, ...(line[agentColumn] === 'true' && { com_cumulocity_model_Agent: {} }) },
		}));
	}

	return [
		route({
			method: 'post',
			path: '/devicecontrol/bulkNewDeviceRequests',
			permission: 'registrations:write',
			summary: 'Register devices by a CSV file',
			description:
				'Each line has the result of its own. AUTH_TYPE BASIC needs CREDENTIALS, a password; CERTIFICATES needs ENROLLMENT_OTP where the service signs the certificate (EST), and nothing where another authority does.',
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
				const lines = parseLines(received, options.bulkRegistrationMaxLines);
				const done = { created: 0, updated: [] as z.output<typeof doneSchema>[], failed: [] as z.output<typeof failedSchema>[] };
				for (const [index, line] of lines.entries()) {
					const deviceId = line.ID ?? '';
					try {
						const outcome = await register(principal, line);
						if (outcome === 'created') done.created++;
						else done.updated.push({ deviceId, bulkNewDeviceStatus: 'CREDENTIAL_UPDATED' });
					} catch (error) {
						if (!(error instanceof AccessError)) throw error;
						const place = { failureReason: error.message, line: String(index + 2) };
						done.failed.push({ deviceId, bulkNewDeviceStatus: 'FAILED', ...place });
					}
				}
				return created({
					numberOfAll: lines.length,
					numberOfCreated: done.created,
					numberOfFailed: done.failed.length,
					numberOfSuccessful: lines.length - done.failed.length,
					credentialUpdatedList: done.updated,
					failedCreationList: done.failed,
				});
			},
		}),
	];
}

/** @throws AccessError `access/invalid` that names the column */
function checkLine(line: Line, tenant: string): void {
	const {
		ID: serial = '',
		AUTH_TYPE: how = 'BASIC',
		CREDENTIALS: password,
		ENROLLMENT_OTP: oneTimePassword,
		IDTYPE: idType,
	} = line;
	if (!isSerial(serial))
		throw invalid('ID must have 1 to 254 characters, without quotes, comma, colon, slash, backslash, plus and hash');
	if (how !== 'BASIC' && how !== 'CERTIFICATES')
		throw invalid(`AUTH_TYPE must be BASIC or CERTIFICATES, found '${how.slice(0, 40)}'`);
	if (how === 'BASIC' && (password?.length ?? 0) < passwordMinLength)
		throw invalid(`CREDENTIALS must be a password of at least ${passwordMinLength} characters`);
	if (how === 'CERTIFICATES' && password) throw invalid('CREDENTIALS must be empty where AUTH_TYPE is CERTIFICATES');
	if (how === 'BASIC' && oneTimePassword) throw invalid('ENROLLMENT_OTP needs AUTH_TYPE CERTIFICATES');
	if (oneTimePassword && oneTimePassword.length < passwordMinLength)
		throw invalid(`ENROLLMENT_OTP must have at least ${passwordMinLength} characters`);
	if (idType && idType !== 'c8y_Serial') throw invalid(`IDTYPE must be c8y_Serial, found '${idType.slice(0, 40)}'`);
	if (line.TENANT && line.TENANT !== tenant)
		throw invalid(`TENANT must be '${tenant}': devices are registered for the own tenant`);
	for (const column of ['ICCID', 'PATH'] as const) if (line[column]) throw invalid(`${column} is not supported: leave it empty`);
}

const passwordMinLength = 8;

/** @throws HttpError `http/invalidBody` */
function parseLines(bytes: Buffer, maxLines: number): readonly Line[] {
	const records = parseRecords(bytes, maxLines + 1);
	const [head = [], ...rows] = records;
	const unknown = head.find((name) => !columns.some((column) => column === name));
	if (!head.includes('ID'))
		throw new HttpError(
			'http/invalidBody',
			`The first line must name the columns, ID among them; known are ${columns.join(', ')}`,
		);
	if (unknown !== undefined)
		throw new HttpError(
			'http/invalidBody',
			`The column '${unknown.slice(0, 100)}' is not known; known are ${columns.join(', ')}`,
		);
	const twice = head.find((name, index) => head.indexOf(name) !== index);
	if (twice !== undefined) throw new HttpError('http/invalidBody', `The column '${twice}' comes twice: name each one once`);
	if (rows.length > maxLines) throw new HttpError('http/invalidBody', `The file has more than ${maxLines} lines: send several`);
	return rows.map((row) =>
		Object.fromEntries(head.map((name, index) => [name, row[index] ?? '']).filter(([, value]) => value !== '')),
	);
}

function parseRecords(bytes: Buffer, maxLines: number): string[][] {
	if (!isUtf8(bytes)) throw new HttpError('http/invalidBody', 'The file is not text in UTF-8');
	try {
		const options = { bom: true, delimiter: [',', ';', '\t'], skip_empty_lines: true, trim: true, relax_column_count: true };
		return parse(bytes, { ...options, to: maxLines + 1, max_record_size: 64 * 1024 });
	} catch (error) {
		throw new HttpError(
			'http/invalidBody',
			`The file is not CSV: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read'}`,
		);
	}
}

function invalid(message: string): AccessError {
	return new AccessError('access/invalid', message);
}
