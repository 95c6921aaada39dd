// What every page is held to: it asks for nothing, and nothing that axe finds is serious.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const AXE = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

// Ways in which people look at a page.
export const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'forced colours': { forcedColors: 'active' },
  '320 pixels': { viewport: { width: 320, height: 640 } },
  'dark at 320 pixels': { colorScheme: 'dark', viewport: { width: 320, height: 640 } },
};

export function launched() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
}

// Opens a page from its file with the network off, and keeps what it asks for and what goes wrong in it.
export async function visited(browser, path, options = {}) {
  const context = await browser.newContext({ offline: true, acceptDownloads: true, ...options });
  const page = await context.newPage();
  const url = pathToFileURL(path).href;
  const requests = [], troubles = [];
  page.on('request', (request) => { if (request.url() !== url) requests.push(request.url()); });
  page.on('console', (message) => { if (message.type() === 'error') troubles.push(message.text()); });
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('dialog', (dialog) => { troubles.push(dialog.message()); dialog.accept(); });
  await page.goto(url);
  return { context, page, requests, troubles };
}

export function quiet({ requests, troubles }) {
  assert.deepEqual(requests, [], 'the page asks for something');
  assert.deepEqual(troubles, [], 'something went wrong in the page');
}

// Nothing serious, and nothing that has to be scrolled sideways.
export async function accessible(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const serious = found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = serious.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(' ')}`);
  assert.deepEqual(told, []);
  assert.ok(found.passes.length > 10, 'axe looked at the page');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= page.viewportSize().width, `${width} pixels wide`);
}
