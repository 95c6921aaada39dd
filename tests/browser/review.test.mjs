// The review page as a person uses it: opened from a file, without a network, by pointer and by keyboard.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { World } from './world.mjs';
import { LOOKS, accessible, launched, quiet, visited } from './pages.mjs';

const world = new World();
let browser;

before(async () => {
  await world.proposed();
  browser = await launched();
});

after(async () => {
  await browser?.close();
  world.end();
});

const opened = (options = {}, file = 'mapping.html') => visited(browser, world.path(file), options);

const row = (page, id) => page.locator(`article[data-row="${id}"]`);
const way = (page, id, name) => row(page, id).getByRole('radio', { name });

async function downloaded(page, name, file = 'decisions.json') {
  await page.getByLabel('Your name').fill(name);
  const [download] = await Promise.all([
    page.waitForEvent('download'), page.getByRole('button', { name: 'Download decisions' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'decisions.json');
  await download.saveAs(world.path(file));
  return JSON.parse(readFileSync(world.path(file), 'utf8'));
}

// Ids of rows by what the page says of them.
async function ids(page, selector) {
  return page.locator(selector).evaluateAll((rows) => rows.map((one) => one.dataset.row));
}

test('the page is written, and is the same each time', () => {
  world.sound('map', 'review');
  const first = readFileSync(world.path('mapping.html'));
  world.sound('map', 'review');
  assert.deepEqual(readFileSync(world.path('mapping.html')), first);
});

for (const [name, options] of Object.entries(LOOKS)) {
  test(`nothing that axe finds is serious: ${name}`, async () => {
    const visit = await opened(options);
    const { page } = visit;
    // With decisions open too, since they bring controls of their own.
    const open = await ids(page, 'article[data-state="open"]');
    await way(page, open[0], 'something else').check();
    const slots = await ids(page, 'article[data-takes="carry leave"]');
    await way(page, slots[0], 'leave it out').check();
    await accessible(page);
    await page.screenshot({ path: `review-${name.replaceAll(' ', '-')}.png` });
    quiet(visit);
    await visit.context.close();
  });
}

test('without JavaScript the page reads as a document', async () => {
  const visit = await opened({ javaScriptEnabled: false });
  const { page } = visit;
  await assert.doesNotReject(page.getByText('Without JavaScript this page can be read').waitFor());
  const rows = page.locator('article.row');
  assert.ok((await rows.count()) > 50);
  assert.ok(await rows.first().isVisible());
  assert.equal(await page.locator('#sign').isVisible(), false);
  assert.deepEqual(visit.requests, []);
  await visit.context.close();
});

test('rows are accepted, changed and left out, and what was downloaded is imported', async () => {
  const visit = await opened();
  const { page } = visit;
  const open = await ids(page, 'article[data-state="open"]');
  const slots = await ids(page, 'article[data-state="carried"][data-takes="carry leave"]');
  const named = await ids(page, 'article[data-takes="rename leave"]');
  assert.ok(open.length >= 2 && slots.length >= 3 && named.length >= 1, 'the account has such rows');

  // A decision that lacks something cannot be downloaded.
  await way(page, open[0], 'something else').check();
  await row(page, open[0]).getByLabel('What instead').selectOption('placeholder');
  await page.getByLabel('Your name').fill('Rita Reviewer');
  await page.getByRole('button', { name: 'Download decisions' }).click();
  assert.match(await page.getByRole('alert').textContent(), /is not complete/);
  assert.equal(await row(page, open[0]).getByLabel('Reason').getAttribute('aria-invalid'), 'true');
  await row(page, open[0]).getByLabel('Reason').fill('left the company');

  // A user of Gorgias, by the list of the account.
  await way(page, open[1], 'something else').check();
  await row(page, open[1]).getByLabel('What instead').selectOption('user');
  const user = await page.locator('#list-user option').first().getAttribute('value');
  await row(page, open[1]).getByLabel('Id at Gorgias').fill(user);

  await way(page, slots[0], 'accept what is proposed').check();
  await row(page, slots[0]).getByLabel('Comment').fill('checked “twice”\n</script><script>document.title = 1</script>');
  await way(page, slots[1], 'leave it out').check();
  await row(page, slots[1]).getByLabel('Reason').fill('nobody uses it');
  await way(page, slots[2], 'something else').check();
  await row(page, slots[2]).getByLabel('What it is needed for').fill('support');
  await row(page, slots[2]).getByLabel('Where').selectOption('new-field');
  await row(page, slots[2]).getByLabel('Label', { exact: true }).fill('Seen by agents');
  await way(page, named[0], 'something else').check();
  await row(page, named[0]).getByLabel('Name', { exact: true }).fill('<img src=x onerror=alert(1)>');

  const decisions = await downloaded(page, 'Rita Reviewer');
  quiet(visit);
  await visit.context.close();
  const by = Object.fromEntries(decisions.rows.map((one) => [one.row, one]));
  assert.equal(decisions.rows.length, 6);
  assert.deepEqual([by[open[0]].choice, by[open[0]].reason], ['placeholder', 'left the company']);
  assert.deepEqual([by[open[1]].choice, by[open[1]].value], ['user', user]);
  assert.deepEqual([by[slots[0]].choice, by[slots[0]].seen], ['', true]);
  assert.deepEqual([by[slots[1]].choice, by[slots[1]].reason], ['leave', 'nobody uses it']);
  assert.deepEqual([by[slots[2]].into, by[slots[2]].value], ['new-field', 'Seen by agents']);

  const imported = world.sound('map', 'import', 'decisions.json').events.find(({ type }) => type === 'mapping_imported');
  assert.deepEqual([imported.number, imported.by, imported.differences.length], [1, 'Rita Reviewer', 6]);
  assert.ok(imported.outcomes.length >= 5, 'it says what comes of it');
  const again = world.sound('map', 'import', 'decisions.json').events.find(({ type }) => type === 'mapping_imported');
  assert.deepEqual([again.number, again.differences.length], [1, 0]);
  world.sound('map', 'export', '--format', 'toml');
  const toml = readFileSync(world.path('mapping.toml'), 'utf8');
  for (const part of ['left the company', 'nobody uses it', 'Seen by agents', '</script>']) assert.ok(toml.includes(part), part);
});

test('the next page shows what was said, and foreign text is only text', async () => {
  world.sound('map', 'review');
  const visit = await opened();
  const { page } = visit;
  assert.match(await page.title(), /^Mapping of acme/);
  assert.equal(await page.locator('main img').count(), 0);
  assert.ok((await page.getByText('left the company').count()) >= 1);
  assert.ok((await page.getByText('With all answers so far').count()) >= 1);
  // Without a change the page gives back exactly what it was given.
  const { rows, answers } = await downloaded(page, 'Rita Reviewer', 'again.json');
  assert.equal(answers, 1);
  const before = JSON.parse(readFileSync(world.path('decisions.json'), 'utf8'));
  assert.deepEqual(rows, before.rows);
  const same = world.sound('map', 'import', 'again.json').events.find(({ type }) => type === 'mapping_imported');
  assert.equal(same.differences.length, 0);
  quiet(visit);
  await visit.context.close();
});

test('decisions for another proposal are refused by the page and by the program', async () => {
  const decisions = JSON.parse(readFileSync(world.path('again.json'), 'utf8'));
  decisions.proposal = '0'.repeat(64);
  writeFileSync(world.path('other.json'), JSON.stringify(decisions));
  const ended = world.run('map', 'import', 'other.json');
  assert.equal(ended.code, 2);
  assert.deepEqual(ended.events.filter(({ type }) => type === 'fault').map(({ code }) => code), ['REV102']);
  const visit = await opened();
  const load = visit.page.getByLabel('Go on with decisions that you downloaded before');
  await load.setInputFiles(world.path('other.json'));
  await visit.page.getByText('These decisions were made for another proposal').waitFor();
  await load.setInputFiles(world.path('again.json'));
  await visit.page.waitForFunction(() => document.getElementById('reviewer').value === 'Rita Reviewer');
  quiet(visit);
  await visit.context.close();
});

test('all of it works by keyboard, and what was accepted together can be undone', async () => {
  const visit = await opened();
  const { page } = visit;
  const focused = () => page.evaluate(() => document.activeElement.dataset.row || document.activeElement.id || document.activeElement.textContent);
  await page.getByRole('button', { name: 'Go to the next row to decide' }).focus();
  await page.keyboard.press('Enter');
  const first = await focused();
  assert.equal(await row(page, first).count(), 1, `a row has the focus, not ${first}`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  assert.ok(await way(page, first, 'accept what is proposed').isChecked());
  await page.keyboard.press('Tab');
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await row(page, first).getByLabel('Comment').inputValue(), 'by keyboard');
  const second = await focused();
  assert.ok(second !== first && (await row(page, second).count()) === 1, 'the next row has the focus');

  const seen = async () => Number((await page.locator('#progress').textContent()).split(' ')[0]);
  const before = await seen();
  await page.getByRole('button', { name: 'Accept all with a confidence' }).press('Enter');
  assert.ok((await seen()) > before);
  await page.getByRole('button', { name: 'Undo that' }).press('Enter');
  assert.equal(await seen(), before);

  await page.locator('#filter-state').selectOption('open');
  const shown = await page.locator('article.row:visible').count();
  assert.ok(shown > 0 && shown < (await page.locator('article.row').count()));
  assert.match(await page.locator('#filter-count').textContent(), new RegExp(`^${shown} of`));
  await page.locator('#filter-state').selectOption('all');
  await page.locator('#filter-text').fill('no row holds this');
  assert.equal(await page.locator('article.row:visible').count(), 0);
  quiet(visit);
  await visit.context.close();
});
