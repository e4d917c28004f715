/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other; small words, small cost. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** The candidate that is at most a quarter of a word's length, and at least one edit, away from one of the words. */
export function nearest(
  words: readonly string[],
  candidates: readonly string[],
  normalize: (candidate: string) => string,
): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const name = normalize(candidate).slice(0, 80);
    for (const word of words) {
      const most = Math.min(Math.max(1, Math.floor(word.length / 4)), bestDistance - 1);
      if (Math.abs(name.length - word.length) > most) continue; // so many edits at least
      const distance = editDistance(name, word);
      if (distance > most) continue;
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * ` (did you mean 'x'?)`, or nothing when no candidate is near.
 * @param usual the one that is listed, of words that mean the same.
 */
export function didYouMean(
  given: string,
  candidates: readonly string[],
  usual: (candidate: string) => string = (candidate) => candidate,
): string {
  const near = nearest([given.toLowerCase()], candidates, (candidate) => candidate.toLowerCase());
  return near === undefined ? '' : ` (did you mean '${usual(near)}'?)`;
}
