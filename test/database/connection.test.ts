/** DATABASE_URL, TLS and poolers as they answer. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { rm } from 'node:fs/promises';
import { postgresBackend } from '../../src/database/backends/postgres.ts';
import { openConnection } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { sqlError } from '../../src/database/sqlError.ts';
import { IntakeError, type ErrorCode } from '../../src/errors.ts';
import { makeCertificates, type Certificates } from '../support/hosted/certificates.ts';
import { startDatabaseFront, type DatabaseFront } from '../support/hosted/databaseFront.ts';
import { startTransactionPooler } from '../support/hosted/transactionPooler.ts';
import { createDatabase, type TestDatabase } from '../support/stack.ts';

describe('a connection to the database', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let certificates: Certificates;
  let fronts: Record<'plain' | 'right' | 'foreign' | 'tlsOnly', DatabaseFront>;

  before(async () => {
    database = await createDatabase();
    certificates = await makeCertificates();
    const front = (options = {}) => startDatabaseFront(database.databaseUrl, options);
    const { right, foreign } = certificates;
    const tlsOnly = { code: '28000', message: 'no pg_hba.conf entry for host "127.0.0.1", user "x", no encryption' };
    fronts = {
      plain: await front(),
      right: await front({ tls: right }),
      foreign: await front({ tls: foreign }),
      tlsOnly: await front({ tls: right, tlsOnly }),
    };
  });
  after(async () => {
    for (const front of Object.values(fronts)) await front.stop();
    await rm(dirname(certificates.caFile), { recursive: true });
    await database.drop();
  });

  /** Which way it comes in: encrypted, in plain text, or the code that it ends with. */
  async function way(front: DatabaseFront, parameters: string, host?: string): Promise<string> {
    const before = { ...front.logins };
    try {
      await (await openConnection(front.url(parameters, host))).end();
    } catch (error) {
      assert.ok(error instanceof IntakeError, String(error));
      return error.code;
    }
    return front.logins.tls > before.tls ? 'tls' : 'plain';
  }

  it('means by sslmode what libpq means', async () => {
    const ca = `&sslrootcert=${certificates.caFile}`;
    const table: readonly (readonly [parameters: string, plain: string, right: string, foreign: string])[] = [
      ['sslmode=disable', 'plain', 'plain', 'plain'],
      ['sslmode=prefer', 'plain', 'tls', 'tls'],
      ['sslmode=require', 'DATABASE_TLS', 'tls', 'tls'],
      [`sslmode=require${ca}`, 'DATABASE_TLS', 'tls', 'tls'],
      ['sslmode=verify-ca', 'DATABASE_TLS', 'DATABASE_TLS', 'DATABASE_TLS'],
      [`sslmode=verify-ca${ca}`, 'DATABASE_TLS', 'tls', 'tls'],
      [`sslmode=verify-full${ca}`, 'DATABASE_TLS', 'tls', 'DATABASE_TLS'],
      ['sslmode=verify-full&sslrootcert=system', 'DATABASE_TLS', 'DATABASE_TLS', 'DATABASE_TLS'],
    ];
    const found = [];
    for (const [parameters] of table)
      found.push([
        parameters,
        await way(fronts.plain, parameters),
        await way(fronts.right, parameters),
        await way(fronts.foreign, parameters),
      ]);
    assert.deepEqual(found, table);
  });

  it('takes the authority from PGSSLROOTCERT, too', async () => {
    assert.equal(await way(fronts.right, 'sslmode=verify-full'), 'DATABASE_TLS');
    process.env['PGSSLROOTCERT'] = certificates.caFile;
    try {
      assert.equal(await way(fronts.right, 'sslmode=verify-full'), 'tls');
    } finally {
      delete process.env['PGSSLROOTCERT'];
    }
  });

  it('is the same for the backend and for migrations', async () => {
    const { tlsOnly } = fronts;
    const url = tlsOnly.url(`sslmode=verify-full&sslrootcert=${certificates.caFile}`);
    assert.deepEqual(await migrate(url, { check: true }), []);
    const backend = postgresBackend({ databaseUrl: url, objectsDir: '/nowhere' });
    await backend.call('health', {});
    await backend.close();
    assert.equal(tlsOnly.logins.plain, 0);
    await assert.rejects(migrate(fronts.foreign.url(`sslmode=verify-full&sslrootcert=${certificates.caFile}`)), {
      code: 'DATABASE_TLS',
    });
  });

  it('says of refused TLS the host, the certificate and what to do', async () => {
    const ca = `sslmode=verify-full&sslrootcert=${certificates.caFile}`;
    for (const [front, parameters, words] of [
      [
        fronts.right,
        'sslmode=verify-full',
        /not trusted.*127\.0\.0\.1.*localhost.*issued by Intake Test CA, valid until.*sslrootcert=FILE/s,
      ],
      [fronts.foreign, ca, /not trusted.*db\.example\.test/s],
      [fronts.plain, 'sslmode=require', /speaks no TLS.*127\.0\.0\.1.*sslmode=disable/s],
      [fronts.tlsOnly, 'sslmode=disable', /encrypted connections only.*Remove sslmode=disable/s],
    ] as const)
      await assert.rejects(openConnection(front.url(parameters)), (error: IntakeError) => {
        assert.equal(error.code, 'DATABASE_TLS');
        assert.match(`${error.message}. ${error.remedy}`, words);
        return true;
      });
  });

  it('waits for a pooler that has no place, and is refused by one that does not let it in', async () => {
    const { plain } = fronts;
    const cases: readonly (readonly [code: string, message: string, expected: ErrorCode, words: RegExp])[] = [
      [
        'XX000',
        '(EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15',
        'DATABASE_UNAVAILABLE',
        /no free connection.*Fewer workers.*6543/s,
      ],
      [
        'XX000',
        'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size',
        'DATABASE_UNAVAILABLE',
        /6543/,
      ],
      ['XX000', '(EMAXCONN) max client connections reached, limit: 200', 'DATABASE_UNAVAILABLE', /6543/],
      [
        'XX000',
        '(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 60000ms in session mode',
        'DATABASE_UNAVAILABLE',
        /6543/,
      ],
      ['XX000', 'Unable to check out process from the pool due to timeout', 'DATABASE_UNAVAILABLE', /6543/],
      ['XX000', '(ECIRCUITBREAKER) too many authentication errors', 'DATABASE_UNAVAILABLE', /circuit breaker/],
      [
        'XX000',
        '(EDBHANDLEREXITED) connection to database closed. Check logs for more information',
        'DATABASE_UNAVAILABLE',
        /lost the database/,
      ],
      ['XX000', '{:error, :db_termination}', 'DATABASE_UNAVAILABLE', /lost the database/],
      [
        'XX000',
        '(EPOOLTERMINATING) pool terminating: the database system is shutting down',
        'DATABASE_UNAVAILABLE',
        /lost/,
      ],
      ['XX000', '(ESSLREQUIRED) SSL connection is required for user: postgres.abc', 'DATABASE_TLS', /sslmode=disable/],
      [
        'XX000',
        '(EADDRNOTALLOWED) address not in tenant allow_list: {127, 0, 0, 1}',
        'DATABASE_DENIED',
        /network restrictions/,
      ],
      ['XX000', '(ENOTFOUND) tenant/user postgres.abc not found', 'DATABASE_DENIED', /postgres\.<project-ref>/],
      ['08P01', 'no more connections allowed (max_client_conn)', 'DATABASE_UNAVAILABLE', /6543/],
      ['08P01', 'query_wait_timeout', 'DATABASE_UNAVAILABLE', /6543/],
      ['53300', 'sorry, too many clients already', 'DATABASE_UNAVAILABLE', /./],
      ['28P01', 'password authentication failed for user "postgres"', 'DATABASE_DENIED', /password/],
    ];
    const backend = postgresBackend({ databaseUrl: plain.url(), objectsDir: '/nowhere' });
    for (const [code, message, expected, words] of cases) {
      plain.refuse({ code, message }, 1);
      await assert.rejects(
        backend.call('health', {}),
        (error: IntakeError) => {
          assert.equal(error.code, expected, message);
          assert.match(`${error.message}. ${error.remedy}`, words, message);
          if (/CIRCUIT/.test(message)) assert.ok(error.retryAfterMs! >= 10_000);
          return true;
        },
        message,
      );
    }
    await backend.call('health', {});
    await backend.close();
  });

  it('goes on without prepared statements once a pooler keeps none, whatever its port', async () => {
    const pooler = await startTransactionPooler(database.databaseUrl);
    const backend = postgresBackend({ databaseUrl: pooler.url, objectsDir: '/nowhere' });
    try {
      for (let round = 0; round < 4; round++) {
        const answers = await Promise.all([1, 2, 3, 4, 5].map(() => backend.call('health', {})));
        assert.ok(answers.every(({ version }) => /^1\d/.test(version)));
        assert.equal(await backend.call('heartbeat_import_run', { run_id: randomUUID() }), false);
      }
    } finally {
      await backend.close();
      await pooler.stop();
    }
  });

  it('says where there is no answer: DNS, a refused port, a host that only IPv6 reaches', async () => {
    for (const [host, words] of [
      [
        'no-such-host.invalid:5432',
        /cannot be resolved: no-such-host\.invalid \((ENOTFOUND|EAI_AGAIN)\).*DATABASE_URL/s,
      ],
      ['127.0.0.1:1', /takes no connection at 127\.0\.0\.1:1 \(ECONNREFUSED\).*firewall/s],
    ] as const)
      await assert.rejects(openConnection(`postgresql://u:secret@${host}/d?sslmode=require`), (error: IntakeError) => {
        assert.equal(error.code, 'DATABASE_UNAVAILABLE');
        assert.match(`${error.message}. ${error.remedy}`, words);
        return true;
      });
    const host = 'db.abcdefghijklmnopqrst.supabase.co';
    for (const error of [
      { code: 'ENETUNREACH', address: '2a05:d014::1', port: 5432 },
      { code: 'ENOTFOUND', hostname: host },
      Object.assign(new AggregateError([{ code: 'ENETUNREACH', address: '2a05:d014::1', port: 5432 }]), {
        code: 'ENETUNREACH',
      }),
    ])
      assert.match(sqlError(error, undefined, host).message, /IPv6 alone.*db\.abcdefghijklmnopqrst/);
  });
});
