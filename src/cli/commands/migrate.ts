/** `intake migrate`: brings the database up to date, or says what is pending. */
import type { Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { KINDS } from '../../kinds/index.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';

interface Flags extends CommonOptions {
  readonly check?: boolean;
}

export function define(program: Command): void {
  addCommand(program, 'migrate', 'Apply the migrations, or list what is pending', 'intake migrate --env prod --check')
    .option('--check', 'only list what is pending; exit code 1 when something is')
    .action(run(migrateCommand));
}

async function migrateCommand({ options, out, open }: Call<Flags>): Promise<number> {
  const { config } = await open({ creates: !options.check });
  if (!config.databaseUrl) {
    throw new IntakeError('CONFIG_INVALID', 'Migrations need DATABASE_URL', {
      remedy: 'Set it, or apply supabase/migrations with the Supabase CLI.',
    });
  }
  const [{ migrate }, { sqlError }] = await Promise.all([
    import('../../database/migrate.ts'),
    import('../../database/sqlError.ts'),
  ]);
  const check = options.check ?? false;
  const kinds = KINDS.map(({ name }) => name);
  const migrations = await migrate(config.databaseUrl, { check, kinds, onStep: out.note }).catch((error: unknown) => {
    throw sqlError(error);
  });
  out.document({ [check ? 'pending' : 'applied']: migrations.map(({ version, name }) => ({ version, name })) });
  for (const { version, name } of migrations) out.answer(`${check ? 'Pending' : 'Applied'}: ${version}_${name}`);
  if (migrations.length === 0) out.answer('The database is up to date.');
  return check && migrations.length > 0 ? 1 : 0;
}
