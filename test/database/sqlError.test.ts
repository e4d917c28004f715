/** What the driver really throws, provoked on a real server. */
import { strict as assert } from 'node:assert';
import pg from 'pg';
import { sqlError } from '../../src/database/sqlError.ts';
import { connect } from '../support/sqlImport.ts';
import { sharedStack } from '../support/stack.ts';

describe('what the database and its driver throw', function () {
  this.timeout(30_000);
  let databaseUrl: string;
  before(async () => ({ databaseUrl } = await sharedStack()));

  const thrown = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => assert.fail('nothing was thrown'),
      (error: unknown) => error,
    );
  const client = async (options: pg.ClientConfig = {}): Promise<pg.Client> => {
    const opened = new pg.Client({ connectionString: databaseUrl, ...options });
    opened.on('error', () => undefined);
    await opened.connect();
    return opened;
  };

  it('is tried again where it has no SQLSTATE', async () => {
    const sql = connect(databaseUrl);
    const found: unknown[] = [];

    const killed = await client();
    const [{ pid }] = (await killed.query<{ pid: number }>('select pg_backend_pid() as pid')).rows as [{ pid: number }];
    const broken = new Promise((resolve) => killed.once('end', resolve));
    await sql`SELECT pg_terminate_backend(${pid})`;
    await broken;
    found.push(await thrown(killed.query('commit')));

    const closed = await client();
    await closed.end();
    found.push(await thrown(closed.query('commit')));

    const slow = await client({ query_timeout: 20 });
    found.push(await thrown(slow.query('select pg_sleep(0.3)')));
    await slow.end();

    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: 1_000 });
    const held = await pool.connect();
    found.push(await thrown(pool.connect()));
    held.release();
    await pool.end();
    found.push(await thrown(pool.connect()));
    await sql.end();

    assert.deepEqual(
      found.map((error) => [(error as { code?: string }).code, sqlError(error).code, sqlError(error).retryable]),
      found.map(() => [undefined, 'DATABASE_UNAVAILABLE', true]),
      found.map((error) => (error as Error).message).join('; '),
    );
  });

  it('is a refusal only with a SQLSTATE, whatever words its message has', async () => {
    const open = await client({ idle_in_transaction_session_timeout: 1 });
    for (const [statement, code] of [
      ["select 'unterminated", 'DATABASE_REFUSED'],
      ['select 1/0', 'DATABASE_REFUSED'],
      [
        "do $$ begin raise exception 'the socket of max clients is terminated' using errcode = 'P0001'; end $$",
        'DATABASE_REFUSED',
      ],
      ["do $$ begin raise exception 'x' using errcode = '40003'; end $$", 'DATABASE_BUSY'],
      ["do $$ begin raise exception 'x' using errcode = '25P03'; end $$", 'DATABASE_BUSY'],
    ] as const)
      assert.equal(sqlError(await thrown(open.query(statement))).code, code, statement);
    await open.end();
  });

  it('is a fault of the program where the program is wrong, and of the API where that answers without a SQLSTATE', () => {
    assert.equal(sqlError(new TypeError('x is not a function')).code, 'INTERNAL');
    for (const [status, code] of [
      [0, 'DATABASE_UNAVAILABLE'],
      [400, 'DATABASE_UNAVAILABLE'],
      [404, 'DATABASE_UNAVAILABLE'],
      [429, 'DATABASE_UNAVAILABLE'],
      [502, 'DATABASE_UNAVAILABLE'],
      [401, 'DATABASE_DENIED'],
      [413, 'REQUEST_TOO_LARGE'],
    ] as const)
      assert.equal(sqlError({ code: '', message: '<html>' }, status).code, code, String(status));
    assert.equal(
      sqlError({ code: 'XX000', message: 'MaxClientsInSessionMode: max clients reached' }).code,
      'DATABASE_UNAVAILABLE',
    );
    assert.equal(sqlError({ code: 'XX000', message: 'cache lookup failed for type' }).code, 'DATABASE_REFUSED');
  });
});
