import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Permission, Principal } from '../../access/index.ts';
import type { Login } from './auth.ts';
import type { ProblemCode } from './problem.ts';
import { decodeQuery } from './query-values.ts';
import type { Reply, Status } from './reply.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

/** A JSON body: `schema` describes it, `decode` turns it into what the handler takes, or throws a refusal that names the field. */
export interface JsonBody<T> {
	/** Absent where the body is ignored. */
	readonly schema?: z.ZodType;
	readonly decode: (value: unknown) => T;
}

export const noParams = {};
export const noQuery = z.object({});
export const noBody: JsonBody<undefined> = { decode: () => undefined };

/** What one status of an answer carries. */
export interface AnswerSpec {
	readonly description: string;
	/** Absent where there is no body. */
	readonly schema?: z.ZodType;
	/** Where the body is not JSON. */
	readonly mediaType?: string;
}

/** A request as the router hands it to a route. */
export interface IncomingCall {
	readonly params: Readonly<Record<string, string | readonly string[] | undefined>>;
	readonly query: unknown;
	/** The raw query string, without the question mark. */
	readonly queryText: string;
	/** The raw path. */
	readonly path: string;
	/** Scheme and host by which the client knows the service. */
	readonly base: string;
	readonly acceptsGzip: boolean;
	readonly isHead: boolean;
	readonly headers: IncomingHttpHeaders;
	/** Of the client, which may be behind a proxy. */
	readonly address: string;
	/** The body as it comes, for routes whose `upload` describes it. A client that stops sending is cut off. */
	readonly readStream: () => Readable;
	readonly readJson: () => Promise<unknown>;
	/** The fields of a body that is a form, for routes whose `form` describes them. */
	readonly readForm: <S extends z.ZodType>(schema: S) => Promise<z.output<S>>;
	/**
	 * Runs a read that looks at many documents when it is its turn; the signal tells that nobody waits for it any more.
	 * @throws HttpError `http/throttled`
	 */
	readonly scan: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

type ParamName<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamName<Rest> : never;

/** A request as its handler sees it: decoded, and refused before where it was wrong. */
export interface Call<P extends string, Q, B> extends Omit<IncomingCall, 'params' | 'query' | 'readJson'> {
	readonly param: (name: ParamName<P>) => string;
	readonly query: Q;
	readonly body: B;
}

/** A call by somebody whose credentials were verified. */
export interface UserCall<P extends string, Q, B> extends Call<P, Q, B> {
	readonly principal: Principal;
	/** How the caller has shown who it is. */
	readonly login: Login;
}

interface Description {
	readonly method: Method;
	readonly summary: string;
	readonly description?: string;
	readonly tag: string;
	readonly answers: Readonly<Partial<Record<Status, AnswerSpec>>>;
	/** Refusals of this route's own, beside those that every route has. */
	readonly refusals?: readonly ProblemCode[];
	/** Some clients take 400 for success here: answer 422 instead. */
	readonly never400?: boolean;
	/** The handler looks at what it is done with: it lets in who may do it with a part of the objects only. */
	readonly isScoped?: true;
	/** A body that is no JSON, by media type. */
	readonly upload?: Readonly<Record<string, z.ZodType>>;
	/** A body that is a form in the way of a query string. */
	readonly form?: z.ZodType;
}

/** One route without its types: what the router mounts and the API description shows. */
export type Route = Description & {
	readonly path: string;
	readonly params: Readonly<Record<string, string>>;
	readonly query: z.ZodObject;
	readonly body: z.ZodType | undefined;
} & (
		| { readonly permission: Permission; readonly answer: (call: IncomingCall, login: Login) => Promise<Reply> }
		| { readonly permission: 'public'; readonly answer: (call: IncomingCall) => Promise<Reply> }
	);

interface Spec<P extends string, Q extends z.ZodObject, B> extends Description {
	/** Names in braces are parameters. */
	readonly path: P;
	/** What each parameter of the path is. */
	readonly params: Readonly<Record<ParamName<P>, string>>;
	readonly query: Q;
	readonly body: JsonBody<B>;
}

interface UserSpec<P extends string, Q extends z.ZodObject, B> extends Spec<P, Q, B> {
	readonly permission: Permission;
	readonly handler: (call: UserCall<P, z.output<Q>, B>) => Promise<Reply>;
}

interface PublicSpec<P extends string, Q extends z.ZodObject, B> extends Spec<P, Q, B> {
	readonly handler: (call: Call<P, z.output<Q>, B>) => Promise<Reply>;
}

/** A route for callers with a permission. */
export function route<const P extends string, Q extends z.ZodObject, B>(spec: UserSpec<P, Q, B>): Route {
	const { handler, ...description } = spec;
	return {
		...description,
		body: spec.body.schema,
		answer: async (call, login) => handler({ ...(await decode(spec, call)), principal: login.principal, login }),
	};
}

/** A route for everybody. */
export function publicRoute<const P extends string, Q extends z.ZodObject, B>(spec: PublicSpec<P, Q, B>): Route {
	const { handler, ...description } = spec;
	return {
		...description,
		permission: 'public',
		body: spec.body.schema,
		answer: async (call) => handler(await decode(spec, call)),
	};
}

async function decode<P extends string, Q extends z.ZodObject, B>(
	{ query, body }: Spec<P, Q, B>,
	call: IncomingCall,
): Promise<Call<P, z.output<Q>, B>> {
	return {
		...call,
		param: (name) => String(call.params[name]),
		query: decodeQuery(query, call.query),
		body: body.decode(body.schema && (await call.readJson())),
	};
}
