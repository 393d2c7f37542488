import type { CollectionSpec, DocumentStore } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { createLoginAttempts } from './login-attempts.ts';
import { generatePassword, hashPassword, verifyPassword } from './passwords.ts';
import { deviceUserPrefix } from './principal.ts';
import { isSerial } from './serials.ts';
import type { Tenants } from './tenants.ts';
import type { AuthenticationLimits, Users } from './users.ts';

export const registrationStatuses = ['WAITING_FOR_CONNECTION', 'PENDING_ACCEPTANCE', 'ACCEPTED'] as const;
export type RegistrationStatus = (typeof registrationStatuses)[number];

/** A device that is expected: it asks for its credentials, a person accepts it, it gets them once. */
export interface Registration {
	/** The serial: it is what a device without credentials names itself by, so it is unique over all tenants. */
	readonly _id: string;
	readonly tenant: string;
	readonly status: RegistrationStatus;
	readonly creationTime: number;
	/** It comes with a one-time password, and gets a certificate for it in place of credentials. */
	readonly oneTimePasswordHash?: string;
}

export interface DeviceCredentials {
	readonly tenant: string;
	readonly userName: string;
	readonly password: string;
}

export const registrationSpec: CollectionSpec<Registration> = {
	name: 'registrations',
	indexes: [{ name: 'byTenant', keys: ['tenant', 'creationTime'] }],
};

export async function openDeviceRegistration(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly tenants: Pick<Tenants, 'isActive'>;
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	/** Resolves after so many milliseconds. */
	readonly pause: (milliseconds: number) => Promise<void>;
	readonly limits: AuthenticationLimits;
}) {
	const { store, users, tenants, clock, elapsed, pause, limits } = options;
	const attempts = createLoginAttempts({ limits, elapsed, pause, maxEntries: limits.cacheEntries });
	const unknownHash = hashPassword(generatePassword(), limits.hashCost);
	const registrations = await store.collection(registrationSpec);

	/**
	 * @param oneTimePassword with which the device fetches a certificate; without it, a person has to accept it
	 * @throws AccessError `access/invalid`, `access/conflict`
	 */
	async function request(tenant: string, serial: string, oneTimePassword?: string): Promise<Registration> {
		if (!isSerial(serial)) {
			throw new AccessError(
				'access/invalid',
				'id must have 1 to 254 characters, without quotes, comma, colon, slash, backslash, plus and hash',
			);
		}
		const registration: Registration = {
			_id: serial,
			tenant,
			status: 'WAITING_FOR_CONNECTION',
			creationTime: clock(),
			...(oneTimePassword !== undefined && { oneTimePasswordHash: await hashPassword(oneTimePassword, limits.hashCost) }),
		};
		const outcome = await store.batch([{ kind: 'insert', collection: registrationSpec.name, document: registration }]);
		if (!outcome.ok) throw new AccessError('access/conflict', `A registration for '${serial}' exists`);
		return registration;
	}

	async function list(tenant: string, page: { skip: number; limit: number }): Promise<Registration[]> {
		return registrations.find({ filter: { tenant }, sort: [['creationTime', 1]], ...page });
	}

	async function count(tenant: string): Promise<number> {
		return registrations.count({ tenant });
	}

	/** @throws AccessError `access/notFound` */
	async function get(tenant: string, serial: string): Promise<Registration> {
		const registration = await registrations.get(serial);
		if (registration?.tenant !== tenant) throw new AccessError('access/notFound', `No registration for '${serial}'`);
		return registration;
	}

	/** The tenant that expects the device. */
	async function findTenant(serial: string): Promise<string | undefined> {
		return (await registrations.get(serial))?.tenant;
	}

	/** @throws AccessError `access/notFound`, `access/notYet` while the device has not asked for its credentials */
	async function accept(tenant: string, serial: string): Promise<Registration> {
		const accepted = await registrations.findOneAndUpdate(
			{ _id: serial, tenant, status: { $ne: 'WAITING_FOR_CONNECTION' } },
			{ $set: { status: 'ACCEPTED' } },
		);
		if (accepted) return accepted;
		await get(tenant, serial);
		throw new AccessError(
			'access/notYet',
			`'${serial}' cannot be accepted yet: the device has not asked for its credentials with the bootstrap user (over MQTT: by publishing on s/ucr)`,
		);
	}

	/** @throws AccessError `access/notFound` */
	async function remove(tenant: string, serial: string): Promise<void> {
		await get(tenant, serial);
		await store.batch([{ kind: 'remove', collection: registrationSpec.name, id: serial }]);
	}

	/** Notes that a device with the bootstrap user has asked, so that it can be accepted; whether it had not before. */
	async function ask(serial: string): Promise<boolean> {
		const registration = await registrations.findOneAndUpdate(
			{ _id: serial, status: 'WAITING_FOR_CONNECTION', oneTimePasswordHash: { $exists: false } },
			{ $set: { status: 'PENDING_ACCEPTANCE' } },
		);
		return registration !== undefined;
	}

	/**
	 * What a device with the bootstrap user asks for: `undefined` until it was accepted, and while its tenant is closed; then, once, its
	 * credentials.
	 * Lost on the way, they are made anew by a new registration.
	 */
	async function poll(serial: string): Promise<DeviceCredentials | undefined> {
		if (await ask(serial)) return undefined;
		const accepted = await registrations.get(serial);
		if (accepted?.status !== 'ACCEPTED' || !(await tenants.isActive(accepted.tenant))) return undefined;
		const credentials = { tenant: accepted.tenant, userName: deviceUserPrefix + serial, password: generatePassword() };
		// One write: of two that ask at once, one gets credentials, and they work.
		const outcome = await store.batch([
			{ kind: 'require', collection: registrationSpec.name, id: serial, where: { tenant: accepted.tenant, status: 'ACCEPTED' } },
			await users.setStep(credentials.tenant, credentials.userName, credentials.password, 'device'),
			{ kind: 'remove', collection: registrationSpec.name, id: serial },
		]);
		return outcome.ok ? credentials : undefined;
	}

	/**
	 * Takes a one-time password for what `sign` makes; it is used up when that is made.
	 * @param address where the attempt comes from
	 * @throws AccessError `access/wrongOneTimePassword`, `access/throttled`, and what `sign` throws
	 */
	async function enrol<T>(
		attempt: { readonly serial: string; readonly oneTimePassword: string; readonly address: string },
		sign: (tenant: string) => Promise<T>,
	): Promise<{ readonly tenant: string; readonly made: T }> {
		const { serial, oneTimePassword, address } = attempt;
		const registration = await registrations.get(serial);
		const mayCome = registration && (await tenants.isActive(registration.tenant));
		const hash = mayCome ? registration.oneTimePasswordHash : undefined;
		// A device that is not expected costs what a wrong password costs.
		const check = async () => verifyPassword(hash ?? (await unknownHash), oneTimePassword);
		const outcome = await attempts.run(address, serial, check);
		if (outcome === 'throttled')
			throw new AccessError(
				'access/throttled',
				'Too many wrong one-time passwords for this device from this address: wait a minute',
			);
		if (outcome === 'wrong' || !registration || hash === undefined)
			throw new AccessError(
				'access/wrongOneTimePassword',
				`No device '${serial.slice(0, 254)}' is registered with this one-time password`,
			);
		const { tenant } = registration;
		const made = await sign(tenant);
		await users.createWithoutPassword(tenant, deviceUserPrefix + serial, 'device');
		// Of two that ask at once, one gets something.
		const { ok } = await store.batch([
			{ kind: 'require', collection: registrationSpec.name, id: serial, where: { tenant, oneTimePasswordHash: hash } },
			{ kind: 'remove', collection: registrationSpec.name, id: serial },
		]);
		if (ok) return { tenant, made };
		throw new AccessError('access/wrongOneTimePassword', 'The one-time password has been used');
	}

	return { enrol, request, list, count, get, findTenant, accept, remove, ask, poll };
}
