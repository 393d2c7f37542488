import type { Express, Request, Response } from 'express';
import { mayDo, mayDoSomewhere, type Permission, type Principal, toReadable } from '../../access/index.ts';
import { type Actor, actAs } from '../../audit/index.ts';
import { presentedChain } from '../presented-chain.ts';
import { createAdmission } from './admission.ts';
import { type AnswerDeadline, startAnswerDeadline } from './answer-deadline.ts';
import { claimedUser, createAuthenticator, type ForeignTokens, type Login } from './auth.ts';
import { createOrigins, hostOf } from './base-url.ts';
import { limitBodyTime, limitReadTime, limitStandstill } from './body-time.ts';
import { readSessionCookie } from './cookies.ts';
import { forwardedChain } from './forwarded-chain.ts';
import { HttpError } from './http-error.ts';
import type { HttpServices } from './http-options.ts';
import { createBodyReader } from './json-body.ts';
import { docsPath, type Problem, statusOf, toProblem } from './problem.ts';
import { noContent, type Reply, sendReply, sendStream } from './reply.ts';
import { createRequestRate } from './request-rate.ts';
import type { IncomingCall, Route } from './route.ts';
import { createScanGate } from './scan-gate.ts';

/** Mounts the routes, and the refusals of everything that is none. */
export function mountRoutes(app: Express, routes: readonly Route[], services: HttpServices, foreignTokens: ForeignTokens): void {
	const gate = createScanGate({ atOnce: services.options.scansAtOnce, waitingPerUser: services.options.scansWaitingPerUser });
	const authenticate = createAuthenticator({ access: services.access, foreignTokens });
	const origins = createOrigins(services.options.trustedProxies);
	const { baseUrl, addressOf } = origins;
	const rate = createRequestRate(services);
	const admit = createAdmission({ options: services.options, origins, rateOfAddress: rate.ofAddress });
	const { readJson, readForm } = createBodyReader(services.options);
	const { requestTimeoutMilliseconds, uploadTimeoutMilliseconds, standstillMilliseconds, readTimeoutMilliseconds } =
		services.options;
	const observeRefused = observer('other', 'unknown');

	app.use((request, response, next) => {
		try {
			if (!admit(request, response)) return next();
			sendReply(response, noContent);
		} catch (error) {
			limitBody(request, response, requestTimeoutMilliseconds);
			refuse(request, response, error);
		}
		observeRefused(response.statusCode, 0);
	});

	app.use((request: Request, response: Response, next: () => void) => {
		if (hasOneHost(request)) next();
		else refuse(request, response, new HttpError('http/badRequest', 'The request has more than one Host: send one'));
	});
	for (const [path, group] of byPath(routes)) {
		const mounted = app.route(expressPath(path));
		for (const each of group) mounted[each.method](handlerOf(each));
		mounted.all(refusalOf(path, methodNotAllowed(group)));
	}
	app.use(refusalOf('unknown', (request) => new HttpError('http/notFound', `There is nothing at ${request.path.slice(0, 200)}`)));
	app.use((error: unknown, request: Request, response: Response, _next: unknown) => {
		refuse(
			request,
			response,
			isBadPath(error) ? new HttpError('http/badRequest', 'The path is not percent-encoded UTF-8') : error,
		);
	});

	function handlerOf(each: Route) {
		const observe = observer(each.method, each.path);
		return async (request: Request, response: Response): Promise<void> => {
			const started = performance.now();
			limitBody(request, response, each.upload ? uploadTimeoutMilliseconds : requestTimeoutMilliseconds);
			let principal: Principal | undefined;
			try {
				const deadline = startAnswerDeadline(services.options.answerTimeoutMilliseconds);
				const call = callOf(request, response, deadline, () => principal);
				const work = async () => {
					if (each.permission === 'public') return each.answer(call);
					const login = await (hasShownCertificate(request) ? identifyByCertificate(request) : identify(request));
					principal = login.principal;
					await rate.ofCaller(principal);
					if (!(each.isScoped ? mayDoSomewhere : mayDo)(principal, each.permission)) throw forbidden(principal, each.permission);
					return await actAs(actorOf(principal, addressOf(request), each), () => each.answer(call, login));
				};
				await send(request, response, await deadline.wait(work()));
			} catch (error) {
				refuse(request, response, error, each);
			}
			const seconds = (performance.now() - started) / 1000;
			observe(response.statusCode, seconds);
			if (services.log.isLevelEnabled('debug')) logRequest(each, request, response.statusCode, seconds, principal);
		};
	}

	function send(request: Request, response: Response, reply: Reply): Promise<void> | void {
		if (reply.stream === undefined) {
			sendReply(response, reply);
			return limitReadTime(response, readTimeoutMilliseconds);
		}
		// Before the server sets the time for an idle connection.
		response.prependOnceListener('finish', limitStandstill(request, standstillMilliseconds));
		return sendStream(response, reply, reply.stream);
	}

	async function identify(request: Request): Promise<Login> {
		const address = addressOf(request);
		const { headers, method } = request;
		try {
			return await authenticate({ headers, method, address, host: hostOf(baseUrl(request)) });
		} catch (error) {
			// Asked for without credentials, as browsers do first, is no attempt.
			if (error instanceof HttpError && (headers.authorization ?? headers.cookie) !== undefined) {
				const user = claimedUser(headers);
				services.log.info({ address, user, path: request.path, reason: error.message }, `login refused: ${error.code}`);
				const host = hostOf(baseUrl(request));
				services.noteRefusedLogin({ user, host, reason: error.code, channel: 'http', address, call: callText(request) });
			}
			throw error;
		}
	}

	async function identifyByCertificate(request: Request): Promise<Login> {
		const chain = presentedChain(request.socket) ?? [];
		const login = await services.access.certificates.logIn([...chain, ...forwardedChain(request.headers['x-ssl-cert-chain'])]);
		if (login.ok) return { principal: login.principal, byCookie: false, byCertificate: true };
		const address = addressOf(request);
		services.log.info({ address, path: request.path }, `login refused: ${login.message}`);
		const refused = { user: undefined, host: hostOf(baseUrl(request)), reason: login.message, address, call: callText(request) };
		services.noteRefusedLogin({ ...refused, channel: 'http' });
		const code = login.reason === 'rejected' ? 'http/unauthorized' : 'http/forbidden';
		throw new HttpError(code, 'The client certificate does not let this device in; the log of the service says why');
	}

	function callOf(
		request: Request,
		response: Response,
		deadline: AnswerDeadline,
		caller: () => Principal | undefined,
	): IncomingCall {
		const at = request.originalUrl.indexOf('?');
		let closed: AbortSignal | undefined;
		return {
			params: request.params,
			query: request.query,
			queryText: at < 0 ? '' : request.originalUrl.slice(at + 1),
			path: at < 0 ? request.originalUrl : request.originalUrl.slice(0, at),
			base: baseUrl(request),
			acceptsGzip: request.headers['accept-encoding']?.includes('gzip') ?? false,
			isHead: request.method === 'HEAD',
			headers: request.headers,
			address: addressOf(request),
			readJson: () => {
				acceptBody(request, response);
				return deadline.receiving(readJson(request, response));
			},
			readForm: (schema) => {
				acceptBody(request, response);
				return deadline.receiving(readForm(request, response, schema));
			},
			readStream: () => {
				acceptBody(request, response);
				// An upload may take as long as it goes on.
				const ends = [limitStandstill(request, standstillMilliseconds), deadline.hold()];
				for (const end of ends) request.once('end', end).once('close', end);
				return request;
			},
			scan: (work) => {
				const { tenant = '', userName = '' } = caller() ?? {};
				closed ??= untilClosed(response);
				return gate.run(`${tenant}/${userName}`, closed, work);
			},
		};
	}

	// A client that asked whether to send its body hears so only when the request is good so far.
	function acceptBody(request: Request, response: Response): void {
		if (request.headers.expect !== undefined) response.writeContinue();
	}

	function limitBody(request: Request, response: Response, milliseconds: number): void {
		limitBodyTime(request, response, milliseconds, () => {
			const message = `The body did not arrive within ${milliseconds / 1000} s: send it again, faster`;
			refuse(request, response, new HttpError('http/requestTimeout', message, { headers: { Connection: 'close' } }));
		});
	}

	function refusalOf(path: string, errorOf: (request: Request) => HttpError) {
		const observe = observer('other', path);
		return (request: Request, response: Response): void => {
			limitBody(request, response, requestTimeoutMilliseconds);
			refuse(request, response, errorOf(request));
			observe(response.statusCode, 0);
		};
	}

	function refuse(request: Request, response: Response, error: unknown, each?: Route): void {
		const problem = toProblem(error);
		if (problem.errorId !== undefined)
			services.log.error(
				{ err: error, errorId: problem.errorId, method: request.method, path: request.path },
				'http request failed',
			);
		// An answer that has begun cannot be taken back; the client sees it end early.
		if (response.headersSent) return void response.destroy();
		sendReply(response, {
			status: statusOf(problem.code, each),
			headers: problem.headers,
			json: problemJson(problem, baseUrl(request)),
		});
	}

	function logRequest(
		{ query }: Route,
		request: Request,
		status: number,
		seconds: number,
		principal: Principal | undefined,
	): void {
		const { method, path } = request;
		// As in Cumulocity, clients may send parameters that nothing is made of.
		const ignored = Object.keys(request.query)
			.filter((name) => !Object.hasOwn(query.shape, name))
			.slice(0, 10);
		const who = principal && { tenant: principal.tenant, user: principal.userName };
		services.log.debug(
			{ method, path, status, milliseconds: Math.round(seconds * 1e6) / 1000, ...who, ...(ignored.length > 0 && { ignored }) },
			'http request',
		);
	}

	// Looking a label combination up costs more than observing, so each one is looked up once.
	function observer(method: string, path: string) {
		const byStatus = new Map<number, { observe: (seconds: number) => void }>();
		return (status: number, seconds: number): void => {
			const known = byStatus.get(status);
			const histogram = known ?? services.metrics.httpSeconds.labels(method, path, String(status));
			if (!known) byStatus.set(status, histogram);
			histogram.observe(seconds);
		};
	}
}

/** Aborted when the client is gone, or has its answer. */
function untilClosed(response: Response): AbortSignal {
	const closed = new AbortController();
	const end = () => closed.abort(new HttpError('http/unavailable', 'The request was given up'));
	if (response.destroyed || response.closed) end();
	else response.once('close', end);
	return closed.signal;
}

/** Credentials in the request come before a certificate. */
function hasShownCertificate({ headers, socket }: Request): boolean {
	const hasOthers = headers.authorization !== undefined || readSessionCookie(headers) !== undefined;
	return !hasOthers && presentedChain(socket) !== undefined;
}

/** Of several, a proxy in front may have believed another one than this service would. [RFC 9112, 3.2] */
function hasOneHost({ rawHeaders }: Request): boolean {
	let hosts = 0;
	for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts++;
	return hosts <= 1;
}

function actorOf({ tenant, userName, role }: Principal, address: string, { method, path }: Route): Actor {
	const call = `${method.toUpperCase()} ${path}`;
	return { tenant, userName, isDevice: role === 'device', channel: 'http', ...(address !== '' && { address }), call };
}

function callText({ method, path }: Request): string {
	return `${method} ${path.slice(0, 200)}`;
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
	const groups = new Map<string, Route[]>();
	for (const each of routes) groups.set(each.path, [...(groups.get(each.path) ?? []), each]);
	return groups;
}

function problemJson({ code, message, details }: Problem, base: string): Record<string, unknown> {
	return { error: code, message: toVisible(message), info: base + docsPath, ...(details && { details }) };
}

/** What a message quotes may come from outside, be long, and go to a terminal: what would steer it is written as its code. */
function toVisible(message: string): string {
	const short = message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message;
	return short.replace(
		/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
		(each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}

const maxMessage = 1500;

function methodNotAllowed(group: readonly Route[]): (request: Request) => HttpError {
	const methods = group.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
	const allow = methods.join(', ');
	return ({ method }) =>
		new HttpError('http/methodNotAllowed', `${method} is not possible here: use ${allow}`, { headers: { Allow: allow } });
}

function forbidden({ role, mustChangePassword }: Principal, permission: Permission): HttpError {
	if (mustChangePassword)
		return new HttpError('http/forbidden', 'The password has to be changed first: PUT /user/currentUser/password');
	// What a user may do that has groups and roles of its own is no matter of one role.
	const who = role === 'user' ? 'This user' : `A user with the role '${role}'`;
	return new HttpError('http/forbidden', `${who} may not do this: it needs ${toReadable(permission)}`);
}

function expressPath(path: string): string {
	return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function isBadPath(error: unknown): boolean {
	return typeof error === 'object' && error !== null && 'status' in error && error.status === 400;
}
