// SPDX-License-Identifier: Apache-2.0
//
// npm's `ws` on both sides of the gateway: what a client sees through it is what it sees without it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { runCases, test } from './cases.mjs';
import { Gateway } from './gateway.mjs';
import { MESSAGE_BYTES_MAX, Upstream, WebSocket } from './upstream.mjs';

const upstream = await Upstream.start();
const gateway = await Gateway.start(upstream.port);

async function open(path, protocols = [], options = {}) {
  const socket = new WebSocket(gateway.url(path), protocols, { maxPayload: MESSAGE_BYTES_MAX, ...options });
  socket.on('error', () => {});
  await new Promise((resolve, reject) => { socket.once('open', resolve); socket.once('error', reject); });
  return socket;
}

async function message(socket) {
  const [bytes, isBinary] = await once(socket, 'message');
  return isBinary ? bytes : bytes.toString();
}

async function closed(socket) {
  const [code, reason] = await once(socket, 'close');
  return { code, reason: reason.toString() };
}

// Ends a connection as both sides agree, so that no case leaves one to the next.
async function bye(socket) {
  socket.close(1000);
  assert.equal((await closed(socket)).code, 1000);
  assert.equal(await upstream.nextClosed(), 1000);
}

// The answer to an upgrade that was refused.
async function refused(path) {
  const socket = new WebSocket(gateway.url(path));
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const piece of response) body += piece;
  return { status: response.statusCode, headers: response.headers, body };
}

test('text and binary come back as they were sent', async () => {
  const socket = await open('/echo');
  socket.send('Grüße, 世界');
  assert.equal(await message(socket), 'Grüße, 世界');
  socket.send('');
  assert.equal(await message(socket), '');
  const bytes = randomBytes(4096);
  socket.send(bytes);
  assert.deepEqual(await message(socket), bytes);
  await bye(socket);
});

test('a message of 1 MiB, and one larger than all buffers on the way', async () => {
  const socket = await open('/echo');
  for (const size of [1 << 20, 24 << 20]) {
    const bytes = randomBytes(size);
    socket.send(bytes, { compress: false });
    assert.ok(bytes.equals(await message(socket)), `${size} bytes`);
  }
  await bye(socket);
});

test('a fragmented message is one message, with a ping between its pieces', async () => {
  const socket = await open('/echo');
  const pong = once(socket, 'pong');
  socket.send('one ', { fin: false });
  socket.ping('between');
  socket.send('two ', { fin: false });
  socket.send('three', { fin: true });
  assert.equal(await message(socket), 'one two three');
  assert.equal((await pong)[0].toString(), 'between');
  await bye(socket);
});

test('ping and pong from both sides', async () => {
  const socket = await open('/ping');
  socket.ping('from the client');
  assert.equal((await once(socket, 'pong'))[0].toString(), 'from the client');
  const ping = once(socket, 'ping');
  socket.send('from the server');
  assert.equal((await ping)[0].toString(), 'from the server');
  assert.equal(await message(socket), 'pong from the server');
  await bye(socket);
});

test('permessage-deflate is negotiated through, and used', async () => {
  const socket = await open('/echo', [], { perMessageDeflate: { threshold: 0 } });
  assert.match(socket.extensions, /permessage-deflate/);
  const text = 'again and '.repeat(20_000);
  const before = socket._socket.bytesRead;
  socket.send(text);
  assert.equal(await message(socket), text);
  assert.ok(socket._socket.bytesRead - before < text.length / 20, 'the echo was not compressed');
  await bye(socket);
  const plain = await open('/echo', [], { perMessageDeflate: false });
  assert.equal(plain.extensions, '');
  await bye(plain);
});

test('a subprotocol is the one that the server chose', async () => {
  const socket = await open('/echo', ['chat.v1', 'chat.v2']);
  assert.equal(socket.protocol, 'chat.v2');
  await bye(socket);
});

test('close codes and reasons, from the client and from the server', async () => {
  for (const code of [1000, 1001, 1011, 3000, 4999]) {
    const closes = await open('/echo');
    closes.close(code, 'enough');
    assert.deepEqual(await closed(closes), { code, reason: 'enough' });
    assert.equal(await upstream.nextClosed(), code);

    const isClosed = await open('/close');
    isClosed.send(`${code} the server says`);
    assert.deepEqual(await closed(isClosed), { code, reason: 'the server says' });
    assert.equal(await upstream.nextClosed(), code);
  }
});

test('a server that dies within a frame: the client is told', async () => {
  const socket = await open('/die');
  socket.send('go');
  assert.equal((await closed(socket)).code, 1006);
  assert.equal(await upstream.nextClosed(), 1006);
});

test('a client that dies: the server is told', async () => {
  const socket = await open('/echo');
  socket.send('x'.repeat(100_000));
  socket._socket.resetAndDestroy();
  assert.equal(await upstream.nextClosed(), 1006);
});

test('a hundred at one time do not mix', async () => {
  const sockets = await Promise.all(Array.from({ length: 100 }, () => open('/echo')));
  await Promise.all(sockets.map(async (socket, index) => {
    for (let turn = 0; turn < 10; ++turn) {
      const text = `${index}/${turn} `.repeat(200);
      socket.send(text);
      assert.equal(await message(socket), text);
    }
  }));
  await Promise.all(sockets.map(bye));
});

test('a refusal of the server is the answer', async () => {
  const answer = await refused('/refuse');
  assert.equal(answer.status, 403);
  assert.equal(answer.headers['x-why'], 'rules');
  assert.equal(answer.body, 'not you');
});

test('a module refuses the upgrade, and the server never sees it', async () => {
  await gateway.withModule('reject_403', async () => {
    const answer = await refused('/echo');
    assert.equal(answer.status, 403);
    assert.equal(upstream.sockets.clients.size, 0);
  });
  const socket = await open('/echo');
  await bye(socket);
});

test('a module edits fields of the upgrade, and the connection still opens', async () => {
  await gateway.withModule('set_add_remove', async () => {
    const socket = new WebSocket(gateway.url('/fields'), ['chat.v2'], { headers: { 'X-Set': 'old', 'X-Remove': 'me' } });
    const fields = JSON.parse(await message(socket));
    assert.equal(fields['x-set'], 'new');
    assert.equal(fields['x-add'], 'first, second');
    assert.equal(fields['x-remove'], undefined);
    assert.equal(fields.connection.toLowerCase(), 'upgrade');
    assert.equal(fields.upgrade.toLowerCase(), 'websocket');
    assert.equal(socket.protocol, 'chat.v2');
    await bye(socket);
  });
});

const passed = await runCases(() => upstream.reset());
const end = await gateway.stop();
console.log(`the gateway ended with ${end.code ?? end.signal}`);
upstream.stop();
if (!passed) console.log(gateway.log);
process.exit(passed && end.code === 0 ? 0 : 1);
