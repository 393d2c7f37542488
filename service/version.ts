import manifest from '../package.json' with { type: 'json' };

/** The version of the service, shown to devices (601), in the API description and in the log. */
export const version = manifest.version;
