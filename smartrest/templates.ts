import { deviceTemplates } from './device-templates.ts';
import { downstreamTemplates } from './downstream-templates.ts';
import { reportTemplates } from './report-templates.ts';

/**
 * Every static template, once: decoder, encoder, handlers, tests and the reference page are made from this table.
 * The version of a software package may be empty (thin-edge sends it so); its name may not.
 */
export const templates = [...deviceTemplates, ...reportTemplates, ...downstreamTemplates] as const;
