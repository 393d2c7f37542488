import { expect } from 'chai';
import { createLog } from '../../../service/log.ts';

/** A log whose lines are kept, as on a process whose output is no terminal. */
function open(level: 'info' | 'debug' = 'info') {
	const lines: string[] = [];
	const out = { isTTY: false, fd: 1, write: (line: string) => lines.push(line) };
	return { lines, log: createLog(level, out as unknown as NodeJS.WriteStream & { fd: 1 }) };
}

describe('service/log', () => {
	for (const field of ['password', 'token', 'authorization', 'secret', 'passwordHash', 'cookie']) {
		it(`hides ${field}, also inside other fields`, () => {
			const { log, lines } = open();
			const value = 'top-hidden-value';
			log.info({ [field]: value }, 'flat');
			log.info({ user: { [field]: value, name: 'n' } }, 'inside');
			log.info({ request: { headers: { [field]: value } } }, 'deeper');
			expect(lines).to.have.length(3);
			for (const line of lines) {
				expect(line).to.not.include(value);
				expect(line).to.include('[hidden]');
			}
			expect(lines[1]).to.include('"name":"n"');
		});
	}

	it('writes a line of JSON with what it is given and nothing of the machine', () => {
		const { log, lines } = open();
		log.info({ tenant: 't1', device: 'd\n1' }, 'connected');
		expect(lines).to.have.length(1);
		expect(JSON.parse(lines[0] ?? ''))
			.to.include({ tenant: 't1', device: 'd\n1', msg: 'connected' })
			.and.not.have.any.keys('pid', 'hostname');
	});

	it('leaves out what is below its level', () => {
		const { log, lines } = open('info');
		log.debug('quiet');
		expect(lines).to.deep.equal([]);
		open('debug').log.debug('loud');
	});
});
