/** What imports of judgments must do, said as simply as it can be: one row after the other, plain maps. */
import { simplicity } from '../../src/kinds/simplicity.ts';
import { leadRow, type Lead } from './judgmentsImport.ts';

export interface Contact {
  readonly kind: string;
  readonly key: string;
  readonly primary: boolean;
}

export interface Person {
  readonly name: string;
  readonly contacts: Contact[];
  readonly judgments: number[];
  tasks: number;
  history: number;
}

/** What happened to a row; persons and judgments are numbered as they appear. */
export interface Operation {
  readonly action: 'inserted' | 'skipped' | 'failed';
  readonly reason?: string | undefined;
  readonly matchedBy?: string;
  readonly person?: number;
  readonly judgment?: number;
  readonly contactInserts?: number;
  readonly makesTask?: boolean;
}

export class Oracle {
  readonly persons: Person[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #cases = new Map<string, number>();
  readonly #owners = {
    email: new Map<string, number>(),
    phone: new Map<string, number>(),
    name: new Map<string, number>(),
  };
  /** The person of each judgment. */
  readonly #holders: number[] = [];

  /** A plaintiff that is there before the first import. */
  add(values: Readonly<Record<'name' | 'email' | 'phone', string | null>>): void {
    const person = this.persons.push({ name: values.name!, contacts: [], judgments: [], tasks: 0, history: 0 }) - 1;
    for (const key of ['email', 'phone', 'name'] as const) this.#own(key, values[key], person);
  }

  importFile(leads: readonly Lead[]): Operation[] {
    const before = this.#holders.length;
    const written = new Set<number>();
    return leads.map((lead) => {
      const { values, error } = leadRow(lead);
      if (error !== undefined) return { action: 'failed', reason: error };
      const row = Object.fromEntries(simplicity.stageColumns.map((column, i) => [column, values[i]!]));
      // By number, else by case number; what was there before the file counts first.
      const same = [this.#numbers.get(row['number_key']!), this.#cases.get(row['case_key']!)].filter(
        (judgment) => judgment !== undefined,
      );
      const known = same.find((judgment) => judgment < before) ?? same[0];
      if (known !== undefined) {
        return {
          action: 'skipped',
          reason: known < before ? 'EXISTING_JUDGMENT' : 'DUPLICATE_IN_FILE',
          person: this.#holders[known]!,
          judgment: known,
        };
      }
      const keys = { email: row['email_key']!, phone: row['phone']!, name: row['name_key']! };
      const matchedBy = (['email', 'phone', 'name'] as const).find((key) => this.#owners[key].has(keys[key]));
      const person = matchedBy ? this.#owners[matchedBy].get(keys[matchedBy])! : this.#create(keys.name);
      const judgment = this.#holders.push(person) - 1;
      this.#numbers.set(row['number_key']!, judgment);
      if (!this.#cases.has(row['case_key']!)) this.#cases.set(row['case_key']!, judgment);
      const found = this.persons[person]!;
      found.judgments.push(judgment);
      this.#own('email', keys.email, person);
      this.#own('phone', keys.phone, person);
      const contactInserts = [
        ['email', keys.email],
        ['phone', keys.phone],
        ['address', row['address']?.toLowerCase()],
      ].filter(([kind, key]) => key && this.#addContact(found, kind!, key)).length;
      if (!written.has(person)) found.history++;
      written.add(person);
      const makesTask = found.tasks === 0;
      if (makesTask) found.tasks++;
      return {
        action: 'inserted',
        reason: undefined,
        matchedBy: matchedBy ?? 'created',
        person,
        judgment,
        contactInserts,
        makesTask,
      };
    });
  }

  #create(name: string): number {
    const person = this.persons.push({ name, contacts: [], judgments: [], tasks: 0, history: 0 }) - 1;
    this.#own('name', name, person);
    return person;
  }

  #own(key: 'email' | 'phone' | 'name', value: string | null, person: number): void {
    if (value !== null && !this.#owners[key].has(value)) this.#owners[key].set(value, person);
  }

  #addContact({ contacts }: Person, kind: string, key: string): boolean {
    if (contacts.some((contact) => contact.kind === kind && contact.key === key)) return false;
    contacts.push({ kind, key, primary: !contacts.some((contact) => contact.kind === kind) });
    return true;
  }
}
