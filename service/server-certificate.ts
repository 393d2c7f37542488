import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls';
import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import type { Metrics } from './metrics.ts';

export type ServerCertificate = Awaited<ReturnType<typeof openServerCertificate>>;

interface Loaded {
	readonly context: SecureContextOptions & { readonly cert: string; readonly key: string };
	readonly certificate: X509Certificate;
}

/**
 * The certificate and key of all TLS listeners, from their files. `reload` takes new ones up while everything goes on: connections
 * that are there keep what they began with.
 * @throws Error that names the setting, where the files are no certificate with its key
 */
export async function openServerCertificate({
	tls,
	log,
	metrics,
}: {
	readonly tls: Config['tls'];
	readonly log: Logger;
	readonly metrics: Metrics;
}) {
	const { certFile, keyFile } = tls;
	if (certFile === undefined || keyFile === undefined) throw new Error('TLS_CERT_FILE and TLS_KEY_FILE are needed for TLS');
	const servers: { readonly server: Server; readonly extra: SecureContextOptions }[] = [];
	let current = check(await readBoth(certFile, keyFile), certFile, keyFile);
	/** What was looked at last, good or not, so that one bad file is told of once. */
	let seen = textOf(current.context);
	let lastFault = '';
	note(current);

	async function reload(): Promise<void> {
		try {
			if (certFile === undefined || keyFile === undefined) return;
			const pair = await readBoth(certFile, keyFile);
			if (textOf(pair) === seen) return;
			seen = textOf(pair);
			current = check(pair, certFile, keyFile);
			for (const { server, extra } of servers) server.setSecureContext({ ...current.context, ...extra });
			note(current);
			lastFault = '';
			const { subject, validTo } = current.certificate;
			log.info({ subject, validTo }, 'the server certificate was taken up anew');
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			if (reason !== lastFault) log.error({ reason }, 'the new server certificate cannot be used: the one before stays in use');
			lastFault = reason;
		}
	}

	function note({ certificate }: Loaded): void {
		metrics.tlsExpiry.set(Date.parse(certificate.validTo) / 1000);
	}

	/** What a TLS server of ours is made with. */
	function options(extra: SecureContextOptions = {}): SecureContextOptions {
		return { ...current.context, ...extra };
	}

	/** The server gets every later certificate, with the same other options. */
	function keepUpToDate<S extends Server>(server: S, extra: SecureContextOptions = {}): S {
		servers.push({ server, extra });
		return server;
	}

	return { options, keepUpToDate, reload };
}

interface Pair {
	readonly cert: string;
	readonly key: string;
}

function textOf({ cert, key }: Pair): string {
	return `${cert}\0${key}`;
}

async function readBoth(certFile: string, keyFile: string): Promise<Pair> {
	return { cert: await readPem('TLS_CERT_FILE', certFile), key: await readPem('TLS_KEY_FILE', keyFile) };
}

function check(pair: Pair, certFile: string, keyFile: string): Loaded {
	const context = { ...pair, minVersion: 'TLSv1.2' } as const;
	try {
		createSecureContext(context);
		return { context, certificate: new X509Certificate(pair.cert) };
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error(
			`TLS_CERT_FILE, TLS_KEY_FILE: '${certFile}' and '${keyFile}' are no certificate with its key in PEM: ${reason}`,
			{ cause: error },
		);
	}
}

async function readPem(setting: string, file: string): Promise<string> {
	try {
		return await readFile(file, 'utf8');
	} catch (error) {
		throw new Error(`${setting}: the file '${file}' cannot be read`, { cause: error });
	}
}
