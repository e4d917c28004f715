/** Where a text stops being JSON, and what stands there, in words of ours: what the engine says of it may have neither. */

/** One token, or none; blanks before it are JSON's own. */
const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])|(?:true|false|null)(?!\w))/y;
const BLANKS = /[ \t\n\r]*/y;

/** What people and programs write that is no JSON, and what they should have written. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/(?:NaN|-?Infinity|undefined|None)(?!\w)/y, 'NaN, Infinity, undefined and None are no JSON; write null'],
  [/(?:True|False)(?!\w)/y, 'true and false are written in small letters'],
  [/```/y, 'a Markdown fence is no JSON; keep only what stands between the fences'],
  [/<(?:[!?]|[A-Za-z])/y, 'this is a page of HTML or XML'],
  [/\/[/*]|#/y, 'JSON has no comments'],
  [/'/y, 'texts stand in double quotes'],
  [/[}\]]/y, 'a comma too many, or a value too few, before this'],
  [/[A-Za-z_$][\w$]*\s*:/y, 'names stand in double quotes'],
  [/\0/y, 'a NUL character stands here'],
];

/** Its place and, where it is a common one, what it is: ` (line 3 column 7): NaN ...`; empty for what is JSON. */
export function jsonFault(text: string): string {
  const at = faultAt(text);
  if (at === undefined) return '';
  const known = KNOWN.find(([pattern]) => {
    pattern.lastIndex = at;
    return pattern.test(text);
  });
  return ` (${placeOf(text, at)})${known ? `: ${known[1]}` : ''}`;
}

/** The first number that PostgreSQL cannot hold: ` (line 3 column 7)`; undefined where all are in its range. */
export function numberBeyond(text: string): string | undefined {
  for (let at = 0; ;) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) return undefined;
    at = TOKEN.lastIndex;
    const number = found[3];
    if (number !== undefined && !isInRange(number)) return ` (${placeOf(text, at - number.length)})`;
  }
}

/** Digits of PostgreSQL's `numeric` before and after the point. */
const [DIGITS, DECIMALS] = [131_072, 16_383] as const;

function isInRange(number: string): boolean {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const shift = Number(exponent);
  // Also a nought has its scale.
  return whole.length + shift <= DIGITS && fraction.length - shift <= DECIMALS && Math.abs(shift) <= DIGITS;
}

/** Offset of the first character that JSON does not allow there; undefined where the text is JSON. */
function faultAt(text: string): number | undefined {
  const open: string[] = [];
  let expects: 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' = 'value';
  for (let at = 0; ;) {
    BLANKS.lastIndex = at;
    BLANKS.test(text);
    const start = BLANKS.lastIndex;
    if (expects === 'comma or end' && open.length === 0) return start === text.length ? undefined : start;
    TOKEN.lastIndex = start;
    const found = TOKEN.exec(text);
    if (!found) return start;
    at = TOKEN.lastIndex;
    const sign = found[1];
    if (expects === 'colon') {
      if (sign !== ':') return start;
      expects = 'value';
    } else if (sign === '}' || sign === ']') {
      const mayEnd = expects === 'comma or end' || expects === (sign === '}' ? 'name or end' : 'value or end');
      if (!mayEnd || open.pop() !== sign) return start;
      expects = 'comma or end';
    } else if (expects === 'comma or end') {
      if (sign !== ',') return start;
      expects = open.at(-1) === '}' ? 'name' : 'value';
    } else if (expects === 'name' || expects === 'name or end') {
      if (found[2] === undefined) return start;
      expects = 'colon';
    } else if (sign === '{' || sign === '[') {
      open.push(sign === '{' ? '}' : ']');
      expects = sign === '{' ? 'name or end' : 'value or end';
    } else if (sign === undefined) {
      expects = 'comma or end';
    } else {
      return start;
    }
  }
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `line ${line} column ${at - before.lastIndexOf('\n')}`;
}
