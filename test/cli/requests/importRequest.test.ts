/** What `intake import` is asked for: nothing that is given is ignored, and no file is lost. */
import { imagesOfSingle } from '../../../src/cli/requests/singleImage.ts';
import { strict as assert } from 'node:assert';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { commitCommands, mendCommand } from '../../../src/cli/display/nextCommand.ts';
import { refuseForeignFile } from '../../../src/cli/requests/foreignFile.ts';
import { importRequest } from '../../../src/cli/requests/importRequest.ts';
import { refuseOverwrite } from '../../../src/cli/requests/outputFile.ts';
import type { ImportInput } from '../../../src/messages/imports.ts';

describe('the request of an import', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'intake-request-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  for (const [words, flags, message] of [
    [['plaintiffs', 'a.csv'], { tag: 'x' }, "'plaintiffs' does not take --tag"],
    [['jbi', 'a.csv'], { batchSize: 5, delta: true }, "'jbi' does not take --delta, --batch-size"],
    [['search-results', 'dir'], { tag: 'x', maxErrors: { rows: 1 } }, "'search-results' does not take --max-errors"],
    [['plaintiffs', 'a.csv'], { sourceSystem: ' ' }, 'A name is empty'],
    [['plaintifs', 'a.csv'], {}, "Unknown kind 'plaintifs' (did you mean 'plaintiffs'?)"],
    [['plaintiffs', 'a.csv', 'b.csv'], {}, 'Several files are given, and an import takes one'],
  ] as const) {
    it(`refuses what would be ignored: ${message}`, () => {
      assert.throws(() => importRequest(words, flags), { code: 'USAGE', message });
    });
  }

  it('has a true sentence for workbooks, archives, addresses and standard input, and none for CSV or what is not there', () => {
    const sheet = file('clients.xlsx', Buffer.from('PK\x03\x04..........[Content_Types].xml...', 'latin1'));
    for (const [path, message] of [
      [sheet, `${sheet} is an Excel workbook, not CSV`],
      [file('a.csv.gz', gzipSync('name\nA\n')), `${join(folder, 'a.csv.gz')} is compressed with gzip, not CSV`],
      [file('a.zip', 'PK\x03\x04....a.csv'), `${join(folder, 'a.zip')} is a zip archive, not CSV`],
      ['-', 'Standard input cannot be imported: an import reads its file again after a crash'],
      ['https://example.com/x.csv', 'An address cannot be imported'],
    ] as const)
      assert.throws(() => refuseForeignFile(path), { code: 'NOT_A_FILE', message });
    for (const path of [file('plain.csv', 'name\nPK\n'), folder, join(folder, 'absent'), '/dev/null'])
      refuseForeignFile(path);
  });

  it('never overwrites its source, also under another name, and any other file only by --force', () => {
    const source = file('source.csv', 'name\nA\n');
    linkSync(source, join(folder, 'other-name.csv'));
    for (const path of [source, join(folder, 'other-name.csv')])
      assert.throws(() => refuseOverwrite(path, { force: true, source }), {
        code: 'USAGE',
        message: /is never overwritten$/,
      });
    const mended = file('mended.csv', 'x');
    assert.throws(() => refuseOverwrite(mended, { source }), { code: 'USAGE', remedy: /--force/ });
    refuseOverwrite(mended, { force: true, source });
    refuseOverwrite(join(folder, 'new.csv'), { source });
    refuseOverwrite('/dev/null', {});
    assert.throws(() => refuseOverwrite('-', { force: true }), /- is no file/);
  });

  it('is repeated by the printed command with every option that decides what happens', () => {
    const options = {
      map: { 'Their Name': 'plaintiff_name' },
      dateOrder: 'dmy',
      skipJobs: true,
      delimiter: 'semicolon',
      maxErrors: { percent: 5 },
      headerRow: 3,
    } as unknown as ImportInput['options'];
    const input = {
      ...{
        kind: 'plaintiffs',
        fileHash: 'a'.repeat(64),
        path: 'x y.csv',
        batchId: 'B 1',
        batchName: 'x y',
        sourceReference: 'x y',
      },
      ...{ sourceSystem: "O'Neil", options },
    } as unknown as ImportInput;
    const said = " --map 'Their Name=plaintiff_name' --date-order dmy --skip-jobs --delimiter semicolon";
    assert.equal(
      commitCommands(
        { kind: 'plaintiffs', path: 'x y.csv', mode: 'dry-run', sourceSystem: "O'Neil", backend: 'supabase' },
        input,
        {},
      )[0],
      `intake import plaintiffs 'x y.csv' --source-system 'O'\\''Neil' --batch-id 'B 1'${said} --header-row 3 --max-errors '5%' --backend supabase --commit`,
    );
    assert.equal(
      mendCommand('rejects.csv', input, 'postgres'),
      `intake import plaintiffs rejects.csv --source-system 'O'\\''Neil'${said} --max-errors '5%' --commit`,
    );
    assert.match(
      mendCommand('rejects.csv', { ...input, backend: 'supabase' }, 'postgres'),
      / --backend supabase --commit$/,
    );
    const directory = { tag: 'T 1', singleFile: 'FL/a_parse.json', delta: true, maxWorkers: 3 };
    assert.equal(
      commitCommands({ kind: 'search-results', path: 'scrape', mode: 'dry-run', directory }, undefined, {})[0],
      "intake import search-results --states-dir scrape --tag 'T 1' --single-file FL/a_parse.json --delta --max-workers 3 --commit",
    );
  });

  it('is printed for each order of dates where nobody stated it and some only fit the other', () => {
    const options = { map: {}, dateOrder: 'mdy', dateOrderAssumed: true };
    const input = {
      ...{ kind: 'jbi', fileHash: '', path: 'j.csv', batchId: 'sha256-', batchName: 'j', sourceReference: 'j' },
      options,
    } as unknown as ImportInput;
    const commands = (count: number) =>
      commitCommands({ kind: 'jbi', path: 'j.csv', mode: 'dry-run' }, input, { OTHER_DATE_ORDER: { count } });
    assert.deepEqual(commands(0), ['intake import jbi j.csv --commit']);
    assert.deepEqual(commands(1), [
      'intake import jbi j.csv --date-order mdy --commit',
      'intake import jbi j.csv --date-order dmy --commit',
    ]);
  });

  it('finds the image of a single file where its recorded path ends, near the file, and that of no other day', () => {
    const hazel = 'samples/search-results/2025-08-04/AZ/Hazel_01_parse.json';
    assert.equal(imagesOfSingle(hazel), 'samples/search-results/2025-08-04/screenshots');
    assert.equal(imagesOfSingle('samples/search-results/2025-08-04/AZ/Alder_01_parse.json'), undefined);
    assert.equal(imagesOfSingle('samples/plaintiffs.csv'), undefined);
    const folder = mkdtempSync(join(tmpdir(), 'intake-single-'));
    try {
      for (const day of ['2025-08-04', '2025-08-05']) mkdirSync(join(folder, day, 'json'), { recursive: true });
      const file = join(folder, '2025-08-04/json/a_parse.json');
      writeFileSync(file, JSON.stringify({ metadata: { source_image_file: 'C:\\run\\2025-08-04\\shots\\a.png' } }));
      mkdirSync(join(folder, 'shots'));
      mkdirSync(join(folder, '2025-08-05/shots'));
      writeFileSync(join(folder, '2025-08-05/shots/a.png'), '');
      assert.equal(imagesOfSingle(file), undefined);
      writeFileSync(join(folder, 'shots/a.png'), '');
      assert.equal(resolve(imagesOfSingle(file)!), join(folder, 'shots'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
