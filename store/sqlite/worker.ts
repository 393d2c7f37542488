import { parentPort } from 'node:worker_threads';
import { createEngine } from './engine.ts';
import type { Request } from './protocol.ts';

const engine = createEngine((answer) => parentPort?.postMessage(answer));
parentPort?.on('message', (request: Request) => engine.handle(request));
