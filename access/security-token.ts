import { AccessError } from './access-error.ts';

/** Whether a device has to show that it belongs to whoever accepts it: by a token that both know. */
export const securityTokenPolicies = ['IGNORED', 'OPTIONAL', 'REQUIRED'] as const;
export type SecurityTokenPolicy = (typeof securityTokenPolicies)[number];

/** Where a tenant keeps its policy, as in Cumulocity. */
export const policyOption = { category: 'device-registration', key: 'security-token.policy' } as const;

/** Where options are looked up. */
export interface OptionSource {
	find(tenant: string, category: string, key: string): Promise<{ readonly value: string } | undefined>;
}

const maxLength = 254;

/** The policy of a tenant; `OPTIONAL` unless it has set another. */
export async function securityTokenPolicy(options: OptionSource, tenant: string): Promise<SecurityTokenPolicy> {
	const { category, key } = policyOption;
	const value = (await options.find(tenant, category, key))?.value;
	return securityTokenPolicies.find((policy) => policy === value) ?? 'OPTIONAL';
}

export function isSecurityToken(text: string): boolean {
	return text.length > 0 && text.length <= maxLength && !/\p{Cc}/u.test(text);
}

/** @throws AccessError `access/invalid` */
export function checkSecurityToken(token: string): void {
	if (!isSecurityToken(token))
		throw new AccessError('access/invalid', `securityToken must have 1 to ${maxLength} characters, and no control characters`);
}
