import express, { type Express } from 'express';
import { applicationRoutes } from './application-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { binaryRoutes } from './binary-routes.ts';
import { bulkRegistrationRoutes } from './bulk-registration-routes.ts';
import { certificateProofRoutes } from './certificate-proof-routes.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { childrenRoutes } from './children-routes.ts';
import { deviceTokenRoutes } from './device-token-routes.ts';
import { docsRoutes } from './docs-routes.ts';
import { enrolmentRoutes } from './enrolment-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { groupRoutes } from './group-routes.ts';
import { healthRoutes } from './health-routes.ts';
import type { HttpServices } from './http-options.ts';
import { identityProviderRoutes } from './identity-provider-routes.ts';
import { createIdentityProviders, type IdentityProviders } from './identity-providers.ts';
import { identityRoutes } from './identity-routes.ts';
import { inventoryRoutes } from './inventory-routes.ts';
import { issuedCertificateRoutes } from './issued-certificate-routes.ts';
import { loginRoutes } from './login-routes.ts';
import { describeApi } from './openapi.ts';
import { operationRoutes } from './operation-routes.ts';
import { optionRoutes } from './option-routes.ts';
import { registrationRoutes } from './registration-routes.ts';
import { revocationListRoutes } from './revocation-list-routes.ts';
import { roleRoutes } from './role-routes.ts';
import type { Route } from './route.ts';
import { mountRoutes } from './router.ts';
import { softwareRoutes } from './software-routes.ts';
import { softwareSearchRoutes } from './software-search-routes.ts';
import { tenantManagementRoutes } from './tenant-management-routes.ts';
import { tenantRoutes } from './tenant-routes.ts';
import { userRoutes } from './user-routes.ts';

/** The HTTP side as an express application; it listens nowhere by itself. */
export function createHttpApp(services: HttpServices): Express {
	const app = express();
	app.set('query parser', 'simple');
	// A tag of every answer costs a hash of every answer, and nothing of ours is asked for conditionally.
	app.set('etag', false);
	app.disable('x-powered-by');
	const identityProviders = openIdentityProviders(services);
	mountRoutes(app, httpRoutes(services, identityProviders), services, identityProviders.verifyToken);
	return app;
}

function openIdentityProviders({ access, log, options }: HttpServices): IdentityProviders {
	return createIdentityProviders({ providers: options.identityProviders, answerSeconds: options.answerSeconds, access, log });
}

/** THE list of routes, in the order in which paths are tried and described. */
export function httpRoutes(services: HttpServices, identityProviders = openIdentityProviders(services)): Route[] {
	const routes: Route[] = [
		...softwareRoutes(services),
		...softwareSearchRoutes(services),
		...inventoryRoutes(services),
		...binaryRoutes(services),
		...childrenRoutes(services),
		...identityRoutes(services),
		...operationRoutes(services),
		...eventRoutes(services),
		...registrationRoutes(services),
		...loginRoutes(services, identityProviders),
		...identityProviderRoutes(services, identityProviders),
		...userRoutes(services),
		...groupRoutes(services),
		...roleRoutes(services),
		...tenantRoutes(services),
		...tenantManagementRoutes(services),
		...optionRoutes(services),
		...applicationRoutes(services),
		...certificateRoutes(services),
		...revocationListRoutes(services),
		...certificateProofRoutes(services),
		...bulkRegistrationRoutes(services),
		...enrolmentRoutes(services),
		...issuedCertificateRoutes(services),
		...deviceTokenRoutes(services),
		...auditRoutes(services),
		...healthRoutes(services),
	];
	routes.push(...docsRoutes(() => describeApi(routes, services.version)));
	return routes;
}
