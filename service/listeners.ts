import {
	createServer,
	type Server as HttpServer,
	type IncomingMessage,
	type RequestListener,
	type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { createUnreadableAnswer } from './http/index.ts';
import type { EmbeddedBroker } from './mqtt/index.ts';
import { originOf } from './origin.ts';
import { askForCertificate } from './presented-chain.ts';
import type { ServerCertificate } from './server-certificate.ts';
import { upgradeToMqtt } from './web-socket.ts';

/** An open port. */
export interface Listener {
	readonly name: 'http' | 'https' | 'httpsDevices' | 'mqtt' | 'mqtts';
	readonly port: number;
	/** Takes up no new connections, lets running requests end until the deadline, then cuts off. */
	close(graceMilliseconds: number): Promise<void>;
}

export interface ListenerOptions {
	readonly config: Config;
	readonly app: RequestListener;
	readonly broker: EmbeddedBroker;
	/** Given where a port of TLS is configured. */
	readonly certificate: ServerCertificate | undefined;
	readonly log: Logger;
}

/** Opens every port of the configuration; when one cannot be had, none stays open. */
export async function openListeners({ config, app, broker, certificate, log }: ListenerOptions): Promise<Listener[]> {
	const { http, mqtt, server, binaries, protection } = config;
	const onConnection = (socket: Socket) => {
		socket.setNoDelay(true);
		broker.handle(socket, originOf(socket));
	};
	const https = (extra: TlsOptions = {}) =>
		webServer(withTls(extra, (tls) => createHttpsServer({ ...httpOptions(http), ...tls, handshakeTimeout }, app)));
	const handshakeTimeout = protection.handshakeTimeoutSeconds * 1000;
	const answerUnreadable = createUnreadableAnswer(http);
	const wanted = [
		{ name: 'http', port: http.port, open: () => webServer(createServer(httpOptions(http), app)) },
		{ name: 'https', port: http.httpsPort, open: () => https() },
		{ name: 'httpsDevices', port: http.httpsDevicesPort, open: () => https(askForCertificate) },
		{ name: 'mqtt', port: mqtt.port === 'off' ? undefined : mqtt.port, open: () => limited(createTcpServer(onConnection)) },
		{
			name: 'mqtts',
			port: mqtt.mqttsPort,
			open: () => limited(withTls(askForCertificate, (tls) => createTlsServer({ ...tls, handshakeTimeout }, onConnection))),
		},
	] as const;

	function withTls<S extends TlsServer>(extra: TlsOptions, create: (options: TlsOptions) => S): S {
		if (!certificate) throw new Error('TLS_CERT_FILE and TLS_KEY_FILE are needed for TLS');
		return certificate.keepUpToDate(create(certificate.options(extra)), extra);
	}

	/** As many as may be connected, and as many as can be on their way there: those are answered, and not just closed. */
	function limited<S extends Server>(mqttServer: S): S {
		mqttServer.maxConnections = mqtt.connectionsMax + mqtt.connectionsPerSecond * mqtt.connectTimeoutSeconds;
		return mqttServer;
	}

	function webServer<S extends HttpServer>(web: S): S {
		web.headersTimeout = http.headersTimeoutSeconds * 1000;
		// The longest of all; the routes hold their clients to their own.
		web.requestTimeout = Math.max(http.requestTimeoutSeconds, binaries.uploadTimeoutSeconds) * 1000;
		web.on('checkContinue', app);
		web.keepAliveTimeout = http.keepAliveTimeoutSeconds * 1000;
		// One more than is allowed, for it drops the others silently, and those would have to be refused.
		web.maxHeadersCount = http.headersMaxCount + 1;
		web.maxConnections = protection.httpConnectionsMax;
		web.on('clientError', answerUnreadable);
		upgradeToMqtt(web, broker, app, mqtt.packetMaxBytes);
		return web;
	}

	const open: Listener[] = [];
	try {
		for (const { name, port, open: create } of wanted)
			if (port !== undefined) open.push(await listen(name, create(), port, server.host, log));
		return open;
	} catch (error) {
		await Promise.all(open.map((listener) => listener.close(0)));
		throw error;
	}
}

function httpOptions(http: Config['http']) {
	// How often the server looks for requests that do not come, by itself every 30 s.
	return { maxHeaderSize: http.headersMaxBytes, connectionsCheckingInterval: 1000 };
}

function listen(name: Listener['name'], server: Server, port: number, host: string, log: Logger): Promise<Listener> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
	});
	// A handshake that fails is the client's business, and that of whoever looks for it.
	server.on('tlsClientError', ({ message: reason }: Error, socket: Socket) => {
		log.debug({ address: socket.remoteAddress, reason }, 'TLS handshake failed');
		// A handshake that takes too long is only told of.
		socket.destroy();
	});
	return new Promise((resolve, reject) => {
		server.once('error', (error) =>
			reject(new Error(`${name.toUpperCase()}_PORT: port ${port} of ${host} cannot be opened: ${error.message}`)),
		);
		server.listen({ port, host, backlog: 4096 }, () => {
			resolve({ name, port: (server.address() as AddressInfo).port, close: (grace) => closeServer(server, sockets, grace) });
		});
	});
}

async function closeServer(server: Server, sockets: ReadonlySet<Socket>, graceMilliseconds: number): Promise<void> {
	const closed = new Promise<void>((resolve) => server.close(() => resolve()));
	const closing = isWebServer(server) ? closeWhenIdle(server) : undefined;
	const deadline = setTimeout(() => {
		for (const socket of sockets) socket.destroy();
	}, graceMilliseconds);
	await closed;
	clearTimeout(deadline);
	clearInterval(closing);
}

function isWebServer(server: Server): server is HttpServer {
	return 'closeIdleConnections' in server;
}

/** Every answer from now on is the last one on its connection. */
function closeWhenIdle(server: HttpServer): NodeJS.Timeout {
	server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
		response.shouldKeepAlive = false;
	});
	server.closeIdleConnections();
	return setInterval(() => server.closeIdleConnections(), 50);
}
