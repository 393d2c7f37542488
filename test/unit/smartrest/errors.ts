import { expect } from 'chai';
import { decodeRecords } from '../../../smartrest/csv.ts';
import { type BadLine, decode, encodeBadLine, encodeError, errorCodes } from '../../../smartrest/index.ts';

describe('smartrest/errors', () => {
	it('writes the line that thin-edge 1.x compares byte by byte', () => {
		expect(encodeError('refused', '100', 'Device already existing')).to.equal('41,100,Device already existing');
	});

	it('has a code of two digits for each error, once', () => {
		const codes = Object.values(errorCodes).map(({ code }) => code);
		expect(new Set(codes).size).to.equal(codes.length);
		for (const code of codes) expect(code).to.match(/^[45]\d$/);
	});

	it('says of a bad line which, where, why and what would be right', () => {
		const [, bad] = decode('500\n142,tool,1.0,,2.0');
		expect(bad).to.have.property('ok', false);
		if (bad?.ok === false) {
			expect(encodeBadLine(bad)).to.equal(
				'40,142,line 2 position 4: name is missing - template 142 takes (name* version)… where * is mandatory',
			);
		}
	});

	it('quotes a foreign template id, so that the line keeps its three fields', () => {
		const bad: BadLine = { ok: false, error: 'notSupported', line: 1, templateId: '{"a', position: 1, reason: 'no' };
		expect(decodeRecords(encodeBadLine(bad))).to.deep.equal([{ line: 1, fields: ['50', '{"a', 'line 1 position 1: no'] }]);
	});

	it('cuts a long text between characters', () => {
		const [record] = decodeRecords(encodeError('failed', '140', `x${'😀'.repeat(1000)}`));
		expect(record?.fields[2]).to.equal(`x${'😀'.repeat(124)}`);
	});
});
