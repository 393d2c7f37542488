import { AccessError, deviceUserPrefix, isSerial, type Principal } from '../../access/index.ts';
import { type NewDevice, serialType } from '../../inventory/index.ts';
import { agentColumn, type DeviceColumns } from './device-lines.ts';
import type { HttpServices } from './http-options.ts';

const passwordMinLength = 8;
/** As of any other object. */
const nameMaxLength = 1024;

/** Does what one line of a file of devices asks for: credentials, or a one-time password for a certificate; an object; a group. */
export function createBulkRegistration({ access, inventory }: Pick<HttpServices, 'access' | 'inventory'>) {
	/** @throws AccessError, InventoryError */
	return async function register(principal: Principal, line: DeviceColumns): Promise<'CREATED' | 'CREDENTIAL_UPDATED'> {
		const { ID: serial = '', AUTH_TYPE: how = 'BASIC', CREDENTIALS: password, ENROLLMENT_OTP: oneTimePassword } = line;
		const { tenant, userName } = principal;
		checkLine(line, tenant);
		const isKnown = (await access.users.find(tenant, deviceUserPrefix + serial)) !== undefined;
		const idType = line.IDTYPE === serialType ? undefined : line.IDTYPE;
		const usedPassword = how === 'BASIC' ? password : undefined;
		const ensureGroup = async () => (line.PATH ? inventory.groups.ensurePath(tenant, userName, line.PATH) : undefined);

		// One write: a line that is refused leaves no object behind, and one that is cut short lets nobody in.
		const { id, created } = await inventory.devices.ensure(tenant, serial, async () => {
			const credentials = oneTimePassword
				? (await access.registration.requestSteps(tenant, serial, { oneTimePassword })).steps
				: await access.registration.admissionSteps(tenant, serial, usedPassword, {});
			if (idType) await inventory.externalIds.checkFree(tenant, idType, serial);
			const group = await ensureGroup();
			return {
				...newDevice(line, serial),
				...(group !== undefined && { parent: { id: group, kind: 'childAssets' } }),
				also: (made) => [...(idType ? [inventory.externalIds.bindStep(tenant, idType, serial, made)] : []), ...credentials],
			};
		});
		access.users.forget(`${tenant}/${deviceUserPrefix}${serial}`);
		if (created) return isKnown ? 'CREDENTIAL_UPDATED' : 'CREATED';

		if (idType && (await inventory.externalIds.find(tenant, idType, serial))?.managedObjectId !== id)
			await inventory.externalIds.bind(tenant, idType, serial, id);
		const group = await ensureGroup();
		if (group !== undefined) await inventory.groups.add(tenant, group, id);
		// Last: a line that fails, or is cut short, lets nobody in.
		if (oneTimePassword) await access.registration.request(tenant, serial, { oneTimePassword });
		else await access.registration.admit(tenant, serial, usedPassword, {});
		return isKnown ? 'CREDENTIAL_UPDATED' : 'CREATED';
	};
}

function newDevice(line: DeviceColumns, serial: string): NewDevice {
	return {
		owner: deviceUserPrefix + serial,
		name: line.NAME || serial,
		type: line.TYPE || 'c8y_MQTTDevice',
		fragments: {
			c8y_IsDevice: {},
			...(line[agentColumn] === 'true' && { com_cumulocity_model_Agent: {} }),
			...(line.ICCID && { c8y_Mobile: { iccid: line.ICCID } }),
			...(line.SHELL === '1' && { c8y_SupportedOperations: ['c8y_Command'] }),
		},
	};
}

/** @throws AccessError `access/invalid` that names the column */
function checkLine(line: DeviceColumns, tenant: string): void {
	const {
		ID: serial = '',
		AUTH_TYPE: how = 'BASIC',
		CREDENTIALS: password,
		ENROLLMENT_OTP: oneTimePassword,
		SHELL: shell = '0',
		[agentColumn]: agent = 'false',
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
	if (shell !== '0' && shell !== '1') throw invalid(`SHELL must be 0 or 1, found '${shell.slice(0, 40)}'`);
	if (agent !== 'true' && agent !== 'false') throw invalid(`${agentColumn} must be true or false, found '${agent.slice(0, 40)}'`);
	for (const [column, text = ''] of [
		['NAME', line.NAME],
		['TYPE', line.TYPE],
	] as const)
		if (text.length > nameMaxLength)
			throw invalid(`${column} has ${text.length} characters: at most ${nameMaxLength} are allowed`);
	for (const column of shownColumns) {
		const [first = ''] = line[column] ?? '';
		if (formulaStarts.includes(first))
			throw invalid(
				`${column} begins with ${JSON.stringify(first)}, which spreadsheets take for a formula: begin with something else`,
			);
	}
	if (line.TENANT && line.TENANT !== tenant)
		throw invalid(`TENANT must be '${tenant}': devices are registered for the own tenant`);
}

/** What others see again, and may put into files of their own. */
const shownColumns = ['ID', 'NAME', 'TYPE', 'PATH', 'IDTYPE', 'ICCID'] as const;
const formulaStarts = ['=', '@', '+', '-', '\t', '\r'];

function invalid(message: string): AccessError {
	return new AccessError('access/invalid', message);
}
