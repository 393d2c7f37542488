const always = require('./.mocharc.json');
/** What only the embedded store is tested with, and why: it has run where `STORES` names sqlite. */
const embeddedOnly = require('./test/support/embedded-only.json');

const stores = (process.env.STORES ?? 'sqlite').split(',').map((name) => name.trim());

// As service/main.ts does, for the parts that tests open without it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

module.exports = {
	...always,
	ignore: [...always.ignore, ...(stores.includes('sqlite') ? [] : Object.keys(embeddedOnly))],
	// The MongoDB of the tests is many times slower than a real one.
	timeout: stores.includes('mongodb') ? 60_000 : always.timeout,
};
