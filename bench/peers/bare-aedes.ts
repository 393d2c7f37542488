/** The peer for MQTT: aedes with its defaults and no handler. */
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { say } from '../load/job.ts';

const broker = await Aedes.createBroker();
const server = createServer({ noDelay: true }, broker.handle);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
	const address = server.address();
	say('ready', { ports: { http: 0, mqtt: typeof address === 'object' ? address?.port : 0 } });
});
process.on('SIGTERM', () => process.exit(0));
