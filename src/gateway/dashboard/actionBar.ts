/** The buttons of a run, each confirmed in a dialog. */
import { html } from 'hono/html';
import type { RunDetails } from '../userRows.ts';
import { plural, type Html } from './words.ts';

interface Question {
  readonly action: 'cancel' | 'resume' | 'rollback';
  readonly button: string;
  readonly title: string;
  readonly words: string;
  readonly yes: string;
  readonly grave?: boolean;
}

const CANCEL: Question = {
  action: 'cancel',
  button: 'Cancel',
  title: 'Cancel this import?',
  yes: 'Cancel the import',
  words: 'It stops when its running steps have ended. What is done stays done; it may be resumed or rolled back.',
};
const RESUME: Question = {
  action: 'resume',
  button: 'Resume',
  title: 'Resume this import?',
  yes: 'Resume',
  words: 'It goes on where it stopped. Nothing is imported twice.',
};
const rollback = ({ inserted, updated }: RunDetails): Question => ({
  action: 'rollback',
  button: 'Roll back',
  title: 'Roll back this run?',
  yes: 'Roll back',
  grave: true,
  words: `${plural(inserted, 'new row')} ${inserted === 1 ? 'is' : 'are'} withdrawn${updated > 0 ? `, ${plural(updated, 'updated row')} brought back to former values` : ''}. What somebody edited since stays.`,
});

/** @param running whether its workflow runs; undefined: nobody knows. */
function questionsOf(run: RunDetails, running: boolean | undefined): Question[] {
  if (run.status === 'completed') return [rollback(run)];
  if (run.status === 'failed') return [...(run.from_intake ? [RESUME] : []), rollback(run)];
  if (run.status !== 'processing' && run.status !== 'pending') return [];
  return [...(run.workflow_id ? [CANCEL] : []), ...(running === false && run.from_intake ? [RESUME] : [])];
}

export function actionBar(run: RunDetails, running: boolean | undefined): Html {
  const questions = questionsOf(run, running);
  return html`<div class="actions">
    ${(run.errored > 0 || run.failed_items > 0) && html`<a class="button" href="/runs/${run.id}/rejects" download>Download rejects</a>`}
    ${questions.map(({ action, button, grave }) => html`<button type="button" class="${grave ? 'grave' : ''}" data-dialog="${action}" aria-haspopup="dialog">${button}</button>`)}
    ${questions.map((question) => dialog(run.id, question))}
  </div>`;
}

const dialog = (id: string, { action, title, words, yes, grave }: Question): Html =>
  html`<dialog id="${action}" aria-labelledby="${action}-title">
    <form method="post" action="/runs/${id}/${action}" class="stack">
      <h2 id="${action}-title">${title}</h2>
      <p>${words}</p>
      ${action === 'rollback' && html`<label>Reason<input name="reason" required maxlength="500" autocomplete="off" /><small>Kept with the run, and that it was you.</small></label>`}
      <p class="choice">
        <button type="button" data-close>Keep it</button><button class="${grave ? 'grave' : 'primary'}">${yes}</button>
      </p>
    </form>
  </dialog>`;
