import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from './markdown.ts';

/** Of `docs/scale-figures.json`, which `npm run bench:scale` writes: what this page is made from. */
interface Figures {
	readonly devices: number;
	readonly packagesEach: number;
	readonly tenants: number;
	readonly fillSeconds: number;
	readonly sizeBytes: number;
	readonly latencies: readonly { readonly what: string; readonly p50: number }[];
	readonly sizes: readonly Size[];
}

interface Size {
	readonly name: string;
	readonly documents: number;
	readonly embedded: readonly { readonly name: string; readonly bytes: number }[];
	readonly bsonBytes: number;
	readonly indexes: readonly { readonly name: string; readonly keyBytesADocument: number }[];
}

interface Part {
	readonly name: string;
	readonly documents: number;
	readonly embedded: number;
	readonly bson: number;
	readonly keys: number;
}

const root = join(import.meta.dirname, '../..');

/** The fleet that is reckoned for. */
const wanted = { devices: 1_000_000, operationsEach: 20, changesEach: 52, connectionsEach: 50_000, messagesADay: 12 };
/** Of an operation: that it was created, is executing, and how it ended. */
const recordsAnOperation = 3;
/** Collections with a document or two, however many devices there are. */
const few = ['counters', 'auditChains'];

const recordsEach = wanted.changesEach + recordsAnOperation * wanted.operationsEach;

/** How cost grows, and what a large fleet takes. */
export function renderScale(): string {
	const all: readonly Figures[] = JSON.parse(read('docs/scale-figures.json'));
	const single = all.filter(({ tenants }) => tenants === 1);
	const largest = single.at(-1);
	if (!largest) throw new Error('docs/scale-figures.json has no figures: npm run bench:scale');
	const parts = [
		'<!-- Made by `npm run docs` from docs/scale-figures.json and docs/benchmarks.md. Do not edit. -->',
		'# How cost grows',
		'What costs what, by design, is in [the architecture](../architecture.md#what-costs-what): work grows with what is asked for, not with the fleet, and tenants cost nothing. This page shows what was measured, and reckons from it. Times are in [figures at scale](../scale-figures.md), comparisons in [benchmarks](../benchmarks.md).',
		'## With the devices',
		`Each device has ${largest.packagesEach} packages, with a URL each. Milliseconds are medians of one call at a time.`,
		growth(single),
		'## With the tenants',
		'The same fleet, of one tenant and spread over several. Every key begins with the tenant, and nothing is done for each of them.',
		growth(all.filter(({ devices }) => all.some((other) => other.devices === devices && other.tenants !== 1))),
		'## What a document takes',
		`Of ${number(largest.devices)} devices, the largest fleet measured; small collections have half-empty pages, so their figures are too large. **Embedded** is measured: pages of the table and all its indexes, divided by the documents. **BSON** and **index keys** are computed, not measured: the size of the same documents in MongoDB's format, and of the keys of its indexes, before MongoDB compresses documents (snappy) and keys (prefixes). They are what caches hold at most, and an upper bound for the disk, apart from the space that it keeps free in its files.`,
		table(
			[
				'collection',
				'documents a device',
				'embedded bytes',
				'of it indexes',
				'BSON bytes',
				'index key bytes',
				'largest index in MongoDB',
			],
			largest.sizes.map((size) => documentRow(size, largest.devices)),
		).trimEnd(),
		...sizing(largest),
		...processes(),
		'',
	];
	return `${parts.join('\n\n').trimEnd()}\n`;
}

function growth(figures: readonly Figures[]): string {
	const kinds = figures[0]?.latencies.map(({ what }) => what) ?? [];
	return table(
		['devices', 'tenants', 'bytes a device', 'packages stored a second', ...kinds.map((what) => `${what}, ms`)],
		figures.map(({ devices, tenants, packagesEach, fillSeconds, sizeBytes, latencies }) => [
			number(devices),
			number(tenants),
			number(sizeBytes / devices),
			number((devices * packagesEach) / fillSeconds),
			...latencies.map(({ p50 }) => p50.toFixed(2)),
		]),
	).trimEnd();
}

function documentRow({ name, documents, embedded, bsonBytes, indexes }: Size, devices: number): string[] {
	const bytes = sum(embedded.map((part) => part.bytes));
	const own = sum(embedded.filter((part) => part.name.startsWith('c:')).map((part) => part.bytes));
	const largest = [...indexes].sort((a, b) => b.keyBytesADocument - a.keyBytesADocument)[0];
	return [
		name,
		(documents / devices).toFixed(2),
		number(bytes / documents),
		number((bytes - own) / documents),
		number(bsonBytes),
		number(sum(indexes.map(({ keyBytesADocument }) => keyBytesADocument))),
		largest ? `${largest.name}, ${number(largest.keyBytesADocument)}` : '–',
	];
}

/** The table for the fleet that is wanted. */
function sizing(figures: Figures): string[] {
	const parts = figures.sizes.filter(({ name }) => !few.includes(name)).map((size) => partOf(size, figures));
	const total = (pick: (part: Part) => number) => sum(parts.map(pick));
	const bson = total(({ bson: bytes }) => bytes);
	const keys = total(({ keys: bytes }) => bytes);
	return [
		`## ${number(wanted.devices)} devices: the store`,
		`Each with ${figures.packagesEach} packages and ${wanted.operationsEach} operations that are kept. Documents are those of the table above times ${number(wanted.devices)}, operations and their heads as assumed; GB are documents × bytes a document ÷ 10⁹. The operations are the smallest that there are (a restart); one that names packages is larger by their names, versions and URLs. Audit records of the 365 days that they are kept by default (\`AUDIT_RETENTION_DAYS\`): ${wanted.changesEach} reports of changed software (a report that changes nothing leaves none), and ${recordsAnOperation} for each operation, ${wanted.changesEach} + ${recordsAnOperation} × ${wanted.operationsEach} = ${recordsEach} a device. Those that were measured are of first lists and new devices, which are larger than one of a changed package: an upper bound. With \`AUDIT_DEVICE_REPORTS=false\` there are fewer. Users, events and binaries come on top. Nothing of this size was filled.`,
		table(
			['collection', 'documents', 'embedded GB', 'BSON GB', 'index key GB'],
			[
				...parts.map((part) => [
					part.name,
					number(part.documents),
					gigabytes(part.embedded),
					gigabytes(part.bson),
					gigabytes(part.keys),
				]),
				[
					'**together**',
					number(total(({ documents }) => documents)),
					gigabytes(total(({ embedded }) => embedded)),
					gigabytes(bson),
					gigabytes(keys),
				],
			],
		).trimEnd(),
		`For each member of a MongoDB replica set: at most ${gigabytes(bson)} + ${gigabytes(keys)} = ${gigabytes(bson + keys)} GB on disk before compression, and the oplog. It is quick while the indexes (${gigabytes(keys)} GB) and the devices that are at work are in its cache, which is half of the memory by default: ${gigabytes(2 * keys)} GB of memory or more. Where processes share a store there is one more document for each connected device (\`connections\`), a small one.`,
	];
}

function partOf({ name, documents, embedded, bsonBytes, indexes }: Size, { devices, packagesEach }: Figures): Part {
	// Measuring adds a few packages, and operations for some devices only.
	const assumed: Readonly<Record<string, number>> = {
		packages: packagesEach,
		operations: wanted.operationsEach,
		operationHeads: 1,
		auditRecords: recordsEach,
	};
	const count = Math.round(wanted.devices * (assumed[name] ?? documents / devices));
	return {
		name,
		documents: count,
		embedded: (count * sum(embedded.map(({ bytes }) => bytes))) / documents,
		bson: count * bsonBytes,
		keys: count * sum(indexes.map(({ keyBytesADocument }) => keyBytesADocument)),
	};
}

/** What the processes take, from the benchmarks. */
function processes(): string[] {
	const page = read('docs/benchmarks.md');
	const kilobytes = figureIn(page, /<!-- begin memory -->[\s\S]*?^\| service \| ([\d.,]+) \(/m, 'memory a device');
	const base = figureIn(page, /<!-- begin memory -->[\s\S]*?^\| service \|.*\| ([\d.,]+) \([^|]*\|$/m, 'memory without devices');
	const messagesAt = (window: number) =>
		figureIn(page, new RegExp(`^\\| service, window ${window} \\| ([\\d.,]+) \\(`, 'm'), `messages at window ${window}`);
	const processorAt = (window: number) =>
		figureIn(
			page,
			new RegExp(`^\\| service, window ${window} \\|(?:[^|]*\\|){2} ([\\d.,]+) \\(`, 'm'),
			`processor time at window ${window}`,
		);
	const [busy, calm] = [messagesAt(20), messagesAt(1)];
	const [busyTime, calmTime] = [processorAt(20), processorAt(1)];
	const count = Math.ceil(wanted.devices / wanted.connectionsEach);
	const memory = base / 1000 + (wanted.connectionsEach * kilobytes) / 1e6;
	const rate = (wanted.devices * wanted.messagesADay) / 86_400;
	return [
		`## ${number(wanted.devices)} devices: the processes`,
		`- **Connections.** ${number(wanted.devices)} ÷ ${number(wanted.connectionsEach)} (\`MQTT_CONNECTIONS_MAX\`) = ${count} processes, and one more for the devices of one that is gone.`,
		`- **Memory.** ${base} MB + ${number(wanted.connectionsEach)} × ${kilobytes} KB = ${memory.toFixed(1)} GB for each, idle connections without TLS; give it half as much again.`,
		`- **Messages.** One process on the embedded store acknowledges ${number(busy)} messages a second with 20 on the way for each device, ${number(calm)} with one, on two cores that it shares with the load. It takes ${busyTime} and ${calmTime} µs of processor time for each, which is 10⁶ ÷ ${busyTime} = ${number(1e6 / busyTime)} and 10⁶ ÷ ${calmTime} = ${number(1e6 / calmTime)} messages a second a core; a process uses at most two to three (its own thread, that of the database, and the collection of garbage). ${wanted.messagesADay} messages a day of each device are ${number(wanted.devices)} × ${wanted.messagesADay} ÷ 86,400 = ${number(rate)} a second: the peaks matter, such as all devices that come back at once. At ${number(1000)} connections a second (\`MQTT_CONNECTIONS_PER_SECOND\`) for each of ${count} processes, the fleet is back in ${Math.ceil(wanted.devices / 1000 / count)} s.`,
		'- **On MongoDB** how many messages a second are stored is for your database to say, and was not measured; `npm run bench -- mongodb` tells what a process itself takes for one. The embedded store has one process.',
	];
}

function figureIn(page: string, pattern: RegExp, what: string): number {
	const [, text] = pattern.exec(page) ?? [];
	if (text === undefined) throw new Error(`docs/benchmarks.md does not tell the ${what}`);
	return Number(text.replaceAll(',', ''));
}

function read(file: string): string {
	return readFileSync(join(root, file), 'utf8');
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}

function gigabytes(bytes: number): string {
	return (bytes / 1e9).toFixed(1);
}

function number(value: number): string {
	return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
