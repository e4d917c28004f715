/** What Supabase's own CLI makes of the migrations: an empty project by `db push`, types by `gen types`. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import type { Arguments, FunctionName } from '../../src/database/functions.ts';
import { migrate } from '../../src/database/migrate.ts';
import { listMigrations } from '../../src/database/migrations.ts';
import type { Database } from '../../supabase/database.types.ts';
import { generateTypes, supabase, TYPES } from '../../scripts/database-types.ts';
import { catalogOf } from '../support/catalog.ts';
import { connect } from '../support/sqlImport.ts';
import { createDatabase, sharedStack } from '../support/stack.ts';
import { createProject } from '../support/supabaseProject.ts';

type Generated = Database['ingest']['Functions'];
type ArgumentNames<F> = F extends { Args: infer A } ? (A extends unknown ? keyof A : never) : never;
/** Functions that Intake calls with arguments that the generated types do not have: none, or this file does not compile. */
type Misfits = {
  [N in FunctionName]: N extends keyof Generated
    ? Exclude<keyof Arguments<N>, ArgumentNames<Generated[N]>> extends never
      ? never
      : N
    : N;
}[FunctionName];
const misfits: readonly Misfits[] = [];

describe("Supabase's CLI", function () {
  this.timeout(120_000);

  it('generates from the migrated database the types that lie in supabase/database.types.ts, on which typed calls stand', async () => {
    const database = await createDatabase();
    try {
      assert.equal(await generateTypes(database.databaseUrl), readFileSync(TYPES, 'utf8'), 'npm run types');
    } finally {
      await database.drop();
    }
    assert.deepEqual(misfits, []);
  });

  it('makes an empty project by `db push` what `intake migrate` makes it, and then nothing is pending for either', async () => {
    const { adminUrl } = await sharedStack();
    const [pushed, migrated] = [await createProject(adminUrl), await createProject(adminUrl)];
    const [ofPush, ofMigrate] = [connect(pushed.databaseUrl), connect(migrated.databaseUrl)];
    try {
      await supabase('db', 'push', `--remote=${pushed.databaseUrl}`, '--yes');
      await migrate(migrated.databaseUrl);
      assert.deepEqual(await catalogOf(ofPush), await catalogOf(ofMigrate));
      assert.deepEqual(await migrate(pushed.databaseUrl, { check: true }), []);
      const versions = await ofPush`SELECT version FROM supabase_migrations.schema_migrations ORDER BY version`;
      assert.deepEqual(
        versions.map((row) => row['version'] as string),
        listMigrations().map(({ version }) => version),
      );
      const again = await supabase('db', 'push', `--remote=${migrated.databaseUrl}`, '--yes', '--dry-run');
      assert.doesNotMatch(again, /\d{14}_/);
    } finally {
      await Promise.all([ofPush.end(), ofMigrate.end()]);
      await pushed.drop();
      await migrated.drop();
    }
  });
});
