import { expect } from 'chai';
import fc from 'fast-check';
import { encodedBytes } from '../../../smartrest/encode.ts';
import {
	decode,
	decodeDownstream,
	type EncodedChunks,
	encode,
	encodeChunks,
	maximumPayloadBytes,
	type Template,
	templates,
} from '../../../smartrest/index.ts';
import { templateRows } from './template-rows.ts';

describe('smartrest/encode', () => {
	for (const template of templates) {
		it(`writes ${template.id} so that it is read back: ${template.name}`, () => {
			for (const [line] of templateRows[template.name].good) {
				const [first] = decodeIn(template, line);
				if (!first?.ok) throw new Error(`${line} was not decoded`);
				const again = decodeIn(template, encode(template.name, first.message));
				expect(again).to.deep.equal([first]);
			}
		});
	}

	const exact: [string, string][] = [
		[
			'529 as in the guide',
			'529,DeviceSerial,software_a,4.0.0,type A,http://e.com/a,install,software_b,3.0.0,type B,http://e.com/b,delete',
		],
		['528 as in the guide', '528,DeviceSerial,software_a,4.0.0,http://e.com/a,install,software_b,3.0.0,http://e.com/b,delete'],
		['516 as in the guide', '516,DeviceSerial,software_a,4.0.0,http://e.com/a,software_b,3.0.0,http://e.com/b'],
		['527 with its sections', '527,s1,$FW,fw,1.0,http://fw,false,,$SW,a,1,,install,$CONF,http://c,sshd'],
		['527 without sections', '527,s1'],
		['empty values in their places', '515,s1,fw,,'],
	];
	for (const [name, line] of exact) {
		it(`writes ${name}, without quotes that are not needed`, () => {
			const [decoded] = decodeDownstream(line);
			if (!decoded?.ok) throw new Error(`${line} was not decoded`);
			expect(encode(decoded.message.template, decoded.message)).to.equal(line);
		});
	}

	const quoting: [value: string, written: string][] = [
		['plain text', 'plain text'],
		["it's; C:\\dir\\", "it's; C:\\dir\\"],
		['a,b', '"a,b"'],
		['say "hi"', '"say \\"hi\\""'],
		['a\nb', '"a\nb"'],
		['a\r', '"a\r"'],
		['a\tb', '"a\tb"'],
		[' a', '" a"'],
		['a ', '"a "'],
		['a\\nb', 'a\\nb'],
		['a,\\', '"a,\\\\"'],
		['a\\"b', '"a\\\\\\"b"'],
		['', ''],
	];
	for (const [value, written] of quoting) {
		it(`writes ${JSON.stringify(value)} as ${written.replaceAll('\n', '\\n')}`, () => {
			expect(encode('Command', { fields: { externalId: 's1', text: value } })).to.equal(`511,s1,${written}`);
		});
	}

	it('takes optional parameters that are left out as empty', () => {
		expect(encode('GetPendingOperations', {})).to.equal('500');
		expect(encode('SetAdvancedSoftwareList', { items: [] })).to.equal('140');
		expect(encode('AppendAdvancedSoftwareItems', { items: [{ name: 'a' }] })).to.equal('141,a,,,');
		expect(encode('DeviceProfile', { fields: { externalId: 's' }, sections: { configuration: [{ type: 't' }] } })).to.equal(
			'527,s,$CONF,,t',
		);
	});

	it('writes any text so that it is read back', () => {
		const text = fc.string({ unit: 'binary' });
		const item = fc.record({ name: text.filter((name) => name !== ''), version: text, type: text, url: text });
		fc.assert(
			fc.property(fc.array(item, { maxLength: 5 }), text, (items, reason) => {
				expect(decode(encode('SetAdvancedSoftwareList', { items }))).to.have.deep.nested.property('[0].message.items', items);
				const failed = encode('SetOperationToFailedById', { fields: { operationId: '1', reason } });
				expect(decode(failed)).to.have.nested.property('[0].message.fields.reason', reason);
			}),
			{ numRuns: 1000 },
		);
	});

	it('takes linear time to quote many backslashes', () => {
		const backslashes = '\\'.repeat(1_000_000);
		expect(encode('Command', { fields: { externalId: 's', text: `${backslashes},` } })).to.have.length(6 + 1_000_003);
	});
});

describe('smartrest/encode encodeChunks', () => {
	it('sends a list that fits as one line', () => {
		const items = [{ name: 'a', version: '1' }];
		expect(encodeChunks('SetAdvancedSoftwareList', { items }, 100)).to.deep.equal({ ok: true, lines: ['140,a,1,,'] });
		expect(encodeChunks('SetAdvancedSoftwareList', { items: [] }, 100)).to.deep.equal({ ok: true, lines: ['140'] });
	});

	it('goes on after 140 with 141, at the very byte', () => {
		const items = ['a', 'b', 'ä'].map((name) => ({ name }));
		expect(encodeChunks('SetAdvancedSoftwareList', { items }, 13)).to.deep.equal({
			ok: true,
			lines: ['140,a,,,,b,,,', '141,ä,,,'],
		});
		expect(linesOf(encodeChunks('SetAdvancedSoftwareList', { items }, 18))).to.have.length(2);
		expect(linesOf(encodeChunks('SetAdvancedSoftwareList', { items }, 19))).to.have.length(1);
		expect(linesOf(encodeChunks('SetAdvancedSoftwareList', { items }, 12))).to.have.length(3);
	});

	it('repeats the fields before the list in each line', () => {
		const content = { fields: { externalId: 's1' }, items: ['a', 'b'].map((name) => ({ name, action: 'install' })) };
		expect(linesOf(encodeChunks('UpdateSoftware', content, 20))).to.deep.equal(['528,s1,a,,,install', '528,s1,b,,,install']);
	});

	it('says which item does not fit', () => {
		const result = encodeChunks('RemoveAdvancedSoftwareItems', { items: [{ name: 'a' }, { name: 'ä'.repeat(50) }] }, 100);
		expect(result).to.include({ ok: false, problem: 'item-too-large', item: 1, bytes: 105, maximumBytes: 100 });
	});

	it('does not split a list that the next message would replace', () => {
		const items = ['c8y_Restart', 'c8y_Command'].map((operation) => ({ operation }));
		expect(linesOf(encodeChunks('SetSupportedOperations', { items }, 27))).to.have.length(1);
		expect(encodeChunks('SetSupportedOperations', { items }, 26)).to.include({
			ok: false,
			problem: 'list-cannot-be-split',
			bytes: 27,
		});
	});

	it('does not split a message without a list', () => {
		expect(encodeChunks('Token', { fields: { token: 'x'.repeat(20) } }, 10)).to.include({
			ok: false,
			problem: 'list-cannot-be-split',
		});
	});

	it('does not fit fields that are too large by themselves', () => {
		const content = { fields: { externalId: 'x'.repeat(20) }, items: [] };
		expect(encodeChunks('UpdateSoftware', content, 10)).to.include({ ok: false, problem: 'list-cannot-be-split' });
	});

	it('splits any list into lines within the limit that give the list again', () => {
		const text = fc.string({ unit: 'binary', maxLength: 12 });
		const item = fc.record({ name: text.filter((name) => name !== ''), version: text, type: text, url: text });
		fc.assert(
			fc.property(fc.array(item, { maxLength: 20 }), fc.integer({ min: 220, max: 800 }), (items, maximumBytes) => {
				const lines = linesOf(encodeChunks('SetAdvancedSoftwareList', { items }, maximumBytes));
				for (const line of lines) expect(encodedBytes(line)).to.be.at.most(maximumBytes);
				const messages = lines.flatMap((line) => decode(line)).map((line) => (line.ok ? line.message : undefined));
				expect(messages.map((message) => message?.id)).to.deep.equal(['140', ...lines.slice(1).map(() => '141')]);
				expect(messages.flatMap<unknown>((message) => message?.items)).to.deep.equal(items);
			}),
			{ numRuns: 500 },
		);
	});

	it('sends 10,000 packages in few publishes of the size that is accepted', () => {
		const items = Array.from({ length: 10_000 }, (_, index) => ({ name: `package-${index}`, version: '1.2.3', type: 'apt' }));
		const lines = linesOf(encodeChunks('SetAdvancedSoftwareList', { items }, maximumPayloadBytes));
		expect(lines.every((line) => encodedBytes(line) <= maximumPayloadBytes)).to.equal(true);
		expect(lines).to.have.length(Math.ceil(encodedBytes(lines.join('')) / maximumPayloadBytes));
	});
});

function linesOf(result: EncodedChunks): string[] {
	if (!result.ok) throw new Error(result.reason);
	return result.lines;
}

function decodeIn({ direction }: Pick<Template, 'direction'>, line: string) {
	return direction === 'up' ? decode(line) : decodeDownstream(line);
}
