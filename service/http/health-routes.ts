import { z } from 'zod';
import type { HttpServices, PartReadiness } from './http-options.ts';
import { ok } from './reply.ts';
import { noBody, noParams, noQuery, publicRoute, type Route } from './route.ts';

const part = z.object({ ready: z.boolean(), reason: z.string().optional() }).meta({ id: 'PartReadiness' });
const readiness = z.object({ status: z.enum(['UP', 'DOWN']), store: part, broker: part });
const tag = 'Health';
const forOperators = 'Without credentials, for probes; may be kept from the outside by a firewall or proxy.';
const plain = { params: noParams, query: noQuery, body: noBody, tag, description: forOperators };

/** What watches the service. */
export function healthRoutes({ readiness: readReadiness, sampleMetrics, metrics, version }: HttpServices): Route[] {
	return [
		publicRoute({
			...plain,
			method: 'get',
			path: '/health',
			summary: 'Whether the process is alive',
			answers: { 200: { description: 'Alive', schema: z.object({ status: z.literal('UP'), version: z.string() }) } },
			handler: async () => ok({ status: 'UP', version }),
		}),
		publicRoute({
			...plain,
			method: 'get',
			path: '/ready',
			summary: 'Whether the service can do its work',
			answers: {
				200: { description: 'Ready', schema: readiness },
				503: { description: 'Not ready, and why', schema: readiness },
			},
			handler: async () => {
				const { store, broker } = await readReadiness();
				const ready = store.ready && broker.ready;
				return {
					status: ready ? 200 : 503,
					json: { status: ready ? 'UP' : 'DOWN', store: partJson(store), broker: partJson(broker) },
				};
			},
		}),
		publicRoute({
			...plain,
			method: 'get',
			path: '/metrics',
			summary: 'Figures for Prometheus',
			answers: { 200: { description: 'Text', schema: z.string(), mediaType: 'text/plain' } },
			handler: async () => {
				await sampleMetrics();
				return { status: 200, bytes: await metrics.registry.metrics(), type: metrics.registry.contentType };
			},
		}),
	];
}

function partJson({ ready, reason }: PartReadiness): PartReadiness {
	return { ready, ...(reason !== undefined && { reason }) };
}
