import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { wantedGateway } from '../../src/cli/session.ts';
import { ensureStack, readStack, stopStack } from '../../src/local/stack.ts';
import type { Stack } from '../../src/local/stack.ts';
import { commandLineOf, ended, identify } from '../../src/local/processes.ts';
import { readSettings } from '../../src/local/state.ts';
import { ANY_PORTS, makeStackFolder } from '../support/stack.ts';

const run = promisify(execFile);

describe('the embedded stack', function () {
  this.timeout(60_000);
  let dir: string;
  let stack: Stack;
  const up = (): Promise<Stack> => ensureStack({ dir, ports: ANY_PORTS, worker: false });

  before(async () => {
    dir = await makeStackFolder();
    stack = await up();
    await query(stack, 'CREATE TABLE kept (id integer)');
    await query(stack, 'INSERT INTO kept VALUES (7)');
    await withTemporal(stack, (client) =>
      client.workflow.start('anything', { taskQueue: 'nobody', workflowId: 'kept' }),
    );
  });
  after(async () => {
    await stopStack(dir);
    await rm(dir, { recursive: true, force: true });
  });

  const assertKept = async (): Promise<void> => {
    assert.deepEqual(await query(stack, 'SELECT id FROM kept'), [{ id: 7 }]);
    const status = await withTemporal(
      stack,
      async (client) => (await client.workflow.getHandle('kept').describe()).status.name,
    );
    assert.equal(status, 'RUNNING');
  };

  it('is one stack however often it is brought up', async () => {
    assert.deepEqual((await up()).pids, stack.pids);
  });

  it('is one stack when two processes bring it up at once', async () => {
    await stopStack(dir);
    assert.equal(await readStack(dir), undefined);
    const module = new URL('../../src/local/stack.ts', import.meta.url).href;
    const program = `const { ensureStack } = await import(${JSON.stringify(module)});
      const stack = await ensureStack(${JSON.stringify({ dir, ports: ANY_PORTS, worker: false })});
      console.log(JSON.stringify(stack.pids));`;
    const start = () => run(process.execPath, ['--input-type=module', '-e', program]);
    const [one, two] = await Promise.all([start(), start()]);
    assert.equal(one.stdout, two.stdout);
    stack = await up();
    assert.deepEqual(stack.pids, JSON.parse(one.stdout));
    await assertKept();
  });

  it('keeps its secrets to its owner', async () => {
    const modeOf = async (name: string): Promise<number> => (await stat(join(dir, name))).mode & 0o777;
    // Under root the server's user passes through the folder, and sees nothing in it.
    assert.equal(await modeOf('.'), process.getuid?.() === 0 ? 0o711 : 0o700);
    const open = [];
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      const mode = await modeOf(entry.name);
      if (mode !== (entry.isDirectory() ? 0o700 : 0o600)) open.push(`${entry.name} ${mode.toString(8)}`);
    }
    assert.deepEqual(open, []);
    const logs = await Promise.all(Object.values(stack.logs).map((log) => readFile(log, 'utf8').catch(() => '')));
    assert.ok(logs.every((log) => !log.includes(stack.serviceRoleKey)));
    assert.ok(
      Object.values(stack.pids).every((pid) => !commandLineOf(pid!).includes(new URL(stack.databaseUrl).password)),
    );
  });

  it('is repaired with its data after SIGKILL of everything at once', async () => {
    await kill(...Object.values(stack.pids));
    assert.equal(await readStack(dir), undefined);
    stack = await up();
    await assertKept();
  });

  it('is repaired after SIGKILL of the supervisor alone, leaving no orphan', async () => {
    const former = stack.pids;
    await kill(former.supervisor);
    stack = await up();
    assert.equal(commandLineOf(former.postgres!), '');
    assert.equal(commandLineOf(former.temporal!), '');
    await assertKept();
  });

  for (const name of ['postgres', 'temporal', 'api'] as const) {
    it(`restarts ${name} after SIGKILL without a command`, async () => {
      const former = stack.pids;
      await kill(former[name]);
      while ((await readStack(dir))?.pids[name] === undefined) await sleep(50);
      stack = await up();
      assert.notEqual(stack.pids[name], former[name]);
      assert.equal(stack.pids.supervisor, former.supervisor);
      await assertKept();
    });
  }

  it('starts although a killed server left busy backends and a postmaster.pid of a living stranger', async () => {
    const busy = query(stack, 'SELECT pg_sleep(300)').catch(() => undefined);
    const { postgres: place } = readSettings(dir)!;
    const stranger = execFile('sleep', ['60'], { ...place.user }); // PostgreSQL itself sees through another user's
    await sleep(200);
    await kill(stack.pids.supervisor, stack.pids.postgres);
    const pidFile = join(place.dataDir, 'postmaster.pid');
    await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(stranger.pid)));
    stack = await up();
    assert.equal(commandLineOf(stranger.pid!), 'sleep 60');
    stranger.kill();
    await busy;
    await assertKept();
  });

  it('comes up on other ports when its own are taken meanwhile, and with its data when stack.json is lost', async () => {
    await stopStack(dir);
    const taken = Number(new URL(stack.databaseUrl).port);
    const server = createServer().listen(taken, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    await rm(join(dir, 'stack.json'));
    const lines: string[] = [];
    const onStep = (line: string) => void lines.push(line);
    stack = await ensureStack({ dir, ports: { ...ANY_PORTS, postgres: taken }, worker: false, onStep });
    const port = Number(new URL(stack.databaseUrl).port);
    assert.notEqual(port, taken);
    assert.ok(lines.includes(`Port ${taken} is taken: PostgreSQL at ${port}`), lines.join('\n'));
    await assertKept();
    server.close();
  });

  it('has the same ports from start to start, the dashboard too, unless others are configured', async () => {
    const { ports } = readSettings(dir)!;
    await stopStack(dir);
    assert.equal(process.env['INTAKE_PORT'], undefined);
    stack = await ensureStack({ dir, ports: wantedGateway({ host: '127.0.0.1', port: 8787 }), worker: false });
    assert.deepEqual(readSettings(dir)!.ports, ports);
  });

  it('gives nobody who has its password a program of the host: the role of every part is no superuser', async () => {
    await assert.rejects(query(stack, "COPY kept FROM PROGRAM 'id'"), { code: '42501' });
    assert.deepEqual(await query(stack, OF_SUPERUSERS), []);
  });

  it('starts nothing for a page of another site: neither by Temporal UI, nor by the HTTP API of its server', async () => {
    assert.equal((await fetch(`${stack.temporalUi}/api/v1/namespaces`)).status, 200);
    const { port } = new URL(stack.temporalUi);
    assert.equal(await statusOf(Number(port), { host: `rebind.example:${port}` }), 403);
    assert.equal(await statusOf(Number(port), { host: `127.0.0.1:${port}`, origin: 'https://other.example' }), 403);
    assert.equal(await statusOf(Number(port), { host: `127.0.0.1:${port}`, origin: stack.temporalUi }), 200);
    const ports = await listeningPorts(stack.pids.temporal!);
    assert.ok(ports.length > 0);
    for (const number of ports) {
      const status = await statusOf(number, { host: `127.0.0.1:${number}` }).catch(() => undefined);
      assert.ok(status !== 200, `port ${number} of Temporal's server`);
    }
  });

  it('takes what a superuser owned in an earlier version, with its rows', async () => {
    const admin = { ...stack, databaseUrl: stack.adminUrl };
    await query(admin, 'ALTER DATABASE postgres OWNER TO postgres');
    await query(admin, 'REASSIGN OWNED BY intake_owner TO postgres');
    assert.notDeepEqual(await query(admin, OF_SUPERUSERS), []);
    await stopStack(dir);
    await writeFile(join(dir, 'stack.json'), JSON.stringify({ ...readSettings(dir), ownerPassword: undefined }));
    stack = await up();
    assert.deepEqual(await query(stack, OF_SUPERUSERS), []);
    await assertKept();
  });

  it('names the log of a part that does not come up', async () => {
    await stopStack(dir);
    await writeFile(join(dir, 'temporal.db'), 'not a database, '.repeat(1000));
    await rm(join(dir, 'temporal.db-wal'), { force: true });
    await assert.rejects(up(), { code: 'STACK_FAILED', message: /^temporal keeps ending: .*temporal\.log/ });
  });
});

/** Tables, views and functions of a superuser in schemas that are not PostgreSQL's own or an extension's. */
const OF_SUPERUSERS = `
  SELECT name FROM (
    SELECT oid, 'pg_class'::regclass AS class, relname AS name, relowner AS owner, relnamespace AS space FROM pg_class
    UNION ALL SELECT oid, 'pg_proc'::regclass, proname, proowner, pronamespace FROM pg_proc
    UNION ALL SELECT oid, 'pg_namespace'::regclass, nspname, nspowner, oid FROM pg_namespace
  ) o JOIN pg_roles r ON r.oid = o.owner AND r.rolsuper JOIN pg_namespace n ON n.oid = o.space
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')`;

/** Ports of 127.0.0.1 on which a process listens. */
async function listeningPorts(pid: number): Promise<number[]> {
  const open = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const sockets = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).matchAll(
    /: 0100007F:(\w{4}) \S+ 0A (?:\S+ +){5}(\d+) /g,
  );
  return [...sockets]
    .filter(([, , inode]) => links.includes(`socket:[${inode}]`))
    .map(([, port]) => parseInt(port!, 16));
}

const statusOf = (port: number, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/api/v1/namespaces', headers, timeout: 5_000 }, (answer) => {
      resolve(answer.resume().statusCode);
    }).on('error', reject);
  });

async function kill(...pids: (number | undefined)[]): Promise<void> {
  const targets = pids.flatMap((pid) => (pid === undefined ? [] : [identify(pid)!]));
  for (const { pid } of targets) process.kill(pid, 'SIGKILL');
  await ended(targets, 5_000);
}

async function query(stack: Stack, text: string): Promise<unknown[]> {
  const sql = postgres(stack.databaseUrl, { max: 1 });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function withTemporal<T>(stack: Stack, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: stack.temporal });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}
