/** States as a sign and a word: never as a colour alone. */
import { html } from 'hono/html';
import type { PhaseState } from '../../messages/imports.ts';
import type { RunLine, Severity } from '../userRows.ts';
import type { Html } from './words.ts';

/** Paths of 16 by 16 drawings made of strokes. */
const ICONS = {
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  play: 'M5 3.5v9l7-4.5z',
  dots: 'M3 8h.01M8 8h.01M13 8h.01',
  back: 'M6 3 2.5 6.5 6 10M3 6.5h6a4 3.5 0 0 1 0 7H6',
  copy: 'M5.5 5.5h8v8h-8zM2.5 10.5v-8h8',
  alert: 'M8 2 15 14H1zM8 6.5v3.5M8 12h.01',
  info: 'M8 7v5M8 4h.01',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
} as const;

const icon = (name: keyof typeof ICONS): Html =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}" /></svg>`;

type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'calm';

export const badge = (tone: Tone, sign: keyof typeof ICONS, word: string): Html =>
  html`<span class="badge ${tone}">${icon(sign)}${word}</span>`;

const RUNS: Record<RunLine['status'], readonly [Tone, keyof typeof ICONS, string]> = {
  pending: ['calm', 'dots', 'Pending'],
  processing: ['busy', 'play', 'Running'],
  completed: ['good', 'check', 'Completed'],
  failed: ['bad', 'cross', 'Failed'],
  rolled_back: ['warn', 'back', 'Rolled back'],
  duplicate: ['calm', 'copy', 'Duplicate'],
};

/** A cancelled run is a failed one that somebody wanted to fail. */
export const runBadge = ({ status, error_type: type }: Pick<RunLine, 'status' | 'error_type'>): Html =>
  status === 'failed' && type === 'cancelled' ? badge('warn', 'pause', 'Cancelled') : badge(...RUNS[status]);

const SEVERITIES: Record<Severity, readonly [Tone, keyof typeof ICONS, string]> = {
  error: ['bad', 'cross', 'Error'],
  warning: ['warn', 'alert', 'Warning'],
  info: ['calm', 'info', 'Info'],
};

export const severityBadge = (severity: Severity): Html => badge(...SEVERITIES[severity]);

const PHASES: Record<PhaseState['status'], readonly [Tone, keyof typeof ICONS, string]> = {
  pending: ['calm', 'dots', 'waiting'],
  running: ['busy', 'play', 'running'],
  completed: ['good', 'check', 'done'],
  failed: ['bad', 'cross', 'failed'],
  skipped: ['calm', 'back', 'skipped'],
};

/** The sign is seen, the word is heard. */
export function phaseSign(status: PhaseState['status']): Html {
  const [tone, sign, word] = PHASES[status];
  return html`<span class="sign ${tone}">${icon(sign)}<span class="heard">${word}</span></span>`;
}
