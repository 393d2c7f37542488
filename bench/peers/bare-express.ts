/** The peer for HTTP: Express with its defaults and one route that sends bytes which are there already. */
import { readFileSync } from 'node:fs';
import express from 'express';
import { say } from '../load/job.ts';

const [path = '/', file = ''] = process.argv.slice(2);
const bytes = readFileSync(file);
const app = express();
app.get(path, (_request, response) => {
	response.type('application/json').send(bytes);
});
const server = app.listen(0, '127.0.0.1', () => {
	const address = server.address();
	say('ready', { ports: { http: typeof address === 'object' ? address?.port : 0, mqtt: 0 } });
});
process.on('SIGTERM', () => process.exit(0));
