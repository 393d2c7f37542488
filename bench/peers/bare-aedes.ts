/** The peer for MQTT: aedes with its defaults and no handler; with a certificate and its key, over TLS as the service has it. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { askForCertificate } from '../../service/presented-chain.ts';
import { say } from '../load/job.ts';

const [certFile, keyFile] = process.argv.slice(2);
const broker = await Aedes.createBroker();
const server =
	certFile === undefined || keyFile === undefined
		? createServer({ noDelay: true }, broker.handle)
		: createTlsServer({ ...askForCertificate, cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
				socket.setNoDelay(true);
				broker.handle(socket);
			});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
	const address = server.address();
	const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
	say('ready', { ports: { http: 0, mqtt: port, mqtts: port } });
});
process.on('SIGTERM', () => process.exit(0));
