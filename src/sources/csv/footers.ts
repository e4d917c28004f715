/** Records that close a report or a query's answer: a total, a number of rows, a page, who made it. Told by their shape, since any text may be a name. */
import { isAsciiLetter } from './rowShape.ts';

const VALUE =
  'amount|balance|due|owed|outstanding|paid|payments?|value|costs?|sales|revenue|receivables?|claims?|judge?ments?';
const PEOPLE = 'records?|rows?|count|contacts?|accounts?|leads?|people|customers?|clients?|plaintiffs?|number';
const COUNTED = `${PEOPLE}|cases?|projects?|entries|items?|results?|parties|judge?ments?`;
const DATED =
  '\\b(?:\\d{1,4}[-/.]\\d{1,2}[-/.]\\d{2,4}|[a-z]{3,9}\\.? \\d{1,2},? \\d{4}|\\d{1,2}[- ][a-z]{3,9}[-, ]+\\d{4})\\b';

/** A sum's word of its own: the row is one when nothing but numbers follow. */
const SUM = new RegExp(
  `^(?:${[
    '(?:(?:grand|sub|report|overall|net|page)[\\s-]*)?totals?(?:\\s*\\([a-z]{3}\\)|\\s*\\(\\d[\\d,]* (?:rows?|records?|items?)\\))?',
    'total (?:général|general|geral|ttc|ht)|sous-total|montant total|totale(?: generale| complessivo)?|importe total|suma (?:total|końcowa)',
    '(?:gesamt|zwischen|end)?summe|gesamt(?:betrag|ergebnis)?|(?:eind|sub)?totaal|totalt|total(?:summa|sum)|celkem|celkový součet|razem|(?:genel )?toplam',
    'totaux|yhteensä|i alt|összesen|итого|всего|σύνολο|合[計计]|[总總][计計]|小[計计]|[총합]계',
  ].join('|')})\\s*:?$`,
  'iu',
);
/** The same where a colon closes it; without one it could be a firm's. */
const LABEL = new RegExp(
  `^(?:(?:grand |sub-?)?totals? (?:${VALUE}|${PEOPLE})(?: due| owed)?|sum|count|average)\\s*:$`,
  'i',
);
/** Words that could be a firm's, and words that could be a family's: one amount stands beside them, and nothing else; beside the former not even that. */
const OF_FIRMS = new RegExp(
  `^(?:(?:grand |sub-?)?totals? (?:${VALUE}|${PEOPLE})(?: due| owed)?|(?:amount|balance) due)$`,
  'i',
);
const OF_FAMILIES =
  /^(?:sum|count|average|avg|suma|soma|summa|somme|net|totals? (?:for|of) .+|total (?:net|gross|usd|eur|gbp|cad|aud)|(?:carried|brought|balance) forward|(?:opening|closing|beginning|ending) balance)$/iu;

/** A cell that closes a report, or names its size or the time of its making; nothing but numbers stands beside it. */
const CLOSING = [
  /^[-=*_#\s]*end of (?:report|file|list|data|export|document)[-=*_#.\s]*$/i,
  /^[-=*_#\s]*(?:ende (?:des berichts|der liste|der datei)|fin (?:del informe|del reporte|del archivo|du rapport|du fichier|de (?:la )?list[ae]))[-=*_#.\s]*$/i,
  /^(?:page|seite|p[áa]gina|strana|strona|sid[ae]|sayfa):? \d+(?:\s*(?:of|[/|]|von|de|sur|di|van|z|av)\s*\d+)?$/iu,
  /^[-=*_#\s]*\(?(?:\d[\d,]*|no) (?:rows?|records?|entries|items?|results?|contacts|cases|row\(s\)|record\(s\))(?: (?:affected|selected|returned|exported|retrieved|fetched|found|produced)| in set)?\b[^a-z]*(?:sec\)|time elapsed:.*)?$/i,
  // A number of them: `Total contacts: 3`, `Total (3)`, `Contacts exported: 3`, `Showing 1 to 3 of 3 entries`.
  new RegExp(
    `^(?:(?:grand |report )?totals?|(?:(?:count|number|no\\.) of|total (?:#|number|count) of) (?:${COUNTED}))(?: (?:${COUNTED}))?\\s*(?:[:=(–-]\\s*|\\s)\\d[\\d,]*\\)?(?: (?:${COUNTED}))?$`,
    'i',
  ),
  new RegExp(`^(?:${COUNTED})(?: (?:exported|found|count|returned|listed|shown))?\\s*[:=]\\s*\\d[\\d,]*$`, 'i'),
  new RegExp(`^(?:(?:showing|displaying|viewing|records?) .*)?\\d[\\d,]* of \\d[\\d,]*(?: (?:${COUNTED}))?$`, 'i'),
  /^(?:query|search) returned \d[\d,]* \w+$/i,
  /^(?:anzahl(?: der \w+)?|nombre de \w+|n[úu]mero de \w+|antal(?: \w+)?)\s*[:=]\s*\d[\d.,]*$/iu,
  new RegExp(
    `^(?:(?:this |the )?(?:report|data|file|list) )?(?:was |is )?(?:generated|printed|exported|run|as of)\\b.*${DATED}`,
    'i',
  ),
  /^(?:time(?: taken| elapsed)?|elapsed):? [\d.:]+\s*(?:ms|s|sec|seconds)?\b/i,
  /^empty set\b[^a-z]*(?:sec\))?$/i,
  /^(?:[-=_*+]{3,}|(?:\.\s?){3,}|…)$/,
  /^(?:[<[(]?eof[>\])]?|continued on next page|\(continued\))$/i,
  // Power BI.
  /^applied filters:/i,
];
/** Who made it and whose it is: nothing stands beside it, but for what a comma in it has cut off. */
const MADE =
  /^(?:(?:report |file |list )?(?:generated|exported|downloaded) (?:by|from|with|using|on|at)\b|(?:copyright\s*(?:\(c\)|©|&copy;)?|\(c\)|©)\s*\d{4}\b|copyright\b.*\ball rights reserved\b|(?:strictly |company |highly )?confidential(?: information)?\s*[-–—:,.]+\s*(?:do not|not for|for internal|internal)\b|(?:accrual|cash) basis(?:[\s,-]+(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|$)|(?:mon|tues|wednes|thurs|fri|satur|sun)day, .*\b(?:accrual|cash) basis$)/i;

const COUNT = /^\d[\d,]* (?:rows|records)$/i;
const NUMERIC = /^[\s$€£\d.,()%+-]*$/;
/** A phone, and no amount. */
const PHONE = /^\+|^\(?\d{3}\)?[-.\s]\d{3}|^\d{7,}$/;

const isAmount = (cell: string): boolean => /\d/.test(cell) && NUMERIC.test(cell) && !PHONE.test(cell);

/** Whether a record closes a report. */
export function isFooter(cells: readonly string[]): boolean {
  // A row that has words in two cells is none, and most rows have.
  let worded = 0;
  for (const cell of cells) if (isAsciiLetter(cell.charCodeAt(0)) && ++worded > 1) break;
  if (worded > 1) return cells[1]!.startsWith(' ') && isMade(cells);
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  const [first = '', ...others] = filled;
  if (first.length > 100) return false;
  if (SUM.test(first) || LABEL.test(first)) return others.every((cell) => NUMERIC.test(cell) || COUNT.test(cell));
  if (CLOSING.some((closing) => closing.test(first)))
    return others.every((cell) => NUMERIC.test(cell) || cell === first);
  if (others.length > 1 || cells.length < 3) return isMade(cells);
  const [other] = others;
  if (OF_FIRMS.test(first)) return other === undefined || isAmount(other);
  // SAP marks sums with stars.
  if (OF_FAMILIES.test(first) || /^\*{1,2}$/.test(first)) return other !== undefined && isAmount(other);
  return isMade(cells);
}

/** Whether a record is one text that says who made the file; a blank follows each comma in it, and nothing else is filled. */
function isMade(cells: readonly string[]): boolean {
  const isFilled = (cell: string): boolean => cell.trim() !== '';
  const text = cells.slice(cells.findIndex(isFilled), cells.findLastIndex(isFilled) + 1);
  return text.slice(1).every((cell) => cell.startsWith(' ')) && MADE.test(text.join(',').trim());
}
