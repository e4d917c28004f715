/** How a batch is called: `2025-08-18T17:00:00+0930-batch-001`, the time as clocks of the tenant show it. */

/** @param timeZone IANA; the host's own unless given. */
export function batchIdOf(startedAt: string, index: number, timeZone?: string): string {
  return `${localTime(new Date(startedAt), timeZone)}-batch-${String(index + 1).padStart(3, '0')}`;
}

/** `2025-08-18T17:00:00+0930` */
function localTime(at: Date, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone ? { timeZone } : {}),
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value])) as Record<
    string,
    string
  >;
  const offset = part['timeZoneName']!.replace('GMT', '').replace(':', '') || '+0000';
  return `${part['year']}-${part['month']}-${part['day']}T${part['hour']}:${part['minute']}:${part['second']}${offset}`;
}
