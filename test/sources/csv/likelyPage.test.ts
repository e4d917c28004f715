import { strict as assert } from 'node:assert';
import { likelyPage } from '../../../src/sources/csv/likelyPage.ts';

/** Text in a page of one byte a character. */
function coded(text: string, page: string): Buffer {
  const decoder = new TextDecoder(page);
  const bytes = new Map(Array.from({ length: 256 }, (_, i) => [decoder.decode(Uint8Array.of(i)), i]));
  return Buffer.from([...text].map((sign) => bytes.get(sign)!));
}

const file = (names: string): string =>
  `name,email\n${'Ann Lee,ann@example.com\n'.repeat(50)}${names.split(', ').join(',x@example.com\n')},\n`;

describe('likelyPage', () => {
  const others: [page: string, language: string, names: string][] = [
    ['windows-1254', 'Turkish', 'Ahmet Yılmaz, Mehmet Şahin, Ayşe Kılıç, Mustafa Ağaoğlu, İbrahim Çelik'],
    ['windows-1250', 'Czech', 'Jiří Dvořák, Jana Nováková, Petr Černý, Marie Kučerová, Tomáš Němec'],
    ['windows-1250', 'Polish', 'Paweł Wójcik, Łukasz Kowalczyk, Małgorzata Wąsik, Zbigniew Dąbrowski, Michał Żak'],
    ['windows-1250', 'Hungarian', 'Erdős Pál, Szűcs Gábor, Győri Zsófia, Hegedűs Ernő, Szőke Ágnes'],
    ['windows-1250', 'Romanian', 'Ionuţ Bălan, Ştefan Mureşan, Cătălin Măcelaru, Răzvan Pîrvu, Ţuţea Petre'],
  ];
  for (const [page, language, names] of others)
    it(`names ${page} for names that are ${language}`, async () => {
      assert.equal(await likelyPage(coded(file(names), page)), `${page} (${language})`);
    });

  for (const [language, names] of [
    ['French', 'Hélène Dupré, Geneviève Lefèvre, Loïc Martin, Anaïs Béranger, François Lemaître, Benoît Gérard'],
    ['French without its own letters', 'Hélène Dupré, Geneviève Lefèvre, Loïc Martin, Anaïs Béranger'],
    ['German', 'Jürgen Müller, Käthe Größer, Björn Weiß, Günther Schäfer'],
    ['Spanish', 'José Muñoz, María Núñez, Ángel Peña, Sofía Ibáñez, Íñigo Ordóñez'],
    ['Portuguese', 'João Simões, Conceição Guimarães, Antônio Gonçalves, Irmã Luzia'],
    ['Danish and Norwegian', 'Søren Jørgensen, Mette Sørensen, Bjørn Møller, Åse Ødegård, Kåre Sæther'],
    ['Danish with one letter', 'Søren Jørgensen, Mette Sørensen, Bjørn Møller'],
    ['Swedish and Finnish', 'Åsa Öberg, Björn Ström, Väinö Mäkelä'],
    ['Icelandic', 'Sigurður Jónsson, Guðrún Þórðardóttir, Þorsteinn Björnsson, Ýr Sigurðardóttir, Davíð Oddsson'],
    ['Faroese', 'Jóannes Eiðsgarð, Høgni Hoydal, Bárður Nielsen, Kaj Leo Johannesen, Edmund Joensen'],
    ['Estonian', 'Tõnu Kõiv, Jüri Põld, Õie Mägi, Märt Võsu, Külli Jõgi'],
    ['Italian', 'Niccolò Cantù, Nicolò Dalì, Noè Forlì, Giosuè Mosè'],
    ['Scottish', 'Màiri NicLeòid, Catrìona Ùna, Sìne Dòmhnall'],
    ['mixed', 'José Peña, Søren Møller, Hélène Lefèvre, Jürgen Weiß, João Simões, Åsa Öberg, Sigurður Jónsson'],
    ['plain', 'Ann Lee'],
  ] as const)
    it(`has no word against names that are ${language}`, async () => {
      assert.equal(await likelyPage(coded(file(names), 'windows-1252')), undefined);
    });
});
