import type { Config } from '../config/index.ts';
import type { PackageLimits } from '../inventory/index.ts';

/** How many packages a device may have, and how long their texts may be. */
export function packageLimitsOf(limits: Config['limits']): PackageLimits {
	return {
		maxPackages: limits.packagesMax,
		nameMaxLength: limits.packageNameMaxCharacters,
		versionMaxLength: limits.packageVersionMaxCharacters,
		typeMaxLength: limits.packageTypeMaxCharacters,
		urlMaxLength: limits.packageUrlMaxCharacters,
	};
}
