/** What was noticed in a file that is no reject, and what became of its headers. */
import { html } from 'hono/html';
import type { HeaderUse, ImportReport } from '../../messages/imports.ts';
import { speller, type Spell } from '../../sources/csv/headerNames.ts';
import { remarkSentence, type Remarks } from '../../messages/remarks.ts';
import type { RunDetails } from '../userRows.ts';
import type { FailedItem } from '../../messages/directory.ts';
import { plural, sentence, type Html } from './words.ts';

/** Three sections, each only if it says something; of a run at work from its workflow. @param operates whether they see names of items. */
export function findings(run: RunDetails, report: ImportReport | undefined, operates: boolean): Html {
  const headers = run.headers.length > 0 ? run.headers : (report?.plan?.headers ?? []);
  const spell = speller(run.header ?? []);
  const failed = report?.directory?.failed ?? run.failed_items;
  const first = run.first_failed ?? (operates ? report?.directory?.failedItems : undefined) ?? [];
  return html`${failed > 0 && failedItems(failed, first)}${notes({ ...report?.plan?.remarks, ...report?.remarks, ...run.remarks })}${headers.length > 0 && columns(headers, spell)}`;
}

const failedItems = (count: number, first: readonly FailedItem[]): Html =>
  html`<section class="card" aria-labelledby="failed">
    <h2 id="failed">${plural(count, 'failed item')}</h2>
    <p class="hint">
      Files, licences and images that were left out; the rest is imported. All of them stand in the rejects.
    </p>
    <ul class="codes">
      ${first.map(
        ({ item, kind, code, message }) =>
          html`<li>
            <span
              >${sentence(kind)} <code>${item}</code> <small>${message} <code>${code}</code></small></span
            >
          </li>`,
      )}
    </ul>
  </section>`;

function notes(remarks: Remarks): Html | false {
  const sentences = Object.entries(remarks).flatMap(([code, remark]) => {
    const sentence = remarkSentence(code, remark);
    return sentence === undefined ? [] : [{ code, sentence }];
  });
  return (
    sentences.length > 0 &&
    html`<section class="card" aria-labelledby="notes">
      <h2 id="notes">Noticed</h2>
      <ul class="codes">
        ${sentences.map(
          ({ code, sentence }) =>
            html`<li>
              <span>${sentence} <code>${code}</code></span>
            </li>`,
        )}
      </ul>
    </section>`
  );
}

const columns = (headers: readonly HeaderUse[], spell: Spell): Html =>
  html`<section class="card" aria-labelledby="columns">
    <h2 id="columns">Columns</h2>
    <table>
      <thead>
        <tr>
          <th scope="col">In the file</th>
          <th scope="col">Taken as</th>
        </tr>
      </thead>
      <tbody>
        ${headers.map(
          ({ header, column, suggestion }) =>
            html`<tr>
              <td>${spell(header)}</td>
              <td>
                ${column === null ? html`not taken${suggestion && html`; perhaps <code>${suggestion}</code>`}` : html`<code>${column}</code>`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
