import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { load } from 'js-yaml';
import { SEARCH_ATTRIBUTES } from '../../src/messages/attributes.ts';
import { configVariables, projectFile } from './environment.ts';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly restart?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
}

describe('the image', () => {
  it('has every folder beside src that the code reads', () => {
    const source = readdirSync(new URL('../../src/', import.meta.url), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts'),
    );
    const read = new Set(
      source.flatMap((file) =>
        [...projectFile(`src/${file}`).matchAll(/new URL\([`'](?:\.\.\/)+([\w-]+(?:\/(?:migrations|bridge))?)\//g)].map(
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
  const compose = load(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
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

  it('asks only for variables that .env.example shows', () => {
    const asked = new Set([...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, variable]) => variable as string));
    assert.ok(asked.has('POSTGRES_PASSWORD'));
    const example = projectFile('.env.example');
    assert.deepEqual(
      [...asked].filter((variable) => !new RegExp(`^#?${variable}=`, 'm').test(example)),
      [],
    );
  });

  it('binds every port to 127.0.0.1', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    assert.ok(ports.length > 0);
    assert.deepEqual(
      ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port)),
      [],
    );
  });

  it('lets the worker scale: no fixed name or port, one object folder on a volume for all', () => {
    const { worker } = compose.services;
    assert.ok(worker && !('container_name' in worker) && worker.ports === undefined);
    const folder = worker.environment?.['INTAKE_OBJECTS_DIR'] ?? '';
    const mount = worker.volumes?.find((volume) => folder.startsWith(volume.split(':')[1] as string));
    assert.ok(mount !== undefined && (mount.split(':')[0] as string) in compose.volumes);
  });
});
