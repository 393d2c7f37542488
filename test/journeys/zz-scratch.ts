import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { upstream } from '../support/raw-client.ts';
import { startService } from '../support/service-fixture.ts';

describe('scratch', () => {
	for (const qos of [0, 1] as const)
		it(`order over connections ${qos}`, async () => {
			const service = await startService();
			try {
				const one = await service.openRaw('a');
				one.send(...Array.from({ length: 300 }, (_, i) => upstream(i + 1, `110,old-${i}`, { qos })));
				one.send({ cmd: 'disconnect' });
				one.socket.end();
				const two = await service.openRaw('a');
				two.send(upstream(1, '110,new'));
				await two.next('puback');
				const seen = new Set<unknown>();
				await eventually('old', async () => (await service.operator.objectOf('a')).c8y_Hardware, (h) => { seen.add(JSON.stringify(h)); return false; }, 1500).catch(() => 0);
				expect([...seen]).to.deep.equal(['{"serialNumber":"new"}']);
			} finally {
				await service.close();
			}
		});
});
