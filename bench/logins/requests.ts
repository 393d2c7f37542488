import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, Target, Workshop } from '../benchmark.ts';
import { measurePage, pageColumns } from '../page.ts';
import { readBytes } from '../service-http.ts';
import { adminPassword, adminUser, authorization, type Server, startBareExpress, startService } from '../targets.ts';

const path = '/tenant/currentTenant';
const peer = 'bare Express, the same bytes';
const open = 'service, without credentials: /health';
const kinds = ['Basic', 'Bearer', 'cookie'] as const;

/** What it costs a request to show who sends it. */
export const requests: Benchmark = {
	name: 'requests',
	title: 'A request with credentials',
	explanation: [
		`\`GET ${path}\` with Basic, with a token as Bearer, and with the token in the cookie, by autocannon over 50 connections that stay open; its password was ` +
			'verified in the warm-up. Against it `/health`, an open route of the same service that answers something as small, and a bare Express 5 application ' +
			'that sends the very same bytes from memory. Limits on requests a second do not apply.',
	],
	columns: pageColumns,
	comparisons: [open, peer].flatMap((against) =>
		kinds.map((kind) => ({
			what: `requests a second, ${kind} to ${against}`,
			figure: 'requestsPerSecond',
			target: `service, ${kind}`,
			peer: against,
		})),
	),
	prepare,
};

async function prepare({ directory, profileDirectory }: Workshop): Promise<Target[]> {
	const data = join(directory, 'requests');
	const start = () => startService(data, { profileDirectory });
	const { bytes, health, token } = await learn(start);
	const file = join(directory, 'tenant.json');
	writeFileSync(file, bytes);
	const headers = {
		Basic: { authorization },
		Bearer: { authorization: `Bearer ${token}` },
		cookie: { cookie: `authorization=${token}` },
	};
	return [
		...kinds.map((kind) => ({
			name: `service, ${kind}`,
			run: () => measurePage(start, path, bytes.length, headers[kind]),
		})),
		{ name: open, run: () => measurePage(start, '/health', health.length, {}) },
		{ name: peer, run: () => measurePage(() => startBareExpress(path, file), path, bytes.length, {}) },
	];
}

/** What is answered, and a token of a login with cookies; both are good after a restart. */
async function learn(start: () => Promise<Server>) {
	const { ports, stop } = await start();
	try {
		const form = new URLSearchParams({ grant_type: 'PASSWORD', username: adminUser, password: adminPassword });
		const answer = await fetch(`http://127.0.0.1:${ports.http}/tenant/oauth`, { method: 'POST', body: form });
		const token = /^authorization=([^;]+)/.exec(answer.headers.getSetCookie().join('\n'))?.[1];
		if (token === undefined) throw new Error(`a login was answered with ${answer.status} and without a cookie`);
		return { bytes: await readBytes(ports.http, path), health: await readBytes(ports.http, '/health'), token };
	} finally {
		await stop();
	}
}
