import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, FigureColumn, Figures, Target, Workshop } from './benchmark.ts';
import { runLoad } from './child.ts';
import { callService, readBytes, softwarePath } from './service-http.ts';
import { authorization, type Server, startBareExpress, startService } from './targets.ts';

export interface PageJob {
	readonly url: string;
	readonly connections: number;
	readonly warmUpSeconds: number;
	readonly seconds: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly expectedLength: number;
}

export interface PageResult {
	readonly requestsPerSecond: number;
	readonly p50Milliseconds: number;
	readonly p99Milliseconds: number;
	readonly failed: number;
	readonly short: number;
}

/** A page that the service serves: where it is, and its bytes. */
interface Page {
	readonly path: string;
	readonly bytes: Buffer;
}

/** How what `measurePage` finds is shown. */
export const pageColumns: readonly FigureColumn[] = [
	{ key: 'requestsPerSecond', heading: 'requests a second', digits: 0 },
	{ key: 'p50Milliseconds', heading: 'p50 ms', digits: 1 },
	{ key: 'p99Milliseconds', heading: 'p99 ms', digits: 1 },
];

export const page: Benchmark = {
	name: 'page',
	title: 'Page: the first packages of a long list',
	explanation: [
		'`GET /service/advanced-software-mgmt/software?deviceId=…&pageSize=100` for a device with 20,000 packages, with Basic authentication, by ' +
			'autocannon over 50 connections. The peer is a bare Express 5 application that sends the very same bytes, which it holds in memory: no ' +
			'authentication, no database, no JSON.',
		'And whether a long list makes its first page dear: the first 50 packages of a device that has 50,000, against those of one that has 50.',
	],
	columns: pageColumns,
	comparisons: [
		{
			what: 'service to bare Express, first 100 of 20,000',
			figure: 'requestsPerSecond',
			target: 'service, 100 of 20,000',
			peer: 'bare Express, the same bytes',
			aim: { atLeast: 0.6 },
		},
		{
			what: 'first 50 of 50,000 to first 50 of 50',
			figure: 'requestsPerSecond',
			target: 'service, 50 of 50,000',
			peer: 'service, 50 of 50',
			aim: { atLeast: 0.9 },
		},
	],
	prepare,
};

async function prepare({ directory, profileDirectory }: Workshop): Promise<Target[]> {
	const data = mkdtempSync(join(directory, 'page-'));
	const [long, longest, short] = await fill(data);
	const file = join(directory, 'page.json');
	writeFileSync(file, long.bytes);
	const onService = ({ path, bytes }: Page) => measurePage(() => startService(data, { profileDirectory }), path, bytes.length);
	return [
		{ name: 'service, 100 of 20,000', run: () => onService(long) },
		{
			name: 'bare Express, the same bytes',
			run: () => measurePage(() => startBareExpress(new URL(long.path, 'http://x').pathname, file), long.path, long.bytes.length),
		},
		{ name: 'service, 50 of 50,000', run: () => onService(longest) },
		{ name: 'service, 50 of 50', run: () => onService(short) },
	];
}

/** Makes the devices once; the rounds read the same database. */
async function fill(data: string): Promise<readonly [Page, Page, Page]> {
	const server = await startService(data);
	try {
		const { http } = server.ports;
		return [await fillDevice(http, 20_000, 100), await fillDevice(http, 50_000, 50), await fillDevice(http, 50, 50)];
	} finally {
		await server.stop();
	}
}

async function fillDevice(port: number, count: number, pageSize: number): Promise<Page> {
	const { id } = await callService<{ id: string }>(port, 'POST', '/inventory/managedObjects', {
		name: `Device with ${count} packages`,
		c8y_IsDevice: {},
	});
	const packages = Array.from({ length: count }, (_, index) => ({
		name: `package-${String(index).padStart(6, '0')}`,
		version: '1.2.3-4+deb12u1',
		softwareType: 'apt',
		url: `https://packages.example.com/pool/main/p/package-${index}_amd64.deb`,
	}));
	await callService(port, 'POST', softwarePath(id), packages);
	const path = softwarePath(id, { pageSize });
	const bytes = await readBytes(port, path);
	const { softwareList }: { softwareList: unknown[] } = JSON.parse(bytes.toString());
	if (softwareList.length !== pageSize) throw new Error(`${path} shows ${softwareList.length} packages`);
	return { path, bytes };
}

/** Asks a fresh server for the same page over many connections. */
export async function measurePage(
	start: () => Promise<Server>,
	path: string,
	expectedLength: number,
	headers: PageJob['headers'] = { authorization },
): Promise<Figures> {
	const server = await start();
	try {
		const job: PageJob = {
			url: `http://127.0.0.1:${server.ports.http}${path}`,
			connections: 50,
			warmUpSeconds: 2,
			seconds: 4,
			headers,
			expectedLength,
		};
		const { failed, short, ...figures } = await runLoad<PageResult>('./load/page-load.js', job);
		if (failed > 0 || short > 0)
			throw new Error(`${path}: ${failed} requests failed${short > 0 ? ', answers are too short' : ''}`);
		return figures;
	} finally {
		await server.stop();
	}
}
