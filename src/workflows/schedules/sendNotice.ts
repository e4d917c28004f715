/** Tells the operator's receiver of work that failed or did not begin, for as long as it takes. */
import { setCurrentDetails } from '@temporalio/workflow';
import { activityProxies } from '../policies.ts';
import type { NoticeInput } from '../../messages/notices.ts';

/** @returns false when the worker has no such receiver. */
export async function sendNotice({ taskQueue, notice }: NoticeInput): Promise<boolean> {
  setCurrentDetails(
    notice.entries
      .map(({ event, what, schedule, code, count }) => `- ${what} ${schedule ?? ''} ${event} ${code ?? ''} (${count})`)
      .join('\n'),
  );
  return activityProxies({ taskQueue }).anyWorker.sendNotice(notice);
}
