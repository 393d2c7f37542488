import { expect } from 'chai';
import { parseBridgeTopic } from '../../service/mqtt/bridge-topics.ts';
import { topicPatterns } from '../../smartrest/index.ts';
import { type CertificateFiles, createCertificateFiles } from '../support/certificates.ts';
import { within } from '../support/eventually.ts';
import { upstream } from '../support/raw-client.ts';
import { bootstrap, type ServiceUnderTest, startService } from '../support/service-fixture.ts';
import {
	collectionLines,
	connectByCertificate,
	createDeviceCertificates,
	createLogins,
	type DeviceCertificates,
	openTopicClients,
	type TopicClient,
} from '../support/topic-clients.ts';
import { type Arrivals, connectRows, type KnownLogins, type TopicRow, topicRows } from '../support/topic-rows.ts';

const fill = (text: string, { serial, other }: Pick<TopicClient, 'serial' | 'other'>) =>
	text.replaceAll('{own}', serial).replaceAll('{child}', `${serial}:c`).replaceAll('{other}', other);

/** What was expected and did not arrive, and what arrived and was not expected. */
function surprises(expected: TopicRow['published'], found: readonly (readonly [topic: string, payload: string])[]): string[] {
	const left = new Map(Object.entries(expected));
	const unexpected = found.filter(([topic, payload]) => !(left.get(topic)?.test(payload) && left.delete(topic)));
	return [
		...unexpected.map(([topic, payload]) => `arrived on ${topic}: ${payload}`),
		...[...left.keys()].map((topic) => `nothing on ${topic}`),
	];
}

describe('journeys/topic-matrix', () => {
	let service: ServiceUnderTest;
	let files: CertificateFiles;
	let known: KnownLogins;
	let certificates: DeviceCertificates;
	before(async () => {
		files = await createCertificateFiles();
		service = await startService({
			AUTH_WRONG_PASSWORDS_PER_MINUTE: '100',
			MQTTS_PORT: '0',
			TLS_CERT_FILE: files.certFile,
			TLS_KEY_FILE: files.keyFile,
		});
		known = await createLogins(service);
		certificates = await createDeviceCertificates(service, files.ca);
	});
	after(async () => {
		await service.close();
		files.remove();
	});

	it('has a row for every topic that devices use, in every form', () => {
		const forms = [...topicPatterns.up, ...topicPatterns.down]
			.flatMap((pattern) => [pattern.replace(/\[.*\]/, ''), pattern.replace(/[[\]]/g, '')])
			.flatMap((pattern) =>
				pattern.includes('<mode>') ? ['s', 't', 'q', 'c'].map((mode) => pattern.replace('<mode>', mode)) : [pattern],
			);
		const missing = forms.filter((form) => {
			const expression = new RegExp(`^${form.replace(/<\w+>/g, '[^/+#]+')}$`);
			return !topicRows.some(({ topic }) => expression.test(topic));
		});
		expect(missing).to.deep.equal([]);
	});

	it('connects everybody, or nobody, as the table says', async () => {
		const rows = connectRows(known);
		const found: unknown[] = [];
		for (const { who, user: username, password, clientId } of rows) {
			const client = await service.openRaw();
			const login = { clientId, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
			const code = await client.logIn(login);
			if (code !== 0) await within(`${who} is cut off`, client.closed);
			client.close();
			found.push([who, code]);
		}
		expect(found).to.deep.equal(rows.map(({ who, code }) => [who, code]));
	});

	it('connects with a certificate for the device that it names, and no other', async () => {
		const { own, unknown, ca } = certificates;
		const found: unknown[] = [];
		const rows = [
			['a device by its certificate', own, { clientId: 'cert' }, 0],
			['one as another device', own, { clientId: 'dev1' }, 5],
			['one as its child', own, { clientId: 'cert:c' }, 5],
			['one with a wrong password beside it', own, { clientId: 'cert', user: 't1/device_cert', password: 'wrong' }, 4],
			['one with a certificate of an authority that nobody trusts', unknown, { clientId: 'cert' }, 4],
		] as const;
		for (const [who, certificate, login] of rows) {
			const code = await connectByCertificate(service, certificate, { ...login, ca }).then(
				(device) => device.close().then(() => 0),
				(error: Error & { code?: number }) => error.code,
			);
			found.push([who, code]);
		}
		expect(found).to.deep.equal(rows.map(([who, , , code]) => [who, code]));
	});

	describe('between clients', () => {
		let clients: TopicClient[];
		const objects = async () => {
			const found = await Promise.all(['dev1', 'dev1:c', 'dev2', 'dev2:c'].map((serial) => service.operator.objectOf(serial)));
			return found.map(({ stolen, acme_Pump: pump, c8y_Hardware: hardware }) => ({ stolen, pump, hardware }));
		};
		before(async () => {
			clients = await openTopicClients(service, known, certificates);
			// The other tenant has a collection of that name, too.
			for (const each of clients) if (!each.isBootstrap) await each.device.send(collectionLines, 's/ut/x');
			for (const each of clients) expect(await each.arrived()).to.deep.equal([]);
		});

		/** What is wrong once somebody has done something, and the others had nothing to hear of it. */
		async function faultsOf(actor: TopicClient, expected: Arrivals): Promise<string[]> {
			const faults = surprises(expected, await actor.arrived());
			for (const each of clients) {
				if (each === actor) continue;
				for (const [topic, payload] of await each.arrived()) faults.push(`${each.who} heard on ${topic}: ${payload}`);
			}
			return faults.map((fault) => `${actor.who}: ${fault}`);
		}

		function expectedOf({ published, publishedInOtherTenant }: TopicRow, { isBootstrap, isElsewhere }: TopicClient): Arrivals {
			if (published === 'closed' || isBootstrap) return {};
			return isElsewhere ? (publishedInOtherTenant ?? published) : published;
		}

		for (const row of topicRows.filter(({ published }) => published !== 'closed')) {
			it(`takes, or refuses, '${row.payload}' on ${row.topic} from each`, async () => {
				await Promise.all(clients.map((each) => each.device.send(fill(row.payload, each), fill(row.topic, each))));
				const arrived = await Promise.all(clients.map((each) => each.arrived()));
				const faults = clients.map((each, index) => [each.who, ...surprises(expectedOf(row, each), arrived[index] ?? [])]);
				expect(faults).to.deep.equal(clients.map(({ who }) => [who]));
			});
		}

		it('answers whom it concerns, and nobody else', async () => {
			const faults: string[] = [];
			for (const topic of [
				's/us/{other}',
				's/uat',
				's/ut/x',
				'inventory/managedObjects/update/{other}',
				's/uc/missing',
				's/ucr',
			]) {
				const row = topicRows.find((each) => each.topic === topic);
				if (!row) throw new Error(`there is no row for ${topic}`);
				for (const client of clients) {
					await client.device.send(fill(row.payload, client), fill(topic, client));
					faults.push(...(await faultsOf(client, expectedOf(row, client))));
				}
			}
			expect(faults).to.deep.equal([]);
		});

		it('has let nobody change what is another’s', async () => {
			for (const { stolen, pump, hardware } of await objects()) {
				expect(stolen).to.equal(undefined);
				expect(pump).to.deep.equal({ pressure: 1 });
				expect(hardware).to.deep.equal({ serialNumber: 'a' });
			}
		});

		it('cuts off who publishes on a filter, and takes nothing of it', async () => {
			for (const { topic } of topicRows.filter(({ published }) => published === 'closed')) {
				const client = await service.openRaw('cut-off');
				client.send(upstream(1, '110,a', { topic }));
				await within(`who publishes on ${topic} is cut off`, client.closed);
				expect(client.untaken('puback')).to.deep.equal([]);
			}
			expect(await service.operator.findId('cut-off')).to.equal(undefined);
		});

		it('delivers an operation to its device, on every topic that it listens to, and to nobody else', async () => {
			for (const client of clients.filter(({ isBootstrap, isElsewhere }) => !isBootstrap && !isElsewhere)) {
				await service.operator.createOperation(client.serial, { c8y_Command: { text: 'for one' } });
				const one = new RegExp(`^(?:511|r1),${client.serial},for one$`);
				const expected: Arrivals = { 's/ds': one, 's/dc/x': one, 's/dd': one, 'devicecontrol/notifications': /"for one"/ };
				await Promise.all(Object.keys(expected).map((topic) => client.device.nextLine(topic)));
				expect(await faultsOf(client, expected)).to.deep.equal([]);
				await client.device.send(['501,c8y_Command', '503,c8y_Command']);
			}
		});

		it('gives the credentials of a device to the client of its name, and to no other', async () => {
			await service.operator.http.post('/devicecontrol/newDeviceRequests', { id: 'fresh' });
			const asked = await service.connect('fresh', { ...bootstrap, topics: ['s/dcr'] });
			await asked.send('', 's/ucr');
			await service.operator.http.put('/devicecontrol/newDeviceRequests/fresh', { status: 'ACCEPTED' });
			for (const client of clients) {
				await client.device.send('', 's/ucr');
				expect(surprises(client.isBootstrap ? {} : { 's/e': /^50,,/ }, await client.arrived())).to.deep.equal([]);
			}
			await asked.send('', 's/ucr');
			expect(await asked.nextLine('s/dcr')).to.match(/^70,t1,device_fresh,/);
			for (const client of clients) expect(await client.arrived()).to.deep.equal([]);
		});

		it('lets everybody listen to what the table says', async () => {
			for (const client of clients) {
				const granted = new Map(
					topicRows.map(({ topic, mayListen, mayBootstrapListen }) => [
						fill(topic, client),
						(client.isBootstrap ? mayBootstrapListen : mayListen) ? 1 : 128,
					]),
				);
				const topics = [...granted.keys()];
				const found = await client.device.subscribe(topics);
				expect(
					topics.map((topic, index) => [topic, found[index]]),
					client.who,
				).to.deep.equal([...granted]);
			}
		});
	});

	describe('at an outside broker', () => {
		for (const { topic, isBridged } of topicRows.filter(({ published }) => published !== 'closed')) {
			it(`${isBridged ? 'is reached' : 'cannot be reached'} by ${topic}`, () => {
				const own = fill(topic, { serial: 'dev1', other: 'dev2' });
				const parsed = parseBridgeTopic('c8y', `c8y/t1/dev1/${own}`);
				expect(parsed).to.deep.equal(isBridged ? { tenant: 't1', clientId: 'dev1', serial: 'dev1', topic: own } : undefined);
				// Outside of a device's prefix nothing is anybody's.
				for (const prefix of ['', 'c8y/', 'c8y/t1/', 'c8y/dev1/', 'other/t1/dev1/'])
					expect(parseBridgeTopic('c8y', prefix + own)?.serial).not.to.equal('dev1');
			});
		}
	});
});
