import type { ManagedObject } from '../inventory/index.ts';
import { OperationError } from './operation-error.ts';
import { announcedTexts, hasSoftwareTypes, toSoftwareItem, withTypeOfVersion } from './software-items.ts';

export interface OperationLimits {
	/** Bytes of an operation as JSON. */
	readonly operationMaxBytes: number;
	/** Packages in one operation. */
	readonly maxItems: number;
}

type Rule = (value: unknown, device: ManagedObject, limits: OperationLimits) => void;

/** What the fragments that every device must understand alike have to look like; other fragments are the device's own business. */
const rules: Readonly<Record<string, Rule>> = {
	c8y_SoftwareUpdate: (value, device, limits) => checkItems('c8y_SoftwareUpdate', value, device, limits, true),
	c8y_SoftwareList: (value, device, limits) => checkItems('c8y_SoftwareList', value, device, limits, false),
	c8y_Restart: (value) => void record('c8y_Restart', value),
	c8y_Command: (value) => requireTexts('c8y_Command', record('c8y_Command', value), ['text']),
	c8y_Configuration: (value) => requireTexts('c8y_Configuration', record('c8y_Configuration', value), ['config']),
	c8y_Firmware: (value) => checkFirmware('c8y_Firmware', value),
	c8y_DownloadConfigFile: (value) => requireTexts('c8y_DownloadConfigFile', record('c8y_DownloadConfigFile', value), ['url']),
	c8y_UploadConfigFile: (value) => optionalTexts('c8y_UploadConfigFile', record('c8y_UploadConfigFile', value), ['type']),
	c8y_LogfileRequest: (value) => requireTexts('c8y_LogfileRequest', record('c8y_LogfileRequest', value), ['logFile']),
	c8y_DeviceProfile: checkProfile,
};

/**
 * Checks the fragments of a new operation against the device that it is for.
 * @throws OperationError `operation/invalid`, `operation/unsupported` with the path of the field
 */
export function checkOperation(
	fragments: Readonly<Record<string, unknown>>,
	device: ManagedObject,
	limits: OperationLimits,
): void {
	const names = Object.keys(fragments);
	if (names.length === 0)
		throw new OperationError(
			'operation/invalid',
			'The operation asks for nothing: add a fragment such as c8y_SoftwareUpdate or c8y_Restart',
		);
	checkSize(fragments, limits);
	const supported = announcedTexts(device, 'c8y_SupportedOperations');
	// A device that announced nothing may still understand: Cumulocity's own devices announce after they are created.
	if (supported && !names.some((name) => supported.includes(name))) {
		const list = supported.length > 0 ? supported.join(', ') : 'none';
		throw new OperationError(
			'operation/unsupported',
			`Device '${device.id}' does not support ${names.join(', ')}; it supports: ${list}`,
		);
	}
	// Own names only: `rules` must not answer to what every object has, such as `toString`.
	for (const name of names) if (Object.hasOwn(rules, name)) rules[name]?.(fragments[name], device, limits);
}

/**
 * Checks the fragments that a change leaves; the result of a command has to find its place.
 * @throws OperationError `operation/invalid`, `operation/tooLarge`
 */
export function checkChange(fragments: Readonly<Record<string, unknown>>, limits: OperationLimits): void {
	checkSize(fragments, limits);
	if ('c8y_Command' in fragments) record('c8y_Command', fragments.c8y_Command);
}

function checkSize(fragments: Readonly<Record<string, unknown>>, limits: OperationLimits): void {
	const bytes = Buffer.byteLength(JSON.stringify(fragments));
	if (bytes > limits.operationMaxBytes)
		throw new OperationError(
			'operation/tooLarge',
			`The operation has ${bytes} bytes: at most ${limits.operationMaxBytes} are allowed`,
		);
}

function checkItems(path: string, value: unknown, device: ManagedObject, limits: OperationLimits, withAction: boolean): void {
	if (!Array.isArray(value)) throw invalid(path, `must be an array of {name, version, url${withAction ? ', action' : ''}}`);
	if (withAction && value.length === 0) throw invalid(path, 'is empty: name at least one package');
	if (value.length > limits.maxItems)
		throw invalid(path, `has ${value.length} packages: at most ${limits.maxItems} are allowed in one operation`);
	// A complete list also names what is installed already, whatever its type.
	const isTyped = withAction && hasSoftwareTypes(device);
	const types = isTyped ? (announcedTexts(device, 'c8y_SupportedSoftwareTypes') ?? []) : undefined;
	value.forEach((candidate: unknown, index) => {
		const at = `${path}[${index}]`;
		const item = record(at, candidate);
		if (typeof item.name !== 'string' || item.name === '') throw invalid(`${at}.name`, 'must be the name of a package');
		optionalTexts(at, item, ['version', 'url', 'softwareType', 'id']);
		if (withAction && item.action !== 'install' && item.action !== 'delete')
			throw invalid(`${at}.action`, `must be 'install' or 'delete', found ${shown(item.action)}`);
		const { softwareType } = withTypeOfVersion(toSoftwareItem(item));
		if (types && softwareType !== '' && !types.includes(softwareType)) {
			throw new OperationError(
				'operation/unsupported',
				`${at}.softwareType: device '${device.id}' does not support '${softwareType}'; it supports: ${types.join(', ') || 'none'}`,
			);
		}
	});
}

function checkFirmware(path: string, value: unknown): void {
	const firmware = record(path, value);
	requireTexts(path, firmware, ['name', 'version']);
	optionalTexts(path, firmware, ['url', 'dependency']);
}

function checkProfile(value: unknown, device: ManagedObject, limits: OperationLimits): void {
	const profile = record('c8y_DeviceProfile', value);
	if (profile.firmware != null) checkFirmware('c8y_DeviceProfile.firmware', profile.firmware);
	if (profile.software != null) checkItems('c8y_DeviceProfile.software', profile.software, device, limits, true);
	if (profile.configuration == null) return;
	const path = 'c8y_DeviceProfile.configuration';
	if (!Array.isArray(profile.configuration)) throw invalid(path, 'must be an array of {url, type}');
	for (const [index, item] of profile.configuration.entries())
		requireTexts(`${path}[${index}]`, record(`${path}[${index}]`, item), ['url']);
}

function record(path: string, value: unknown): Record<string, unknown> {
	if (typeof value !== 'object' || value === null || Array.isArray(value))
		throw invalid(path, `must be an object, found ${shown(value)}`);
	return { ...value };
}

function requireTexts(path: string, value: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
	for (const field of fields) {
		if (typeof value[field] !== 'string' || value[field] === '')
			throw invalid(`${path}.${field}`, `must be text, found ${shown(value[field])}`);
	}
}

function optionalTexts(path: string, value: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
	for (const field of fields) {
		if (value[field] != null && typeof value[field] !== 'string')
			throw invalid(`${path}.${field}`, `must be text, found ${shown(value[field])}`);
	}
}

function invalid(path: string, reason: string): OperationError {
	return new OperationError('operation/invalid', `${path} ${reason}`);
}

function shown(value: unknown): string {
	if (value === undefined) return 'nothing';
	if (Array.isArray(value)) return 'an array';
	return typeof value === 'string' ? `'${value.slice(0, 40)}'` : value === null ? 'null' : typeof value;
}
