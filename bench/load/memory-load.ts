/** Load for `memory`: devices that connect, subscribe, and stay. */
import type { MemoryJob } from '../memory.ts';
import { readJob, say } from './job.ts';
import { endClients, openClients, packetType, publishPacket, subscribe } from './mqtt-client.ts';

const { server, devices, isFirst } = readJob<MemoryJob>();
const clients = await openClients(server, devices, async (client) => {
	if (isFirst) await client.ask(publishPacket('s/us', `100,${client.id},c8y_Bench`, 1), packetType.puback);
	else await subscribe(client, ['s/ds', 's/e']);
});
say('result');
process.on('SIGTERM', () => {
	endClients(clients);
	process.exit(0);
});
