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

/** Of names as random leads have them. */
const firstName = (name: string) => name.split(', ').at(-1)!.split(' ')[0];
const phoneKey = (phone: string | null) => phone && phone.replace(/^1(?=[2-9]\d{9}(?:x|$))/, '');

export class Oracle {
  readonly persons: Person[] = [];
  readonly #compatible: (a: string, b: string) => boolean;
  readonly #numbers = new Map<string, number>();
  readonly #cases = new Map<string, number>();
  readonly #owners = {
    email: new Map<string, number[]>(),
    phone: new Map<string, number[]>(),
    name: new Map<string, number>(),
  };
  /** The person of each judgment. */
  readonly #holders: number[] = [];

  /** `compatible` says whether two names may be of one; by --match contact all are. */
  constructor(compatible = (a: string, b: string) => firstName(a) === firstName(b)) {
    this.#compatible = compatible;
  }

  /** A plaintiff that is there before the first import. */
  add(values: Readonly<Record<'name' | 'email' | 'phone', string | null>>): void {
    const person = this.persons.push({ name: values.name!, contacts: [], judgments: [], tasks: 0, history: 0 }) - 1;
    this.#owners.name.set(values.name!, this.#owners.name.get(values.name!) ?? person);
    this.#carry('email', values.email, person);
    this.#carry('phone', phoneKey(values.phone), person);
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
      const keys = { email: row['email_key']!, phone: phoneKey(row['phone']!), name: row['name_key']! };
      const { person = this.#create(keys.name), matchedBy, shared } = this.#find(keys);
      const judgment = this.#holders.push(person) - 1;
      this.#numbers.set(row['number_key']!, judgment);
      if (!this.#cases.has(row['case_key']!)) this.#cases.set(row['case_key']!, judgment);
      const found = this.persons[person]!;
      found.judgments.push(judgment);
      this.#carry('email', keys.email, person);
      this.#carry('phone', keys.phone, person);
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
        reason: shared ? 'SHARED_CONTACT' : undefined,
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
    this.#owners.name.set(name, person);
    return person;
  }

  /** By e-mail the first that carries it and bears a compatible name, else so by phone, else by name. */
  #find({ name, ...contacts }: { email: string | null; phone: string | null; name: string }) {
    let shared = false;
    for (const matchedBy of ['email', 'phone'] as const) {
      const carriers = this.#owners[matchedBy].get(contacts[matchedBy] ?? '') ?? [];
      const person = carriers.find((one) => this.#compatible(this.persons[one]!.name, name));
      if (person !== undefined) return { person, matchedBy, shared };
      shared ||= carriers.length > 0;
    }
    const person = this.#owners.name.get(name);
    return person === undefined ? { shared } : { person, matchedBy: 'name' as const, shared };
  }

  #carry(key: 'email' | 'phone', value: string | null, person: number): void {
    if (value === null) return;
    const carriers = this.#owners[key].get(value) ?? [];
    if (!carriers.includes(person)) this.#owners[key].set(value, [...carriers, person]);
  }

  #addContact({ contacts }: Person, kind: string, key: string): boolean {
    if (contacts.some((contact) => contact.kind === kind && contact.key === key)) return false;
    contacts.push({ kind, key, primary: !contacts.some((contact) => contact.kind === kind) });
    return true;
  }
}
