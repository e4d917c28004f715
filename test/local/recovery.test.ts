/** A PostgreSQL that recovers from a crash is waited for by every command, and ended by none: its work is kept only when it gets to the end. */
import { strict as assert } from 'node:assert';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { postgresState } from '../../src/local/ports.ts';
import { findProcesses, identify } from '../../src/local/processes.ts';
import { recoveryProgress } from '../../src/local/recovery.ts';
import { ensureStack, stopStack } from '../../src/local/stack.ts';
import type { Stack } from '../../src/local/stack.ts';
import { awaitStack } from '../../src/local/start.ts';
import { readSettings, readSupervisor, stackTag } from '../../src/local/state.ts';
import { ANY_PORTS, makeStackFolder } from '../support/stack.ts';

describe('a PostgreSQL that recovers from a crash', function () {
  this.timeout(60_000);

  it('is waited for beyond every limit by whoever starts, mends or stops the stack, with its progress', async () => {
    const dir = await makeStackFolder();
    const up = (onStep?: (line: string) => void): Promise<Stack> =>
      ensureStack({ dir, ports: ANY_PORTS, worker: false, ...(onStep && { onStep }) });
    const stack = await up();
    const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => undefined });
    await sql`CREATE TABLE kept AS SELECT generate_series(1, 400000) AS id`;
    await sql.end();
    process.kill(stack.pids.postgres!, 'SIGKILL');
    const startup = await stopped(stackTag(dir));
    const server = readSupervisor(dir)?.children.postgres?.process;
    const lines: string[] = [];
    const started = { supervisor: readSupervisor(dir)!.supervisor, marks: {} };
    const [limited, mended] = [awaitStack(dir, started, 1_000, () => undefined), up((line) => lines.push(line))];
    const down = sleep(500).then(() => stopStack(dir, (line) => lines.push(line)));
    await sleep(5_000);
    assert.equal(await postgresState(readSettings(dir)!.ports.postgres), 'starting');
    assert.deepEqual(identify(server!.pid), server);
    assert.match(lines[0]!, /^PostgreSQL recovers from a crash: \d+% /);
    process.kill(startup, 'SIGCONT');
    assert.equal(await limited, undefined);
    assert.equal((await mended).pids.postgres, server!.pid);
    await down;
    rmSync(dir, { recursive: true, force: true });
  });

  it('says how far it is, from its log and the end of what it wrote ahead', async () => {
    const dir = await makeStackFolder();
    const wal = join(dir, 'pg_wal');
    mkdirSync(wal);
    // Ten segments of 16 MB; the one behind them was made in advance.
    for (const [name, age] of [
      ['000000010000000000000009', 0],
      ['00000001000000000000000F', 60],
    ] as const) {
      writeFileSync(join(wal, name), '');
      utimesSync(join(wal, name), Date.now() / 1000 - age, Date.now() / 1000 - age);
    }
    const log = join(dir, 'postgres.log');
    const said = (...text: string[]): string => {
      writeFileSync(log, `${text.join('\n')}\n`);
      return /\d+%/.exec(recoveryProgress(dir, log))![0];
    };
    const progress = (lsn: string) => `LOG:  redo in progress, elapsed time: 2.00 s, current LSN: ${lsn}`;
    assert.equal(said('LOG:  database system was interrupted'), '0%');
    assert.equal(said('LOG:  redo starts at 0/0', progress('0/2000000'), progress('0/5000000')), '50%');
    assert.equal(
      said('redo starts at 0/0', progress('0/9000000'), 'redo starts at 0/5000000', progress('0/6000000')),
      '20%',
    );
    assert.equal(said('LOG:  redo starts at 0/0', progress('0/FF00000')), '99%');
    rmSync(dir, { recursive: true, force: true });
  });
});

/** Stops the process that applies the log, as a slow disk would. */
async function stopped(tag: string): Promise<number> {
  for (;;) {
    const [found] = findProcesses((line) => line.startsWith(`postgres: ${tag}: startup`));
    if (found) {
      process.kill(found.pid, 'SIGSTOP');
      return found.pid;
    }
    await sleep(2);
  }
}
