// SPDX-License-Identifier: Apache-2.0
//
// The server behind the gateway: npm's `ws`. What it does depends on the path:
//   /echo        echoes messages as they came; negotiates permessage-deflate and the subprotocol chat.v2
//   /fields      sends the fields of the upgrade request as JSON
//   /close       closes with the code and the reason that the first message says, as "4001 reason"
//   /ping        pings with the first message and sends what the pong had
//   /die         answers the first message with half a frame and then with nothing any more: its socket is gone
//   /refuse      answers the upgrade with 403 and a text
//   /            anything else that is no upgrade: the page of browser_test.mjs
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const library = createRequire(join(process.env.WS_LIBRARY, 'library.js'));
export const { WebSocket, WebSocketServer } = library('ws');

// Larger than any socket buffer on the way.
export const MESSAGE_BYTES_MAX = 64 << 20;

export class Upstream {
  // `page`: a file for requests that are no upgrades. `report`: called with what is posted to /report.
  static async start({ page, report } = {}) {
    const upstream = new Upstream();
    upstream.closed = [];  // codes of the connections that ended, in order, and those who wait for one
    upstream.waiting = [];
    upstream.generation = 0;
    upstream.server = createServer((request, response) => {
      if (request.method === 'POST' && request.url === '/report') {
        let text = '';
        request.on('data', (piece) => { text += piece; });
        request.on('end', () => { response.end(); report(text); });
        return;
      }
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(page ? readFileSync(page) : 'no page');
    });
    upstream.sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MESSAGE_BYTES_MAX,
      perMessageDeflate: { threshold: 0 },
      handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
    });
    upstream.server.on('upgrade', (request, socket, head) => upstream.upgrade(request, socket, head));
    await new Promise((resolve) => upstream.server.listen(0, '127.0.0.1', resolve));
    upstream.port = upstream.server.address().port;
    return upstream;
  }

  upgrade(request, socket, head) {
    if (request.url === '/refuse') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nX-Why: rules\r\n\r\nnot you');
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (connection) => {
      connection.on('error', () => {});
      const { generation } = this;
      connection.on('close', (code) => {
        if (generation !== this.generation) return;
        if (this.waiting.length > 0) this.waiting.shift()(code);
        else this.closed.push(code);
      });
      this.serve(request, connection, socket);
    });
  }

  serve(request, connection, socket) {
    const first = (handle) => connection.once('message', (message) => handle(message.toString()));
    switch (request.url) {
      case '/fields': connection.send(JSON.stringify(request.headers)); break;
      case '/close': first((text) => connection.close(Number(text.slice(0, 4)), text.slice(5))); break;
      case '/ping':
        connection.on('pong', (payload) => connection.send(`pong ${payload}`));
        first((text) => connection.ping(text));
        break;
      case '/die':
        // A text frame of 100 bytes, of which ten come.
        first(() => socket.write(Buffer.from([0x81, 100, ...Buffer.from('0123456789')]), () => socket.destroy()));
        break;
      default: connection.on('message', (message, isBinary) => connection.send(message, { binary: isBinary }));
    }
  }

  // The code of the next connection that ends.
  async nextClosed() {
    if (this.closed.length > 0) return this.closed.shift();
    return new Promise((resolve) => { this.waiting.push(resolve); });
  }

  // Ends and forgets what a case left behind.
  reset() {
    ++this.generation;
    this.closed = [];
    this.waiting = [];
    for (const connection of this.sockets.clients) connection.terminate();
  }

  stop() {
    this.reset();
    this.server.closeAllConnections();
    this.server.close();
  }
}
