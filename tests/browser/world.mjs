// A migration up to its proposal, against both stand-ins, with the program itself.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const program = process.env.DESKFERRY;
const SECRETS = { LEADDESK_AUTH: 'a', LEADDESK_CLIENT_ID: 'b', LEADDESK_CLIENT_SECRET: 'c', GORGIAS_API_KEY: 'd' };

export class World {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'deskferry-browser-'));
    this.twins = [];
  }

  path(name) { return join(this.folder, name); }

  // Runs a command to its end and gives back its exit code, its events and what it said.
  run(...line) {
    const ended = spawnSync(program, ['--json', '--no-input', ...line], {
      cwd: this.folder, env: { ...process.env, ...SECRETS }, encoding: 'utf8',
    });
    if (ended.error) throw ended.error;
    const events = ended.stdout.split('\n').filter(Boolean).map((text) => JSON.parse(text));
    return { code: ended.status, events, text: ended.stderr };
  }

  sound(...line) {
    const ended = this.run(...line);
    if (ended.code !== 0) throw new Error(`${line.join(' ')} ended with ${ended.code}: ${ended.text}`);
    return ended;
  }

  async twin(system, ...more) {
    const line = ['--json', 'twin', system, '--listen', '127.0.0.1:0', '--seed', '5', '--contacts', '40', '--calls', '40'];
    const child = spawn(program, [...line, ...more], { cwd: this.folder, env: { ...process.env, ...SECRETS }, stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.twins.push(child);
    for await (const text of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(text);
      if (url) return url;
    }
    throw new Error(`the stand-in of ${system} ended`);
  }

  async proposed() {
    const leaddesk = await this.twin('leaddesk', '--files', 'operator-files');
    const gorgias = await this.twin('gorgias', '--bucket', '4000/20', '--time-scale', '20');
    this.sound('init', '--migration', 'acme');
    const changes = [
      ['https://api.leaddesk.com', leaddesk], ['https://restapi-nor.leaddesk.com/stable', `${leaddesk}/stable`],
      ['https://acme.gorgias.com', gorgias], ['bucket = "40/20"', 'bucket = "4000/1"'],
      ['# destination = "EU"', 'destination = "EU"'],
      ['default_region = "FI"', 'default_region = "FI"\nrequests_per_second = 1000'],
    ];
    let config = readFileSync(this.path('migration.toml'), 'utf8');
    for (const [from, to] of changes) {
      if (!config.includes(from)) throw new Error(`migration.toml does not hold ${from}`);
      config = config.replace(from, to);
    }
    writeFileSync(this.path('migration.toml'), config);
    this.sound('discover');
    this.sound('map', 'propose');
  }

  // A whole migration, and a spot check of it; gives back the name of its page.
  async spotChecked() {
    await this.proposed();
    const ran = this.run('run', '--yes');
    // Some records are refused on purpose.
    if (![0, 4].includes(ran.code)) throw new Error(`run ended with ${ran.code}: ${ran.text}`);
    const drawn = this.sound('spotcheck', 'new', '--seed', '7').events.find(({ type }) => type === 'spotcheck');
    return { page: join('run', drawn.page), records: drawn.records.length };
  }

  end() {
    for (const twin of this.twins) twin.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
