/** A batch of 5,000 rows into 50,000 projects of a tenant, with directories of 40 and of 400 names (runbook 003). */
import { gateway, loop, merge, replay, replayElsewhere } from '../contenders/projects.ts';
import type { Counts } from '../contenders/contender.ts';
import { unknownRows } from '../generators/projects.ts';
import type { Subject } from './subject.ts';

const COUNTS = `
select jsonb_build_object(
  'projects', (select count(*) from public.projects), 'anomalies', (select count(*) from public.import_anomalies),
  'premises', (select sum(premises_count) from public.projects),
  'org members', (select count(*) from public.project_membership where member_partner_org_id is not null),
  'user members', (select count(*) from public.project_membership where member_user_id is not null)) as counts`;

export const projects: Subject = {
  name: 'projects',
  kind: 'projects',
  unit: 'rows',
  rows: 5000,
  contenders: [loop(40), merge(40), loop(400), merge(400), gateway, replayElsewhere, replay],
  ratios: [{ head: 'rate / loop', contender: (name) => `loop-${name.split('-').at(-1)}`, of: 'rate' }],
  filesOf: async () => ({ file: '', cleanedFile: '' }), // made in memory
  expected: (rows) => ({ projects: 50_000, anomalies: unknownRows(rows) }),
  async count(database) {
    const { rows } = await database.query<{ counts: Counts }>(COUNTS);
    return rows[0]!.counts;
  },
};
