import type { Logger } from 'pino';
import type { Access } from '../../access/index.ts';
import type { AuditTrail } from '../../audit/index.ts';
import type { Events } from '../../events/index.ts';
import type { Binaries, BridgedDevices, ConditionLimits, Inventory, OrderOfType, PackageLimits } from '../../inventory/index.ts';
import type { Operations } from '../../operations/index.ts';
import type { FirstPlaces } from '../first-place.ts';
import type { Metrics } from '../metrics.ts';
import type { NoteRefusedLogin } from '../refused-logins.ts';
import type { SerialCheck } from '../serial-check.ts';
import type { IdentityProvider } from './identity-providers.ts';

/** The settings that the HTTP side obeys. */
export interface HttpOptions {
	/** Bytes of a request body, unpacked. */
	readonly bodyMaxBytes: number;
	readonly jsonMaxDepth: number;
	/** Bytes of a form, which may come from anybody. */
	readonly formMaxBytes: number;
	/** The head of a request: characters of its URL, and lines of headers. */
	readonly urlMaxCharacters: number;
	readonly headersMaxCount: number;
	/** Requests that are taken in a second; 0 is no limit. */
	readonly requestsPerSecond: { readonly address: number; readonly user: number; readonly device: number };
	/** Origins whose pages may call. */
	readonly corsOrigins: readonly string[];
	/** How long browsers that came by TLS shall come by TLS only; 0 says nothing. */
	readonly hstsSeconds: number;
	/** The longest that a request, once received, may take. */
	readonly answerTimeoutMilliseconds: number;
	readonly pageSizeMax: number;
	readonly pageSizeDefault: number;
	readonly packageLimits: PackageLimits;
	/** Reads that look at many documents: how many run at a time, and how many of one user may wait. */
	readonly scansAtOnce: number;
	readonly scansWaitingPerUser: number;
	/** Children that one managed object shows in itself. */
	readonly childReferencesMax: number;
	/** Fragments of a managed object. */
	readonly maxFragments: number;
	/** Whether one managed object, read by its id, shows an advanced software list as `c8y_SoftwareList` too. */
	readonly showAdvancedListInInventory: boolean;
	/** How long a client has to send a body, and how long one of a file. */
	readonly requestTimeoutMilliseconds: number;
	readonly uploadTimeoutMilliseconds: number;
	/** How long nothing may move while a file comes or goes. */
	readonly standstillMilliseconds: number;
	/** How long a client has to read an answer that is no stream. */
	readonly readTimeoutMilliseconds: number;
	/** Who is sent to the address of the file itself, where its store has such. */
	readonly binaryRedirect: 'nobody' | 'users' | 'everybody';
	/** Lines of one file of registrations. */
	readonly bulkRegistrationMaxLines: number;
	/** Bytes of a revocation list. */
	readonly certificateListMaxBytes: number;
	/** Searches for installed software: how versions are compared, and how long conditions may be. */
	readonly softwareSearch: ConditionLimits & { readonly orderOfType: OrderOfType };
	/** Proxies in front whose word is taken for the client's address, scheme and host. */
	readonly trustedProxies: readonly string[];
	/** How long a session of a person is good. */
	readonly sessionSeconds: number;
	/** Others by whom people may log in, how long these have to answer, and how long a login at one may take. */
	readonly identityProviders: readonly IdentityProvider[];
	readonly answerSeconds: number;
	readonly loginSeconds: number;
	/** Bytes of the description of a file. */
	readonly objectMaxBytes: number;
}

/** Whether a part can do its work, and if not, why, in words that everybody may read. */
export interface PartReadiness {
	readonly ready: boolean;
	readonly reason?: string;
}

export interface Readiness {
	readonly store: PartReadiness;
	readonly broker: PartReadiness;
}

/** Everything the HTTP side works with. */
export interface HttpServices {
	readonly inventory: Inventory;
	readonly binaries: Binaries;
	readonly operations: Operations;
	readonly events: Events;
	readonly access: Access;
	readonly audit: Pick<AuditTrail, 'note' | 'list' | 'count' | 'find' | 'inOrder'>;
	readonly noteRefusedLogin: NoteRefusedLogin;
	readonly serialFault: SerialCheck;
	/** What was seen at an outside broker, where there is one. */
	readonly bridgedDevices?: Pick<BridgedDevices, 'find'> | undefined;
	readonly firstPlaces: FirstPlaces;
	readonly metrics: Metrics;
	readonly log: Logger;
	/** Milliseconds since 1970. */
	readonly clock: () => number;
	/** Milliseconds that never go back. */
	readonly elapsed: () => number;
	readonly options: HttpOptions;
	readonly readiness: () => Promise<Readiness>;
	/** Brings the gauges up to date before they are read. */
	readonly sampleMetrics: () => Promise<void>;
	readonly version: string;
	/** Told after managed objects are gone or have other external ids, so that connections look them up anew. */
	readonly onDevicesRemoved: (tenant: string, ids: readonly string[]) => void;
}
