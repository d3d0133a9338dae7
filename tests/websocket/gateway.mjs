// SPDX-License-Identifier: Apache-2.0
//
// The program as a process of its own in front of one upstream, and its modules.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export class Gateway {
  static async start(upstreamPort) {
    const gateway = new Gateway();
    gateway.process = spawn(process.env.SANDGATE_BINARY,
      ['serve', '--worker-urls', `http://127.0.0.1:${upstreamPort}`, '--port', '0', '--threads', '2', '--enable-wasm',
        '--ephemeral'], { stdio: ['ignore', 'pipe', 'pipe'] });
    gateway.log = '';
    gateway.ended = new Promise((resolve) => gateway.process.on('close', (code, signal) => resolve({ code, signal })));
    gateway.port = await new Promise((resolve, reject) => {
      const read = (piece) => {
        gateway.log += piece;
        const line = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(gateway.log);
        if (line) resolve(Number(line[1]));
      };
      gateway.process.stdout.on('data', read);
      gateway.process.stderr.on('data', read);
      gateway.process.on('close', () => reject(new Error(`the gateway ended: ${gateway.log}`)));
    });
    return gateway;
  }

  url(path) { return `ws://127.0.0.1:${this.port}${path}`; }

  // Runs `work` while a guest of tests/guests is deployed at OnRequest.
  async withModule(guest, work) {
    const body = await readFile(join(process.env.SANDGATE_GUESTS, `${guest}.wasm`));
    const module = `http://127.0.0.1:${this.port}/wasm/${guest}`;
    const put = await fetch(`${module}?attach=OnRequest`, { method: 'PUT', body });
    if (!put.ok) throw new Error(`${guest} was refused: ${put.status} ${await put.text()}`);
    try {
      await work();
    } finally {
      await fetch(module, { method: 'DELETE' });
    }
  }

  // The exit code after SIGTERM; what is still open by then is the caller's fault.
  async stop() {
    this.process.kill('SIGTERM');
    return this.ended;
  }
}
