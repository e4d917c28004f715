import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { csvOf, samples } from '../../scripts/make-samples.ts';
import { schemaOf } from '../../src/cli/commands/schema.ts';
import { projects } from '../../src/kinds/projects.ts';
import { rowFrom, rowsOf, staged } from './vendorFiles.ts';

const read = (cells: Record<string, string>) =>
  staged(projects, rowFrom(projects, { stage_application: 'STG-1', ...cells }));
const faultOf = (cells: Record<string, string>) => {
  const { error, column } = rowFrom(projects, { stage_application: 'STG-1', ...cells });
  return [error, column];
};

describe('kind projects', () => {
  it('reads every column, whatever the case, spaces, - and _ of its header', () => {
    const header =
      'Stage Application,delivery-partner,DeveloperClass,Relationship_Manager,RM preferred username,deploymentSpecialist,Residential,COMMERCIAL,' +
      'essential,premises-count,stageApplicationCreated,Address,EFSCD,Development Type,build_type,FOD ID,latitude,Longitude\n';
    const line =
      ' STG-000000000001 ,Fulton & Co,Class 2,First Last,RM_A,DS_A,45,5,,50,2025-04-01,"1 Elm St, Elm",31/12/2025,Subdivision,MDU,F-7,-34.9,+138.60\n';
    const [row] = rowsOf(projects, header + line);
    assert.equal(row?.error, undefined);
    assert.deepEqual(staged(projects, row!.row), {
      stage_application: 'STG-000000000001',
      delivery_partner: 'Fulton & Co',
      developer_class: 'Class 2',
      relationship_manager: 'First Last',
      rm_preferred_username: 'RM_A',
      deployment_specialist: 'DS_A',
      address: '1 Elm St, Elm',
      development_type: 'Subdivision',
      build_type: 'MDU',
      fod_id: 'F-7',
      stage_application_created: '2025-04-01',
      efscd: '2025-12-31',
      latitude: '-34.9',
      longitude: '+138.60',
      residential: '45',
      commercial: '5',
      essential: '0',
      premises_count: '50',
      lacks: null,
    });
  });

  it('needs stage_application, in the header and in every row', () => {
    assert.throws(() => rowsOf(projects, 'delivery_partner,address\na,b\n'), {
      code: 'MISSING_COLUMNS',
      message: /Missing required columns: \{'stage_application'\}/,
    });
    assert.deepEqual(faultOf({ stage_application: ' \u00a0' }), ['MISSING_VALUE', 'stage_application']);
    assert.deepEqual(schemaOf(projects), { ...schemaOf(projects), required: ['stage_application'] });
  });

  it('takes whole counts from 0 on, and a blank for 0; anything else is a reject', () => {
    assert.deepEqual(
      ['', ' ', '0', '007', '12.0', '999999999'].map((residential) => read({ residential })['residential']),
      ['0', '0', '0', '7', '12', '999999999'],
    );
    for (const value of ['-1', '1.5', '1,200', '1.000', '1e3', 'many', '1000000000', '١'])
      assert.deepEqual(faultOf({ essential: value }), ['BAD_COUNT', 'essential'], value);
  });

  it('takes dates with the day first, or in the order that is asked for, and no date that does not exist', () => {
    assert.deepEqual(
      [read({ eFscd: '13/04/2025' })['efscd'], read({ eFscd: 'N/A' })['efscd'], read({})['stage_application_created']],
      ['2025-04-13', null, null],
    );
    assert.deepEqual(faultOf({ eFscd: '04/13/2025' }), ['BAD_DATE', 'eFscd']);
    assert.deepEqual(faultOf({ stage_application_created: '2025-02-30' }), ['BAD_DATE', 'stage_application_created']);
    const monthFirst = projects.row((column) => ({ stage_application: 'S', eFscd: '04/13/2025' })[column], {
      sourceSystem: 'T',
      dateOrder: 'mdy',
    });
    assert.equal(staged(projects, monthFirst)['efscd'], '2025-04-13');
  });

  it('takes degrees that exist', () => {
    assert.deepEqual(
      [read({ latitude: '-90' })['latitude'], read({ longitude: '180.0' })['longitude'], read({})['latitude']],
      ['-90', '180.0', null],
    );
    for (const [column, value] of [
      ['latitude', '90.1'],
      ['longitude', '-181'],
      ['latitude', 'south'],
      ['longitude', '1e2'],
      ['latitude', '34,9'],
      ['latitude', '90.00000000000000000001'],
    ]) {
      assert.deepEqual(faultOf({ [column!]: value! }), ['BAD_COORDINATE', column], value);
    }
  });

  it('refuses texts longer than the gateway takes', () => {
    assert.equal(read({ address: 'x'.repeat(2000) })['address']!.length, 2000);
    for (const [column, longest] of [
      ['stage_application', 200],
      ['address', 2000],
      ['delivery_partner', 500],
    ] as const) {
      assert.deepEqual(faultOf({ [column]: 'x'.repeat(longest) }), [undefined, undefined]);
      assert.deepEqual(faultOf({ [column]: 'x'.repeat(longest + 1) }), ['TEXT_TOO_LONG', column]);
    }
  });

  it('puts rows of one tenant and stage_application, as trimmed, into one partition', () => {
    const keyOf = (stage_application: string, sourceSystem = 'T') =>
      projects.row((column) => ({ stage_application })[column], { sourceSystem, dateOrder: 'mdy' }).key;
    assert.equal(keyOf('S1'), keyOf(' S1\u00a0'));
    assert.notEqual(keyOf('S1'), keyOf('s1'));
    assert.notEqual(keyOf('S1'), keyOf('S1', 'U'));
  });

  it('has a sample that the script makes, with the rejects that it says', () => {
    const rows = samples().projects;
    const text = readFileSync(new URL('../../samples/projects.csv', import.meta.url), 'utf8');
    assert.equal(text, csvOf(rows));
    assert.deepEqual(
      rowsOf(projects, text).map(({ error }) => error),
      rows.map(({ error }) => error),
    );
  });
});
