/** The HTTP side of the service. */
export { createHttpApp, httpRoutes } from './app.ts';
export type { HttpOptions, HttpServices, PartReadiness, Readiness } from './http-options.ts';
export type { IdentityProvider } from './identity-providers.ts';
/** Tables for reference pages. */
export { type ProblemCode, problems } from './problem.ts';
export type { Route } from './route.ts';
/** What servers of HTTP answer where no request could be read. */
export { createUnreadableAnswer } from './unreadable-request.ts';
