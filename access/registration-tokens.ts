import type { Collection } from '../store/index.ts';
import { AccessError } from './access-error.ts';
import { verifyPassword } from './passwords.ts';
import type { Registration } from './registration.ts';
import { isSecurityToken, type OptionSource, securityTokenPolicy } from './security-token.ts';

/** The security tokens of registrations: what a device shows, and what whoever accepts it gives, have to be the same. */
export function createSecurityTokens({
	registrations,
	tenantOptions,
	hash,
	maxWrong,
}: {
	readonly registrations: Collection<Registration>;
	readonly tenantOptions: OptionSource;
	readonly hash: (token: string) => Promise<string>;
	/** Wrong ones after which a registration is blocked. */
	readonly maxWrong: number;
}) {
	/** Whether the device has to show one. */
	async function isNeeded({ tenant, tokenHash }: Registration): Promise<boolean> {
		const policy = await securityTokenPolicy(tenantOptions, tenant);
		return policy === 'REQUIRED' || (policy === 'OPTIONAL' && tokenHash !== undefined);
	}

	/** @throws AccessError `access/invalid` where the device must not be accepted with this token, or without one */
	async function checkAccepting(registration: Registration, token: string | undefined): Promise<void> {
		const { tenant, _id: serial, tokenHash, isTokenGiven } = registration;
		const policy = await securityTokenPolicy(tenantOptions, tenant);
		if (policy === 'IGNORED') return;
		if (tokenHash === undefined && policy === 'REQUIRED')
			throw new AccessError(
				'access/invalid',
				`'${serial}' has shown no security token, and tenant '${tenant}' requires one: let the device send it when it asks for its credentials`,
			);
		if (tokenHash === undefined || (isTokenGiven && token === undefined)) return;
		if (token === undefined)
			throw new AccessError(
				'access/invalid',
				`securityToken is missing: '${serial}' has shown one, and it must be given here, too`,
			);
		if (await verifyPassword(tokenHash, token)) return;
		await noteWrong(registration);
		throw new AccessError('access/invalid', `securityToken is not the one that '${serial}' has shown`);
	}

	/** The first token that a device shows is the one that it has to show from then on. */
	async function isRight(registration: Registration, token: string | undefined): Promise<boolean> {
		const { _id, tenant, status, tokenHash } = registration;
		const policy = await securityTokenPolicy(tenantOptions, tenant);
		if (policy === 'IGNORED') return true;
		if (tokenHash === undefined) {
			if (token === undefined || status === 'ACCEPTED') return policy !== 'REQUIRED';
			if (!isSecurityToken(token)) return false;
			const $set = { tokenHash: await hash(token) };
			return (await registrations.findOneAndUpdate({ _id, status, tokenHash: { $exists: false } }, { $set })) !== undefined;
		}
		if (token === undefined) return false;
		if (await verifyPassword(tokenHash, token)) return true;
		await noteWrong(registration);
		return false;
	}

	async function noteWrong({ _id, status }: Registration): Promise<void> {
		const noted = await registrations.findOneAndUpdate({ _id, status }, { $inc: { wrongTokens: 1 } });
		if ((noted?.wrongTokens ?? 0) < maxWrong) return;
		await registrations.findOneAndUpdate({ _id, status }, { $set: { status: 'BLOCKED' } });
	}

	return { isNeeded, checkAccepting, isRight };
}
