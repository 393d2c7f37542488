import type { CollectionSpec } from '../store/index.ts';

export const registrationStatuses = ['WAITING_FOR_CONNECTION', 'PENDING_ACCEPTANCE', 'ACCEPTED', 'BLOCKED'] as const;
export type RegistrationStatus = (typeof registrationStatuses)[number];

/** A device that is expected: it asks for its credentials, a person accepts it, it gets them once. */
export interface Registration {
	/** The serial: it is what a device without credentials names itself by, so it is unique over all tenants. */
	readonly _id: string;
	readonly tenant: string;
	readonly status: RegistrationStatus;
	readonly creationTime: number;
	/** From then on it counts for nothing, and is removed. */
	readonly expirationTime?: number;
	/** The group that the device is put into. */
	readonly groupId?: string;
	/** What its object is, where the device does not say. */
	readonly type?: string;
	/** Of the security token that the device has shown, or has to show. */
	readonly tokenHash?: string;
	/** Whoever registered the device gave the token with it. */
	readonly isTokenGiven?: true;
	readonly wrongTokens?: number;
	/** It comes with a one-time password, and gets a certificate for it in place of credentials. */
	readonly oneTimePasswordHash?: string;
}

export const registrationSpec: CollectionSpec<Registration> = {
	name: 'registrations',
	indexes: [
		{ name: 'byTenant', keys: ['tenant', 'creationTime'] },
		{ name: 'byExpiry', keys: ['expirationTime'] },
	],
};
