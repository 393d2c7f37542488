import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { z } from 'zod';
import type { Reply } from './reply.ts';
import { noBody, noParams, noQuery, publicRoute, type Route } from './route.ts';

const root = '/service/advanced-software-mgmt';
const bundlePath = `${root}/docs/rapidoc-min.js`;
const tag = 'API description';
const plain = { method: 'get', params: noParams, query: noQuery, body: noBody, tag } as const;

// No inline script and nothing of another origin; the page's component styles itself inline.
const pagePolicy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'unsafe-inline'",
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
<script type="module" src="${bundlePath}"></script>
</head>
<body>
<rapi-doc spec-url="${root}/openapi.json" render-style="read" show-header="false" load-fonts="false" allow-server-selection="false"
 allow-authentication="true" allow-try="true" schema-style="table" persist-auth="false" fetch-credentials="same-origin"
 sort-tags="false" show-method-in-nav-bar="as-colored-text" use-path-in-nav-bar="false"></rapi-doc>
</body>
</html>
`;

/** The description of the API, and a page to read and try it. */
export function docsRoutes(describe: () => unknown): Route[] {
	let description: string | undefined;
	return [
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
		publicRoute({
			...plain,
			path: bundlePath,
			summary: 'The script of that page',
			answers: { 200: { description: 'A script', schema: z.string(), mediaType: 'text/javascript' } },
			handler: async ({ acceptsGzip }) => bundle(acceptsGzip),
		}),
	];
}

async function bundle(packed: boolean): Promise<Reply> {
	const file = createRequire(import.meta.url).resolve('rapidoc');
	const bytes = await readFile(packed ? `${file}.gz` : file);
	const headers = {
		'Cache-Control': 'public, max-age=86400',
		Vary: 'Accept-Encoding',
		...(packed && { 'Content-Encoding': 'gzip' }),
	};
	return { status: 200, bytes, type: 'text/javascript; charset=utf-8', headers };
}
