import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { HttpError } from './http-error.ts';
import type { Reply } from './reply.ts';
import { noBody, noParams, noQuery, publicRoute, type Route } from './route.ts';

const root = '/service/advanced-software-mgmt';
const tag = 'API description';
const plain = { method: 'get', params: noParams, query: noQuery, body: noBody, tag } as const;

// No inline script and nothing of another origin; the page's components style themselves inline.
const pagePolicy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self' 'unsafe-inline'",
	"img-src 'self' data:",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Device software management: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="${root}/docs/swagger-ui-bundle.js"></script>
<script src="${root}/docs/start.js"></script>
</body>
</html>
`;

const startScript = `SwaggerUIBundle({
	url: '${root}/openapi.json',
	dom_id: '#api',
	deepLinking: true,
	filter: true,
	tryItOutEnabled: true,
	defaultModelsExpandDepth: 0,
	validatorUrl: null,
});
`;

/** The files of the page: whose content, and its type. */
const files = {
	'swagger-ui-bundle.js': { type: 'text/javascript', read: () => readPackageFile('swagger-ui-bundle.js') },
	'swagger-ui.css': { type: 'text/css', read: () => readPackageFile('swagger-ui.css') },
	'start.js': { type: 'text/javascript', read: async () => Buffer.from(startScript) },
} as const;

/** The description of the API, and a page to read and try it. */
export function docsRoutes(describe: () => unknown): Route[] {
	let description: string | undefined;
	return [
		publicRoute({
			...plain,
			path: '/',
			summary: 'Where a browser begins: it is sent to the page below',
			description: 'Only who asks for `text/html`; there is nothing here for others.',
			answers: { 302: { description: 'To the page' } },
			refusals: ['http/notFound'],
			handler: async ({ headers }) => {
				if (!headers.accept?.includes('text/html')) throw new HttpError('http/notFound', 'There is nothing at /');
				return { status: 302, headers: { Location: `${root}/docs`, Vary: 'Accept' } };
			},
		}),
		publicRoute({
			...plain,
			path: `${root}/openapi.json`,
			summary: 'This description, as OpenAPI 3.1',
			answers: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
			handler: async () => {
				description ??= JSON.stringify(describe());
				return { status: 200, bytes: description, type: 'application/json' };
			},
		}),
		publicRoute({
			...plain,
			path: `${root}/docs`,
			summary: 'A page to read and try the API',
			answers: { 200: { description: 'A page', schema: z.string(), mediaType: 'text/html' } },
			handler: async () => ({
				status: 200,
				bytes: page,
				type: 'text/html; charset=utf-8',
				headers: { 'Content-Security-Policy': pagePolicy },
			}),
		}),
		...Object.entries(files).map(([name, file]) =>
			publicRoute({
				...plain,
				path: `${root}/docs/${name}`,
				summary: `A part of that page: ${name}`,
				answers: { 200: { description: 'A file', schema: z.string(), mediaType: file.type } },
				handler: async ({ acceptsGzip }) => answerFile(file, acceptsGzip),
			}),
		),
	];
}

type PageFile = (typeof files)[keyof typeof files];

const pack = promisify(gzip);
// Kept once they were read, so that clients which read slowly have no copies of their own; a failure is not kept.
const plainBytes = new Map<PageFile, Buffer>();
const packedBytes = new Map<PageFile, Buffer>();

async function answerFile(file: PageFile, acceptsGzip: boolean): Promise<Reply> {
	const kept = acceptsGzip ? packedBytes : plainBytes;
	const bytes = kept.get(file) ?? (acceptsGzip ? await pack(await file.read()) : await file.read());
	kept.set(file, bytes);
	const headers = {
		'Cache-Control': 'public, max-age=86400',
		Vary: 'Accept-Encoding, Origin',
		...(acceptsGzip && { 'Content-Encoding': 'gzip' }),
	};
	return { status: 200, bytes, type: `${file.type}; charset=utf-8`, headers };
}

async function readPackageFile(name: string): Promise<Buffer> {
	return readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`));
}
