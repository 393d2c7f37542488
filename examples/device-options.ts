import type { InstalledPackage } from './package-list.ts';

/** Who the device is, what it can, and how well. */
export interface DeviceOptions {
	readonly url: string;
	readonly serial: string;
	readonly user: string;
	readonly password: string;
	readonly packages: readonly InstalledPackage[];
	/** The types that it can install. Without any it uses the legacy templates, and its whole list has to fit into one message. */
	readonly softwareTypes: readonly string[];
	readonly supportedOperations: readonly string[];
	readonly installMilliseconds: number;
	/** From 0, nothing fails, to 1. */
	readonly failureRate: number;
	/** Hears what it does. */
	readonly onProgress?: (line: string) => void;
}
