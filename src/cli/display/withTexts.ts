/** The texts of headers in what an import says, which only travels with their places. */
import { spelledInput, spelledReport, spellerOf } from '../../imports/headers.ts';
import type { AnyInput, ImportReport } from '../../messages/imports.ts';
import { findRun } from '../../runs/findRun.ts';
import type { Session } from '../session.ts';

/** @param map as it was given. */
export async function withTexts<T extends AnyInput>(
  session: Session,
  { input, report, map }: { input: T; report: ImportReport; map?: Readonly<Record<string, string>> | undefined },
): Promise<{ input: T; report: ImportReport }> {
  const kept = async () =>
    report.runId ? (await findRun(session, report.runId, input.backend).catch(() => undefined))?.header : undefined;
  const spell = await spellerOf(input, { map, kept });
  return { input: spelledInput(input, spell), report: spelledReport(report, spell) };
}
