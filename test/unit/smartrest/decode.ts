import { expect } from 'chai';
import fc from 'fast-check';
import { type DecodedLine, decode, decodeDownstream, type Template, templates } from '../../../smartrest/index.ts';
import { templateRows } from './template-rows.ts';

const table: readonly Template[] = templates;

describe('smartrest/decode', () => {
	for (const template of table) {
		const { good, bad } = rowsOf(template);
		describe(`${template.id} ${template.name}`, () => {
			for (const [line, fields, items] of good) {
				it(`reads ${JSON.stringify(line)}`, () => {
					const [decoded, ...others] = decodeIn(template, line);
					expect(others).to.deep.equal([]);
					expect(decoded).to.deep.nested.include({ 'message.template': template.name, 'message.id': template.id });
					expect(decoded).to.deep.nested.include({ 'message.line': 1, 'message.fields': fields, 'message.items': items ?? [] });
				});
			}
			for (const [line, position, about] of bad) {
				it(`refuses ${JSON.stringify(line)}`, () => {
					const decoded = decodeIn(template, line);
					expect(decoded).to.have.length(1);
					expect(decoded[0]).to.include({ ok: false, error: 'badLine', line: 1, position });
					expect(decoded[0]).to.have.property('reason').that.includes(about);
					expect(decoded[0])
						.to.have.property('reason')
						.that.does.not.match(/[",\r\n]/);
				});
			}
		});
	}

	it('reads every line of the sessions that clients are known for', () => {
		for (const line of sessionLines) {
			expect(decode(line), line).to.have.length(1);
			expect(decode(line)[0], line).to.include({ ok: true });
		}
		expect(decode(sessionLines.join('\n'))).to.have.length(sessionLines.length);
	});

	it('names the template of a bad line', () => {
		expect(decode('141,,1.0')[0]).to.deep.equal({
			ok: false,
			error: 'badLine',
			line: 1,
			templateId: '141',
			position: 2,
			reason: 'name is missing - template 141 takes (name* version type url)… where * is mandatory',
		});
	});

	it('reads the lines beside a bad one', () => {
		const payload = '501,c8y_Restart\n999,x\n141,,1\n503,c8y_Restart';
		expect(decode(payload).map(summary)).to.deep.equal(['1 501', '2 bad 999', '3 bad 141', '4 503']);
	});

	it('says that an unknown template is not supported', () => {
		for (const line of ['999,a', '529,serial', ',a', '{"a":1}', '0141,a', '1e2']) {
			expect(decode(line), line).to.have.length(1);
			expect(decode(line)[0], line).to.include({ ok: false, error: 'notSupported', position: 1 });
		}
	});

	it('does not echo a long foreign payload', () => {
		expect(decode('😀'.repeat(1000))[0]).to.include({ templateId: '😀'.repeat(32) });
	});

	it('leaves out surplus values', () => {
		expect(decode('501,c8y_Restart,surplus')[0]).to.deep.nested.include({
			ok: true,
			'message.fields': { fragment: 'c8y_Restart' },
		});
	});

	it('has no names that an object inherits', () => {
		expect(decode('__proto__,a\nconstructor\ntoString').every(({ ok }) => !ok)).to.equal(true);
	});

	it('counts lines as the payload has them, line breaks in quotes included', () => {
		const payload = '\n500\r\n\r\n505,1,"a\nb"\n  501,x  \n\n"';
		expect(decode(payload).map(summary)).to.deep.equal(['2 500', '4 505', '6 501', '8 bad ']);
	});

	it('reads nothing in an empty or blank payload', () => {
		for (const payload of ['', '\n', '\r\n\r\n', ' \t \n ']) expect(decode(payload)).to.deep.equal([]);
	});

	it('gives one bad line for a payload above the limit of bytes', () => {
		expect(decode('501,ä', { maximumBytes: 6 })).to.have.nested.property('[0].ok', true);
		expect(decode('501,ä\n500', { maximumBytes: 9 }))
			.to.have.length(1)
			.and.to.have.nested.property('[0].error', 'tooLarge');
	});

	it('gives one bad line for the lines above the limit', () => {
		expect(decode('500\n501,a\n\n502,b\n500', { maximumLines: 2 }).map(summary)).to.deep.equal(['1 500', '2 501', '4 bad ']);
		expect(decode('500\n501,a\n', { maximumLines: 2 })).to.have.length(2);
	});

	it('reads the sections of a device profile', () => {
		const line = '527,s1,$FW,fw,1.0,http://fw,false,,$SW,a,1,,install,$SW,b,2,u,delete,$CONF,http://c,sshd';
		expect(decodeDownstream(line)[0])
			.to.have.nested.property('message.sections')
			.that.deep.equals({
				firmware: [{ name: 'fw', version: '1.0', url: 'http://fw', isPatch: 'false', dependency: '' }],
				software: [
					{ name: 'a', version: '1', url: '', action: 'install' },
					{ name: 'b', version: '2', url: 'u', action: 'delete' },
				],
				configuration: [{ url: 'http://c', type: 'sshd' }],
			});
	});

	it('never throws, whatever the payload', () => {
		const pieces = fc.constantFrom(
			'"',
			'""',
			'\\',
			',',
			'\n',
			'\r\n',
			' ',
			'\t',
			'141',
			'140,',
			'527,',
			'$SW',
			'a',
			'\u0000',
			'\ud800',
			'😀',
		);
		const payloads = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join('')),
		);
		fc.assert(
			fc.property(payloads, (payload) => {
				const lines = payload.split('\n').length;
				for (const decoded of [decode(payload), decodeDownstream(payload)]) {
					expect(decoded.length).to.be.at.most(lines);
					for (const entry of decoded) expect(lineOf(entry)).to.be.within(1, lines);
				}
			}),
			{ numRuns: 2000 },
		);
	});
});

/** From the whole sessions of thin-edge and of the Device Management agent. */
const sessionLines = [
	'100,dev1,thin-edge.io',
	'123',
	'114,c8y_DeviceProfile,c8y_LogfileRequest,c8y_Restart,c8y_SoftwareUpdate',
	'500',
	'117,60',
	'102,dev1:device:main:service:tedge-mapper-c8y,service,tedge-mapper-bridge-c8y,down',
	'118,software-management',
	'119,tedge.toml',
	'101,dev1:device:child1,child1,thin-edge.io-child,false',
	'504,4711',
	'505,4711,"line one\nline two, with ""quotes"""',
	'505,123,Parameter remove is not recognized. It must be install or delete.',
	'506,4711',
	'506,123,a,"b, c"',
	'113,"text,\nof several\nlines"',
	'143,apt',
	'122,DM Reference Agent,1.0,https://example.com,Open Source',
	'400,c8y_AgentStartEvent,C8Y DM Agent started',
	'115,firmware,1.0,None',
	'102,container,docker,name,up',
	'110,serial1,model,1.0',
	'501,c8y_SoftwareUpdate',
	'141,tool,1.0,apt',
	'142,tool,1.0',
	'503,c8y_SoftwareUpdate',
	"502,c8y_SoftwareList,'list' object has no attribute 'topic'",
];

type AnyLine = ReturnType<typeof decode>[number] | ReturnType<typeof decodeDownstream>[number];

function decodeIn({ direction }: Template, payload: string): AnyLine[] {
	return direction === 'up' ? decode(payload) : decodeDownstream(payload);
}

function rowsOf({ name }: Template): (typeof templateRows)[keyof typeof templateRows] {
	const rows = Object.entries(templateRows).find(([key]) => key === name);
	if (rows === undefined) throw new Error(`${name} has no rows in template-rows.ts`);
	return rows[1];
}

function lineOf(entry: AnyLine): number {
	return entry.ok ? entry.message.line : entry.line;
}

function summary(entry: DecodedLine): string {
	return entry.ok ? `${entry.message.line} ${entry.message.id}` : `${entry.line} bad ${entry.templateId}`;
}
