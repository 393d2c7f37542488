import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { hasProgram, type Program, startProgram } from '../support/programs.ts';
import { type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import { skipUnless } from '../support/skip.ts';

describe('clients/mosquitto', function () {
	this.timeout(30_000);

	let service: ServiceUnderTest;
	let folder: string;
	const running = new Set<Program>();
	before(async function () {
		skipUnless(hasProgram('mosquitto_pub') && hasProgram('mosquitto_sub'), 'mosquitto-clients is not installed').call(this);
		service = await startService();
		folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
	});
	afterEach(async () => {
		for (const program of running) await program.stop();
		running.clear();
	});
	after(async () => {
		await service?.close();
		rmSync(folder, { recursive: true, force: true });
	});

	it('creates a device with a single publish', async () => {
		expect(await publish('dev2', ['-m', '100,Device two,c8y_Linux'])).to.equal(0);
		await eventually(
			'the device is there',
			() => service.operator.findId('dev2'),
			(id) => id !== undefined,
		);
		expect(await service.operator.objectOf('dev2')).to.include({ name: 'Device two', type: 'c8y_Linux' });
	});

	it('sends many lines in one payload, and one line a publish', async () => {
		const file = join(folder, 'lines.csv');
		writeFileSync(file, '140,a,1.0,apt,\n141,b,2.0,apt,\n142,a,1.0\n');
		expect(await publish('dev3', ['-q', '1', '-f', file])).to.equal(0);
		expect(await service.operator.namesOf('dev3')).to.deep.equal(['b 2.0']);
		writeFileSync(file, '141,c,1,apt,\n141,"d, e",1,apt,\n142,b,2.0\n');
		expect(await runShell('dev3', `-q 1 -l < "${file}"`)).to.equal(0);
		expect(await service.operator.namesOf('dev3')).to.deep.equal(['c 1', 'd, e 1']);
	});

	it('is handled although the client leaves at once, at QoS 0', async () => {
		await publish('dev4', ['-m', '110,serial,model,1']);
		await eventually(
			'the hardware is there',
			async () => (await service.operator.findId('dev4')) && service.operator.objectOf('dev4'),
			(object) => typeof object === 'object' && object.c8y_Hardware !== undefined,
		);
	});

	it('receives operations in both forms, answers on s/ds and errors on s/e', async () => {
		await publish('dev5', ['-q', '1', '-m', '114,c8y_Restart']);
		const operation = await service.operator.createOperation('dev5', { c8y_Restart: {} });
		const listening = subscribe('dev5', ['s/ds', 's/e', 'devicecontrol/notifications']);
		const lines = await eventually(
			'both forms arrive',
			() => [...listening.lines],
			(seen) => seen.length >= 2,
		);
		expect(lines).to.include('s/ds 510,dev5');
		const json = lines.find((line) => line.startsWith('devicecontrol/notifications ')) ?? '';
		expect(JSON.parse(json.slice(json.indexOf('{')))).to.deep.include({
			id: operation.id,
			c8y_Restart: {},
			externalSource: { externalId: 'dev5', type: 'c8y_Serial' },
		});
		await eventually(
			'it is delivered',
			() => service.operator.operation(operation.id),
			({ delivery }) => delivery.status === 'DELIVERED',
		);
	});

	it('loses the subscriber when the same client id publishes', async () => {
		await publish('dev6', ['-q', '1', '-m', '125']);
		const listening = subscribe('dev6', ['s/ds']);
		await service.operator.createOperation('dev6', { c8y_Restart: {} });
		await eventually(
			'the subscriber listens',
			() => listening.lines.length,
			(count) => count > 0,
		);
		expect(await publish('dev6', ['-q', '1', '-m', '501,c8y_Restart'])).to.equal(0);
		const seen = listening.lines.length;
		// mosquitto_sub comes back by itself; what is not PENDING any more is not sent again.
		expect(await publish('dev6', ['-q', '1', '-m', '503,c8y_Restart'])).to.equal(0);
		expect(listening.lines.slice(seen).filter((line) => line.includes('510'))).to.deep.equal([]);
	});

	it('is told that its password is wrong', async () => {
		const refused = startProgram('mosquitto_pub', [
			...address('dev7'),
			'-u',
			't1/admin',
			'-P',
			'wrong',
			'-t',
			's/us',
			'-m',
			'125',
		]);
		running.add(refused);
		expect(await refused.ended).to.not.equal(0);
		expect(refused.lines.join('\n')).to.match(/bad user name or password|not authori[sz]ed/i);
	});

	function address(serial: string): string[] {
		const { hostname, port } = new URL(service.urls.mqtt);
		return ['-h', hostname, '-p', port, '-i', serial];
	}

	function login(): string[] {
		return ['-u', service.admin.user, '-P', service.admin.password];
	}

	async function publish(serial: string, args: readonly string[]): Promise<number | null> {
		const program = startProgram('mosquitto_pub', [...address(serial), ...login(), '-t', 's/us', ...args]);
		running.add(program);
		return program.ended;
	}

	async function runShell(serial: string, rest: string): Promise<number | null> {
		const command = ['mosquitto_pub', ...address(serial), ...login(), '-t', 's/us'].map((part) => `'${part}'`).join(' ');
		const program = startProgram('sh', ['-c', `${command} ${rest}`]);
		running.add(program);
		return program.ended;
	}

	function subscribe(serial: string, topics: readonly string[]): Program {
		const program = startProgram('mosquitto_sub', [
			...address(serial),
			...login(),
			'-q',
			'1',
			'-v',
			...topics.flatMap((topic) => ['-t', topic]),
		]);
		running.add(program);
		return program;
	}
});
