/** Work that failed or did not begin, to the receiver that is configured for it. */
import type { Notice, NoticeEntry } from '../../messages/notices.ts';
import { postWebhook } from '../../webhooks/post.ts';
import type { Deps } from '../deps.ts';

export const noticeActivity = ({ config, log }: Deps) => ({
  /** @returns false when there is no receiver. */
  async sendNotice(notice: Notice): Promise<boolean> {
    const { webhook, allowPrivate } = config.notices;
    if (webhook === undefined) return false;
    const message = { document: notice, text: notice.entries.map(sentence).join('\n') };
    await postWebhook(webhook, message, { setting: 'INTAKE_NOTIFY_WEBHOOK', allowPrivate, log });
    return true;
  },
});

function sentence({ event, what, schedule, kind, source, tenant, code, count, next_step }: NoticeEntry): string {
  const of = [kind, source && source !== kind && `of ${source}`, !source && tenant && `of ${tenant}`]
    .filter(Boolean)
    .join(' ');
  const who = `${what}${of ? ` of ${of.replace(/^of /, '')}` : ''}${schedule ? ` (schedule ${schedule})` : ''}`;
  const times = count === 1 ? '' : `, ${count} times`;
  return event === 'failed'
    ? `Intake: failed${times}: ${who}${code ? `: ${code}` : ''}. Next: ${next_step}`
    : `Intake: did not begin at its time${times}: ${who}. Next: ${next_step}`;
}
