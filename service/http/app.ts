import express, { type Express } from 'express';
import { auditRoutes } from './audit-routes.ts';
import { binaryRoutes } from './binary-routes.ts';
import { childrenRoutes } from './children-routes.ts';
import { docsRoutes } from './docs-routes.ts';
import { healthRoutes } from './health-routes.ts';
import type { HttpServices } from './http-options.ts';
import { identityRoutes } from './identity-routes.ts';
import { inventoryRoutes } from './inventory-routes.ts';
import { describeApi } from './openapi.ts';
import { operationRoutes } from './operation-routes.ts';
import { registrationRoutes } from './registration-routes.ts';
import type { Route } from './route.ts';
import { mountRoutes } from './router.ts';
import { softwareRoutes } from './software-routes.ts';
import { softwareSearchRoutes } from './software-search-routes.ts';
import { tenantRoutes } from './tenant-routes.ts';

/** The HTTP side as an express application; it listens nowhere by itself. */
export function createHttpApp(services: HttpServices): Express {
	const app = express();
	app.set('query parser', 'simple');
	// A tag of every answer costs a hash of every answer, and nothing of ours is asked for conditionally.
	app.set('etag', false);
	app.disable('x-powered-by');
	mountRoutes(app, httpRoutes(services), services);
	return app;
}

/** THE list of routes, in the order in which paths are tried and described. */
export function httpRoutes(services: HttpServices): Route[] {
	const routes: Route[] = [
		...softwareRoutes(services),
		...softwareSearchRoutes(services),
		...inventoryRoutes(services),
		...binaryRoutes(services),
		...childrenRoutes(services),
		...identityRoutes(services),
		...operationRoutes(services),
		...registrationRoutes(services),
		...tenantRoutes(),
		...auditRoutes(services),
		...healthRoutes(services),
	];
	routes.push(...docsRoutes(() => describeApi(routes, services.version)));
	return routes;
}
