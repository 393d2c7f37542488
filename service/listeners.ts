import { readFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer, type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, createServer as createTlsServer, type SecureContextOptions, TLSSocket } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Config } from '../config/index.ts';
import type { EmbeddedBroker, Origin } from './mqtt/index.ts';

/** An open port. */
export interface Listener {
	readonly name: 'http' | 'https' | 'mqtt' | 'mqtts';
	readonly port: number;
	/** Takes up no new connections, lets running requests end until the deadline, then cuts off. */
	close(graceMilliseconds: number): Promise<void>;
}

export interface ListenerOptions {
	readonly config: Config;
	readonly app: RequestListener;
	readonly broker: EmbeddedBroker;
}

/** Opens every port of the configuration; when one cannot be had, none stays open. */
export async function openListeners({ config, app, broker }: ListenerOptions): Promise<Listener[]> {
	const { http, mqtt, tls: files, server, binaries } = config;
	const tls = http.httpsPort === undefined && mqtt.mqttsPort === undefined ? {} : await readTls(files);
	const onConnection = (socket: Socket) => {
		socket.setNoDelay(true);
		broker.handle(socket, originOf(socket));
	};
	const wanted = [
		{ name: 'http', port: http.port, open: () => webServer(createServer(httpOptions(http), app)) },
		{ name: 'https', port: http.httpsPort, open: () => webServer(createHttpsServer({ ...httpOptions(http), ...tls }, app)) },
		{ name: 'mqtt', port: mqtt.port === 'off' ? undefined : mqtt.port, open: () => createTcpServer(onConnection) },
		{
			name: 'mqtts',
			port: mqtt.mqttsPort,
			open: () => createTlsServer({ ...tls, handshakeTimeout: mqtt.connectTimeoutSeconds * 1000 }, onConnection),
		},
	] as const;

	function webServer<S extends HttpServer>(web: S): S {
		web.headersTimeout = http.headersTimeoutSeconds * 1000;
		// The longest of all; the routes hold their clients to their own.
		web.requestTimeout = Math.max(http.requestTimeoutSeconds, binaries.uploadTimeoutSeconds) * 1000;
		web.on('checkContinue', app);
		web.keepAliveTimeout = http.keepAliveTimeoutSeconds * 1000;
		web.maxHeadersCount = http.headersMaxCount;
		upgradeToMqtt(web, broker, app, mqtt.packetMaxBytes);
		return web;
	}

	const open: Listener[] = [];
	try {
		for (const { name, port, open: create } of wanted)
			if (port !== undefined) open.push(await listen(name, create(), port, server.host));
		return open;
	} catch (error) {
		await Promise.all(open.map((listener) => listener.close(0)));
		throw error;
	}
}

function httpOptions(http: Config['http']) {
	return { maxHeaderSize: http.headersMaxBytes };
}

async function readTls({ certFile, keyFile }: Config['tls']): Promise<SecureContextOptions> {
	if (certFile === undefined || keyFile === undefined) throw new Error('TLS_CERT_FILE and TLS_KEY_FILE are needed for TLS');
	const options: SecureContextOptions = {
		cert: await readTlsFile('TLS_CERT_FILE', certFile),
		key: await readTlsFile('TLS_KEY_FILE', keyFile),
		minVersion: 'TLSv1.2',
	};
	try {
		createSecureContext(options);
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error(
			`TLS_CERT_FILE, TLS_KEY_FILE: '${certFile}' and '${keyFile}' are no certificate with its key in PEM: ${reason}`,
			{
				cause: error,
			},
		);
	}
	return options;
}

async function readTlsFile(setting: string, file: string): Promise<string> {
	try {
		return await readFile(file, 'utf8');
	} catch (error) {
		throw new Error(`${setting}: the file '${file}' cannot be read`, { cause: error });
	}
}

function upgradeToMqtt(web: HttpServer, broker: EmbeddedBroker, app: RequestListener, maxPayload: number): void {
	const webSockets = new WebSocketServer({
		noServer: true,
		maxPayload,
		handleProtocols: (offered) => ['mqtt', 'mqttv3.1'].find((protocol) => offered.has(protocol)) ?? false,
	});
	web.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
		socket.on('error', () => socket.destroy());
		if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
			answerWithoutUpgrade(request, socket, app);
			return;
		}
		if (request.url?.split('?')[0] !== '/mqtt') {
			socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
			return;
		}
		webSockets.handleUpgrade(request, socket, head, (webSocket) => {
			const host = request.headers.host?.replace(/:\d+$/, '') ?? '';
			broker.handle(createWebSocketStream(webSocket), { ...originOf(request.socket), ...(host && { host }) });
		});
	});
}

// Clients may offer another protocol, HTTP/2 for one, and go on with HTTP/1.1 when that is not taken up. [RFC 9110, 7.8]
function answerWithoutUpgrade(request: IncomingMessage, socket: Duplex, app: RequestListener): void {
	const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
	if (hasBody || !(socket instanceof Socket)) {
		socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
		return;
	}
	const response = new ServerResponse(request);
	response.shouldKeepAlive = false;
	response.assignSocket(socket);
	response.on('finish', () => socket.end());
	app(request, response);
}

function originOf(socket: Socket): Origin {
	const serverName = socket instanceof TLSSocket ? socket.servername : undefined;
	return { address: socket.remoteAddress ?? '', host: serverName || (socket.localAddress ?? '') };
}

function listen(name: Listener['name'], server: Server, port: number, host: string): Promise<Listener> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
	});
	// A handshake that fails is the client's business.
	server.on('tlsClientError', () => {});
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
