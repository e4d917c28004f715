/** Removes social security and card numbers from a text (runbook 002, "Log Redaction"). */

/** 3-2-4 digits with dash, space or dot, or nine digits after a word that says so. */
const SSN =
  /(?<![\d.-])(?!000|666|9\d\d)\d{3}([-\s.\u2010-\u2015])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])|(?<=\b(?:ssn|social)[^\d\n]{0,20})\d{9}(?!\d)/gi;
/** 12 to 19 digits with any separators between them; only those that pass the Luhn check are cards. */
const DIGITS = /(?<!\d)\d(?:[\s.,_/:\u2010-\u2015-]{0,2}\d){11,}(?!\d)/g;

/** @returns the text with `[SSN_REDACTED]` and `[CARD_REDACTED]` in their places. */
export function redact(text: string): string {
  if (!/\d/.test(text)) return text;
  return text.replace(DIGITS, redactCards).replace(SSN, '[SSN_REDACTED]');
}

/** A card may stand within a longer run of digits and separators (an id before it): every window is tried, longest first. */
function redactCards(run: string): string {
  const places = [...run].flatMap((char, i) => (char >= '0' && char <= '9' ? [i] : []));
  const digits = places.map((i) => run.charCodeAt(i) - 48);
  if (digits.length <= 19 && luhn(digits)) return '[CARD_REDACTED]';
  // Separate numbers in one run: a card starts and ends at a separator.
  const starts = places.flatMap((place, i) => (i === 0 || places[i - 1] !== place - 1 ? [i] : []));
  for (const from of starts) {
    for (let to = Math.min(digits.length, from + 19); to >= from + 12; to--) {
      const endsHere = to === digits.length || places[to] !== (places[to - 1] as number) + 1;
      if (endsHere && luhn(digits.slice(from, to))) {
        const end = (places[to - 1] as number) + 1;
        return run.slice(0, places[from]) + '[CARD_REDACTED]' + redact(run.slice(end));
      }
    }
  }
  return run;
}

function luhn(digits: readonly number[]): boolean {
  let sum = 0;
  digits.toReversed().forEach((digit, i) => {
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  });
  return sum > 0 && sum % 10 === 0;
}
