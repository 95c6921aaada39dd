// The page of a spot check as a person uses it: opened from its file, without a network, by pointer and by keyboard.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { World } from './world.mjs';
import { LOOKS, accessible, launched, quiet, visited } from './pages.mjs';

const world = new World();
let browser, drawn;

before(async () => {
  drawn = await world.spotChecked();
  browser = await launched();
});

after(async () => {
  await browser?.close();
  world.end();
});

const opened = (options = {}) => visited(browser, world.path(drawn.page), options);
const record = (page, number) => page.locator('section[data-object]').nth(number);

async function downloaded(page, file) {
  const [download] = await Promise.all([
    page.waitForEvent('download'), page.getByRole('button', { name: 'Download results' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'spotcheck.json');
  await download.saveAs(world.path(file));
  return JSON.parse(readFileSync(world.path(file), 'utf8'));
}

for (const [name, options] of Object.entries(LOOKS)) {
  test(`nothing that axe finds is serious: ${name}`, async () => {
    const visit = await opened(options);
    const { page } = visit;
    await record(page, 0).getByText('Everything that LeadDesk held').click();
    await record(page, 0).getByLabel('wrong').check();
    await accessible(page);
    await page.screenshot({ path: `spotcheck-${name.replaceAll(' ', '-')}.png` });
    quiet(visit);
    await visit.context.close();
  });
}

test('without JavaScript the page reads as a document', async () => {
  const visit = await opened({ javaScriptEnabled: false });
  const { page } = visit;
  await page.getByText('Without scripts this page can be read and printed').waitFor();
  assert.equal(await page.locator('section[data-object]').count(), drawn.records);
  assert.ok(await record(page, 0).getByRole('table', { name: 'Field by field' }).or(record(page, 0).getByText('holds nothing')).first().isVisible());
  assert.equal(await page.getByRole('button', { name: 'Download results' }).isVisible(), false);
  assert.deepEqual(visit.requests, []);
  await visit.context.close();
});

test('records are judged by pointer and keyboard, and what was downloaded is recorded', async () => {
  const visit = await opened();
  const { page } = visit;
  assert.match(await page.getByRole('status').textContent(), new RegExp(`^0 of ${drawn.records} records`));
  // Nobody signs without a name.
  await page.getByRole('button', { name: 'Download results' }).click();
  assert.match(await page.getByRole('status').textContent(), /Write your name first/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'by');
  await page.keyboard.type('Rita Reviewer');

  // By keyboard alone: to the second record, its first answer, a comment.
  const headings = await page.locator('section h2').allTextContents();
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Alt+n');
  assert.equal(await focused(), headings[0]);
  await page.keyboard.press('Alt+n');
  assert.equal(await focused(), headings[1]);
  await page.keyboard.press('Alt+p');
  assert.equal(await focused(), headings[0]);
  await page.keyboard.press('Alt+n');
  const radio = record(page, 1).getByLabel('right');
  for (let presses = 0; presses < 40 && !(await radio.evaluate((node) => node === document.activeElement)); presses += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Space');
  assert.ok(await radio.isChecked(), 'the keyboard reaches the answers of a record');

  const comment = 'phone “wrong”\n</script><img src=x onerror=alert(1)>';
  await record(page, 0).getByLabel('wrong').check();
  await record(page, 0).getByLabel('Comment').fill(comment);
  await record(page, 2).getByLabel('unsure').check();
  for (let number = 3; number < drawn.records; number += 1) await record(page, number).getByLabel('right').check();
  assert.match(await page.getByRole('status').textContent(), new RegExp(`^${drawn.records} of ${drawn.records}`));
  const results = await downloaded(page, 'spotcheck.json');
  quiet(visit);
  await visit.context.close();
  assert.deepEqual([results.by, results.records.length], ['Rita Reviewer', drawn.records]);
  assert.deepEqual([results.records[0].verdict, results.records[0].comment], ['wrong', comment]);
  assert.deepEqual([results.records[1].verdict, results.records[2].verdict], ['right', 'unsure']);

  const told = world.sound('spotcheck', 'record', 'spotcheck.json').events.find(({ type }) => type === 'spotcheck_tally');
  assert.deepEqual([told.judged, told.wrong], [drawn.records - 1, 1]);
  const shown = world.sound('spotcheck', 'show');
  assert.ok(shown.text.includes('Rita Reviewer'), shown.text);
});

test('results of another sample are refused', () => {
  const results = JSON.parse(readFileSync(world.path('spotcheck.json'), 'utf8'));
  results.digest = '0'.repeat(64);
  writeFileSync(world.path('other.json'), JSON.stringify(results));
  const ended = world.run('spotcheck', 'record', 'other.json');
  assert.equal(ended.code, 2);
});
