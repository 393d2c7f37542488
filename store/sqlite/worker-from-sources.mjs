// Starts the worker from the sources, in development and tests: a worker does not inherit the loader of `node --import tsx`.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
