const always = require('./.mocharc.json');
/** What only the embedded store is tested with, and why: it has run where `STORES` names sqlite. */
const embeddedOnly = require('./test/support/embedded-only.json');

const stores = (process.env.STORES ?? 'sqlite').split(',').map((name) => name.trim());

module.exports = {
	...always,
	ignore: [...always.ignore, ...(stores.includes('sqlite') ? [] : Object.keys(embeddedOnly))],
	// The MongoDB of the tests is many times slower than a real one.
	timeout: stores.includes('mongodb') ? 60_000 : always.timeout,
};
