import { type Server as HttpServer, type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { EmbeddedBroker } from './mqtt/index.ts';
import { originOf } from './origin.ts';

/** Takes WebSocket connections at `/mqtt` to the broker; all other upgrades are answered as if nobody had asked for one. */
export function upgradeToMqtt(web: HttpServer, broker: EmbeddedBroker, app: RequestListener, maxPayload: number): void {
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
