// SPDX-License-Identifier: Apache-2.0
//
// Chromium without a window loads page.html through the gateway, and the page tells how its cases went.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gateway } from './gateway.mjs';
import { Upstream } from './upstream.mjs';

// The cases of the page; a page that ended early has fewer.
const CASES = 8;
const MILLISECONDS_MAX = 90_000;

let reported;
const report = new Promise((resolve) => { reported = resolve; });
const upstream = await Upstream.start({ page: new URL('page.html', import.meta.url), report: reported });
const gateway = await Gateway.start(upstream.port);
const profile = mkdtempSync(join(tmpdir(), 'sandgate-browser-'));
const browser = spawn(process.env.BROWSER,
  ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', `--user-data-dir=${profile}`,
    `http://127.0.0.1:${gateway.port}/`], { stdio: ['ignore', 'ignore', 'pipe'] });
let said = '';
// Without a desktop it complains about the missing bus, line by line.
browser.stderr.on('data', (piece) => { if (!/dbus|DBus/.test(piece)) said += piece; });
const browserEnded = new Promise((resolve) => browser.on('close', resolve));
const late = new Promise((resolve) => { setTimeout(() => resolve('[]'), MILLISECONDS_MAX).unref(); });

const results = JSON.parse(await Promise.race([report, late, browserEnded.then(() => '[]')]));
let failed = Math.max(0, CASES - results.length);
for (const [name, wrong] of results) {
  console.log(wrong === null ? `ok      ${name}` : `FAILED  ${name}\n        ${wrong}`);
  if (wrong !== null) ++failed;
}
console.log(`${results.length} cases of ${CASES}, ${failed} failed`);
if (failed > 0) console.log(`${gateway.log}\n${said}`);
browser.kill('SIGKILL');
await browserEnded;
rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
const end = await gateway.stop();
upstream.stop();
process.exit(failed === 0 && end.code === 0 ? 0 : 1);
