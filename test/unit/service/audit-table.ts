import { expect } from 'chai';
import { auditTypes } from '../../../audit/index.ts';
import { auditTable } from '../../../service/audit-table.ts';
import { collections } from '../../../service/migrations.ts';

describe('service/audit-table', () => {
	it('has a row for every collection that is stored, and for no other', () => {
		expect(Object.keys(auditTable).sort()).to.deep.equal(collections.map(({ name }) => name).sort());
	});

	it('says why where there is nothing on record', () => {
		for (const [name, row] of Object.entries(auditTable)) {
			if (row.kind === 'none') expect(row.reason, name).to.match(/.{10}/);
			else expect(auditTypes, name).to.include(row.type);
		}
	});
});
