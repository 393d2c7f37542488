import type { DocumentStore, Step } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import type { SignedCertificate } from './certificates/certificate-authority.ts';
import { createLoginAttempts } from './login-attempts.ts';
import { createMinuteCounts } from './minute-counts.ts';
import { generatePassword, hashPassword, verifyPassword } from './passwords.ts';
import { deviceUserPrefix } from './principal.ts';
import { type Registration, registrationSpec } from './registration.ts';
import { createSecurityTokens } from './registration-tokens.ts';
import type { RemovedDevices } from './removed-devices.ts';
import { checkSecurityToken, type OptionSource } from './security-token.ts';
import { isSerial } from './serials.ts';
import type { Tenants } from './tenants.ts';
import { type AuthenticationLimits, disabledDevice, type FirstPlace, isDisabledByPerson, type Users } from './users.ts';

export interface NewRegistration {
	/** With which the device fetches a certificate; without it, a person has to accept the device. */
	readonly oneTimePassword?: string | undefined;
	readonly groupId?: string | undefined;
	readonly type?: string | undefined;
	/** That the device has to show when it asks for its credentials. */
	readonly securityToken?: string | undefined;
}

export interface RegistrationSettings {
	/** After which a registration that led to nothing ends; 0: never. */
	readonly expiryMilliseconds: number;
	/** That one tenant may have at a time. */
	readonly maxPerTenant: number;
	/** How often one device may ask for its credentials. */
	readonly pollsPerMinute: number;
	/** Wrong security tokens after which a registration is blocked. */
	readonly maxWrongTokens: number;
}

export interface DeviceCredentials {
	readonly tenant: string;
	readonly userName: string;
	readonly password: string;
}

/** What became of one registration where all were accepted. */
export interface Acceptance {
	readonly serial: string;
	/** Why it could not be accepted. */
	readonly fault?: string;
}

/** Puts a device into the group that it was registered for. */
type Placing = (registration: Registration) => Promise<void>;

export type DeviceRegistration = Awaited<ReturnType<typeof openDeviceRegistration>>;

export async function openDeviceRegistration(options: {
	readonly store: DocumentStore;
	readonly users: Users;
	readonly tenants: Pick<Tenants, 'isActive'>;
	readonly tenantOptions: OptionSource;
	readonly removedDevices: RemovedDevices;
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	/** Resolves after so many milliseconds. */
	readonly pause: (milliseconds: number) => Promise<void>;
	readonly limits: AuthenticationLimits;
	readonly settings: RegistrationSettings;
}) {
	const { store, users, tenants, tenantOptions, removedDevices, clock, elapsed, pause, limits, settings } = options;
	const attempts = createLoginAttempts({ limits, elapsed, pause, maxEntries: limits.cacheEntries });
	const polls = createMinuteCounts(elapsed, limits.cacheEntries);
	const unknownHash = hashPassword(generatePassword(), limits.hashCost);
	const registrations = await store.collection(registrationSpec);
	const tokens = createSecurityTokens({ registrations, tenantOptions, hash, maxWrong: settings.maxWrongTokens });

	/**
	 * Expects a device; one that was removed may come back from now on.
	 * @throws AccessError `access/invalid`, `access/conflict` where it is expected already, or its user was disabled
	 */
	async function request(tenant: string, serial: string, given: NewRegistration = {}): Promise<Registration> {
		const { document, steps } = await requestSteps(tenant, serial, given);
		if (!(await store.batch(steps)).ok) throw present(serial);
		return document;
	}

	/** The steps of `request`, for a write that does more; they fail where somebody else was faster. @throws AccessError as `request` */
	async function requestSteps(tenant: string, serial: string, given: NewRegistration) {
		if (!isSerial(serial))
			throw new AccessError(
				'access/invalid',
				'id must have 1 to 254 characters, without quotes, comma, colon, slash, backslash, plus and hash',
			);
		await refuseDisabled(tenant, serial);
		if ((await count(tenant)) >= settings.maxPerTenant)
			throw new AccessError(
				'access/conflict',
				`Tenant '${tenant}' expects ${settings.maxPerTenant} devices already, and may expect no more: accept or remove some`,
			);
		const document = await newRegistration(tenant, serial, given);
		const before = await registrations.get(serial);
		if (before && !isOver(before)) throw present(serial);
		if (before) await end(before);
		const steps: Step[] = [
			{ kind: 'insert', collection: registrationSpec.name, document },
			removedDevices.readmitStep(tenant, serial),
		];
		return { document, steps };
	}

	async function newRegistration(tenant: string, serial: string, given: NewRegistration): Promise<Registration> {
		const { oneTimePassword, securityToken, groupId, type } = given;
		if (securityToken !== undefined) checkSecurityToken(securityToken);
		const now = clock();
		return {
			_id: serial,
			tenant,
			status: 'WAITING_FOR_CONNECTION',
			creationTime: now,
			...(settings.expiryMilliseconds > 0 && { expirationTime: now + settings.expiryMilliseconds }),
			...(groupId !== undefined && { groupId }),
			...(type !== undefined && { type }),
			...(securityToken !== undefined && { tokenHash: await hash(securityToken), isTokenGiven: true }),
			...(oneTimePassword !== undefined && { oneTimePasswordHash: await hash(oneTimePassword) }),
		};
	}

	function hash(secret: string): Promise<string> {
		return hashPassword(secret, limits.hashCost);
	}

	async function refuseDisabled(tenant: string, serial: string): Promise<void> {
		const userName = deviceUserPrefix + serial;
		const user = await users.find(tenant, userName);
		if (user && isDisabledByPerson(user)) throw disabledDevice(tenant, userName);
	}

	function isOver({ expirationTime }: Registration): boolean {
		return expirationTime !== undefined && expirationTime <= clock();
	}

	/** One that has expired is shown until it is swept. */
	async function list(tenant: string, page: { skip: number; limit: number }): Promise<Registration[]> {
		return registrations.find({ filter: { tenant }, sort: [['creationTime', 1]], ...page });
	}

	async function count(tenant: string): Promise<number> {
		return registrations.count({ tenant });
	}

	/** @throws AccessError `access/notFound` */
	async function get(tenant: string, serial: string): Promise<Registration> {
		const registration = await registrations.get(serial);
		if (registration?.tenant === tenant && !isOver(registration)) return registration;
		throw new AccessError('access/notFound', `No registration for '${serial}': there was none, or it has expired`);
	}

	/** The tenant that expects the device. */
	async function findTenant(serial: string): Promise<string | undefined> {
		return (await registrations.get(serial))?.tenant;
	}

	/**
	 * @param given the token that the device has shown, where it has shown one, and what is done before the device is accepted: what is
	 * cut short in between is finished by whoever accepts it again
	 * @throws AccessError `access/notFound`, `access/notYet` while the device has not asked for its credentials, `access/invalid` for the
	 * token, `access/conflict` where its user was disabled, or the registration is blocked
	 */
	async function accept(
		tenant: string,
		serial: string,
		{ token, place }: { readonly token?: string | undefined; readonly place?: Placing | undefined } = {},
	): Promise<Registration> {
		const registration = await get(tenant, serial);
		const { status, tokenHash } = registration;
		if (status === 'ACCEPTED') return registration;
		if (status === 'BLOCKED') throw blocked(serial);
		if (status === 'WAITING_FOR_CONNECTION') throw await notYet(registration);
		await refuseDisabled(tenant, serial);
		await tokens.checkAccepting(registration, token);
		await place?.(registration);
		const accepted = await registrations.findOneAndUpdate(
			{ _id: serial, tenant, status: 'PENDING_ACCEPTANCE', tokenHash: tokenHash ?? null },
			{ $set: { status: 'ACCEPTED' } },
		);
		if (accepted) return accepted;
		throw new AccessError('access/conflict', `The registration for '${serial}' was changed meanwhile: look at it, and try again`);
	}

	async function notYet(registration: Registration): Promise<AccessError> {
		const how = (await tokens.isNeeded(registration))
			? 'and its security token, which is required here (over MQTT: as what'
			: '(over MQTT: by what';
		return new AccessError(
			'access/notYet',
			`'${registration._id}' cannot be accepted yet: the device has not asked for its credentials with the bootstrap user ${how} it publishes on s/ucr)`,
		);
	}

	/** Accepts all devices that have asked for their credentials, as far as they can be without a security token. */
	async function acceptAll(tenant: string, place?: Placing): Promise<Acceptance[]> {
		const expected = await list(tenant, { skip: 0, limit: settings.maxPerTenant });
		const pending = expected.filter((each) => each.status === 'PENDING_ACCEPTANCE' && !isOver(each));
		const done: Acceptance[] = [];
		for (const { _id: serial } of pending) {
			try {
				await accept(tenant, serial, { place });
				done.push({ serial });
			} catch (error) {
				if (!(error instanceof AccessError)) throw error;
				done.push({ serial, fault: error.message });
			}
		}
		return done;
	}

	/** @throws AccessError `access/notFound` */
	async function remove(tenant: string, serial: string): Promise<void> {
		await get(tenant, serial);
		await store.batch([{ kind: 'remove', collection: registrationSpec.name, id: serial }]);
	}

	/** The step that ends the expectation of a device, where this tenant has one. */
	async function removalSteps(tenant: string, serial: string): Promise<Step[]> {
		const registration = await registrations.get(serial);
		return registration?.tenant === tenant ? [{ kind: 'remove', collection: registrationSpec.name, id: serial }] : [];
	}

	/**
	 * What a device with the bootstrap user asks for: `undefined` until it was accepted, and while its tenant is closed; then, once, its
	 * credentials.
	 * Lost on the way, they are made anew by a new registration.
	 * @param isHeard whether it would hear them; that it has asked is noted in any case
	 * @throws AccessError `access/notFound` where it asks too often
	 */
	async function poll(serial: string, { token, isHeard = true }: { token?: string | undefined; isHeard?: boolean } = {}) {
		if (!isSerial(serial)) return undefined;
		polls.note(serial);
		if (polls.count(serial) > settings.pollsPerMinute)
			// Clients that wait for their credentials take every other code for the end of it.
			throw new AccessError('access/notFound', `'${serial}' asks too often: ${settings.pollsPerMinute} times a minute will do`);
		const registration = await registrations.get(serial);
		if (!registration || isOver(registration) || registration.oneTimePasswordHash !== undefined) return undefined;
		if (!(await tokens.isRight(registration, token))) return undefined;
		if (registration.status === 'ACCEPTED') return isHeard ? handOut(registration) : undefined;
		if (registration.status === 'WAITING_FOR_CONNECTION')
			await registrations.findOneAndUpdate(
				{ _id: serial, status: 'WAITING_FOR_CONNECTION' },
				{ $set: { status: 'PENDING_ACCEPTANCE' } },
			);
		return undefined;
	}

	async function handOut({ _id: serial, tenant, groupId, type }: Registration): Promise<DeviceCredentials | undefined> {
		if (!(await tenants.isActive(tenant))) return undefined;
		const credentials = { tenant, userName: deviceUserPrefix + serial, password: generatePassword() };
		// Somebody disabled it after it was accepted: they decide.
		const user = await users.find(tenant, credentials.userName);
		if (user && isDisabledByPerson(user)) return undefined;
		// One write: of two that ask at once, one gets credentials, and they work.
		const outcome = await store.batch([
			{ kind: 'require', collection: registrationSpec.name, id: serial, where: { tenant, status: 'ACCEPTED' } },
			await users.deviceStep(tenant, serial, credentials.password, firstPlace(groupId, type)),
			{ kind: 'remove', collection: registrationSpec.name, id: serial },
		]);
		users.forget(`${tenant}/${credentials.userName}`);
		return outcome.ok ? credentials : undefined;
	}

	/**
	 * Gives a device its user without a request of its own: with a password, or for a certificate of another authority.
	 * @throws AccessError `access/conflict` where its user was disabled
	 */
	async function admit(tenant: string, serial: string, password: string | undefined, place: FirstPlace): Promise<void> {
		const outcome = await store.batch(await admissionSteps(tenant, serial, password, place));
		users.forget(`${tenant}/${deviceUserPrefix}${serial}`);
		if (!outcome.ok)
			throw new AccessError('access/conflict', `The user of '${serial}' was changed by others at the same time: try again`);
	}

	/** The steps of `admit`, for a write that does more; they fail where somebody else was faster. @throws AccessError as `admit` */
	async function admissionSteps(
		tenant: string,
		serial: string,
		password: string | undefined,
		place: FirstPlace,
	): Promise<Step[]> {
		return [await users.deviceStep(tenant, serial, password, place), removedDevices.readmitStep(tenant, serial)];
	}

	/**
	 * Takes a one-time password for what `sign` makes; it is used up when that is made.
	 * @param address where the attempt comes from
	 * @param inNameOf runs what the device does once it is known
	 * @throws AccessError `access/wrongOneTimePassword`, `access/throttled`, `access/conflict` where its user was disabled, and what
	 * `sign` throws
	 */
	async function enrol(
		attempt: { readonly serial: string; readonly oneTimePassword: string; readonly address: string },
		sign: (tenant: string) => Promise<SignedCertificate>,
		inNameOf: (device: Pick<DeviceCredentials, 'tenant' | 'userName'>, work: () => Promise<Buffer>) => Promise<Buffer>,
	): Promise<{ readonly tenant: string; readonly pkcs7: Buffer }> {
		const { serial, oneTimePassword, address } = attempt;
		const registration = await registrations.get(serial);
		const mayCome = registration && !isOver(registration) && (await tenants.isActive(registration.tenant));
		const expected = mayCome ? registration.oneTimePasswordHash : undefined;
		// A device that is not expected costs what a wrong password costs.
		const check = async () => verifyPassword(expected ?? (await unknownHash), oneTimePassword);
		const outcome = await attempts.run(address, serial, check);
		if (outcome === 'throttled')
			throw new AccessError(
				'access/throttled',
				'Too many wrong one-time passwords for this device from this address: wait a minute',
			);
		if (outcome === 'wrong' || !registration || expected === undefined)
			throw new AccessError(
				'access/wrongOneTimePassword',
				`No device '${serial.slice(0, 254)}' is registered with this one-time password`,
			);
		const { tenant, groupId, type } = registration;
		const userName = deviceUserPrefix + serial;
		const made = await inNameOf({ tenant, userName }, async () => {
			const userStep = await users.deviceStep(tenant, serial, undefined, firstPlace(groupId, type));
			const { pkcs7, steps } = await sign(tenant);
			// Of two that ask at once, one gets something.
			const { ok } = await store.batch([
				{ kind: 'require', collection: registrationSpec.name, id: serial, where: { tenant, oneTimePasswordHash: expected } },
				userStep,
				...steps,
				{ kind: 'remove', collection: registrationSpec.name, id: serial },
			]);
			users.forget(`${tenant}/${userName}`);
			if (ok) return pkcs7;
			throw new AccessError('access/wrongOneTimePassword', 'The one-time password has been used');
		});
		return { tenant, pkcs7: made };
	}

	/** Removes what has expired; how many. */
	async function sweep(): Promise<number> {
		for (let removed = 0; ; ) {
			const page = await registrations.find({ filter: { expirationTime: { $lte: clock() } }, limit: sweptAtOnce });
			for (const each of page) await end(each);
			removed += page.length;
			if (page.length < sweptAtOnce) return removed;
		}
	}

	/** Removes one that has expired, unless somebody has registered the device anew meanwhile. */
	async function end({ _id: id, expirationTime = 0 }: Registration): Promise<void> {
		await store.batch([
			{ kind: 'require', collection: registrationSpec.name, id, where: { expirationTime } },
			{ kind: 'remove', collection: registrationSpec.name, id },
		]);
	}

	return {
		enrol,
		request,
		requestSteps,
		list,
		count,
		get,
		findTenant,
		accept,
		acceptAll,
		remove,
		removalSteps,
		poll,
		admit,
		admissionSteps,
		sweep,
	};
}

const sweptAtOnce = 200;

function firstPlace(groupId: string | undefined, type: string | undefined): FirstPlace {
	return { ...(groupId !== undefined && { firstGroup: groupId }), ...(type !== undefined && { firstType: type }) };
}

function present(serial: string): AccessError {
	return new AccessError('access/conflict', `A registration for '${serial}' exists`);
}

function blocked(serial: string): AccessError {
	return new AccessError(
		'access/conflict',
		`The registration for '${serial}' is blocked after too many wrong security tokens: remove it, and register the device anew`,
	);
}
