/** The configuration of a process, read once and passed on a group at a time. */
export { ConfigError, type Environment, type Fault, load, printConfig } from './load.ts';
export { usesTls } from './rules.ts';
export type { Config } from './schema.ts';
/** A text that hides itself. */
export { Secret } from './secret.ts';
/** What an address of a MongoDB looks like, for those that are given in another way. */
export { mongodbUrlPattern } from './setting.ts';
/** The list of settings, for the reference page. */
export { type Setting, settings } from './settings.ts';
