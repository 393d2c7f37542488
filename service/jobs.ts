import type { Access } from '../access/index.ts';
import type { Config } from '../config/index.ts';
import type { EmbeddedBroker, Gateway } from './mqtt/index.ts';
import type { OutsideBroker } from './outside-broker.ts';
import type { Job } from './scheduler.ts';
import type { ServerCertificate } from './server-certificate.ts';
import type { TenantRemoval } from './tenant-removal.ts';

const refreshEveryMilliseconds = 10_000;
const expiryEveryMilliseconds = 60_000;

/** What the service does again and again, beside the jobs of its parts. */
export function serviceJobs({
	config,
	isShared,
	access,
	gateway,
	broker,
	bridge,
	certificate,
	removal,
	isStopping,
}: {
	readonly config: Config;
	/** Whether other processes change what is stored. */
	readonly isShared: boolean;
	readonly access: Access;
	readonly gateway: Gateway;
	readonly broker: EmbeddedBroker;
	readonly bridge: OutsideBroker;
	readonly certificate: ServerCertificate | undefined;
	readonly removal: TenantRemoval;
	readonly isStopping: () => boolean;
}): Job[] {
	const everyMilliseconds = config.mqtt.deliverySweepSeconds * 1000;
	const tlsMilliseconds = config.tls.reloadSeconds * 1000;
	const removalMilliseconds = config.tenant.removalSeconds * 1000;
	const endExpired = async () => void (await access.registration.sweep());
	return [
		{ name: 'delivery sweep', everyMilliseconds, run: gateway.outbound.sweepAll },
		{ name: 'outside devices sweep', everyMilliseconds, run: () => bridge?.sweep() },
		...(isShared ? [{ name: 'sweep of users', everyMilliseconds, run: broker.checkUsers }] : []),
		{ name: 'sweep of certificates', everyMilliseconds, run: broker.checkCertificates },
		...(certificate ? [{ name: 'TLS files', everyMilliseconds: tlsMilliseconds, run: certificate.reload }] : []),
		{ name: 'expiry of registrations', everyMilliseconds: expiryEveryMilliseconds, once: true, run: endExpired },
		{ name: 'refreshing of tokens', everyMilliseconds: refreshEveryMilliseconds, run: access.tokens.refresh },
		{ name: 'removal of tenants', everyMilliseconds: removalMilliseconds, once: true, run: () => removal.run(isStopping) },
	];
}
