import { expect } from 'chai';
import { parseSoftwareConditions } from '../../../inventory/index.ts';
import { openInventoryBench, refusal, tenant, useBench } from './inventory-bench.ts';

describe('inventory/abandoned searches', () => {
	const bench = useBench(openInventoryBench);
	const gone = AbortSignal.abort(Object.assign(new Error('nobody waits'), { code: 'gone' }));

	it('end with the reason of their signal, wherever they look at many documents', async () => {
		const { inventory, device } = bench();
		const id = await device();
		const { softwareSearch, objects } = inventory;
		const conditions = parseSoftwareConditions(['a', '!b'], { maxLength: 100, maxTerms: 10 });
		const excluding = parseSoftwareConditions(['!b'], { maxLength: 100, maxTerms: 10 });
		const range = { skip: 0, limit: 10 };
		const search = (query: string) => objects.search(tenant, { query }, (work) => work(gone));
		const scanned = await objects.search(tenant, { query: 'n eq 1 $orderby=n' });
		const searches: (() => Promise<unknown>)[] = [
			() => softwareSearch.listDevices({ tenant }, conditions, new Map(), range, gone),
			() => softwareSearch.countDevices({ tenant }, excluding, new Map(), gone),
			() => softwareSearch.listVersions({ tenant, name: 'a' }, new Map(), gone),
			() => scanned.list(range, gone),
			() => scanned.count(gone),
			() => search(`isinhierarchyof(${id})`),
		];
		for (const run of searches) expect(await refusal(run), String(run)).to.include({ code: 'gone', message: 'nobody waits' });
	});
});
