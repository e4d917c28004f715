/** How a call of a SQL function is described: its arguments with their types on both sides, and what it answers. */

export interface Argument<T = unknown> {
  /** The type in the catalogue. */
  readonly sql: string;
  /** The function has a default for it. */
  readonly optional?: boolean;
  /** Only for the compiler. */
  readonly value?: T;
}

export interface SqlFunction<A extends Arguments = Arguments, Answer = unknown> {
  readonly args: A;
  /** Only for the compiler. */
  readonly answer?: Answer;
}

type Arguments = Readonly<Record<string, Argument>>;
type OptionalArgument<T> = Argument<T> & { readonly optional: true };
type OptionalNames<A extends Arguments> = { [K in keyof A]: A[K] extends { optional: true } ? K : never }[keyof A];
type ValueOf<A> = A extends Argument<infer T> ? T : never;

/** The named arguments of a call. */
export type ArgumentsOf<F> =
  F extends SqlFunction<infer A>
    ? { readonly [K in Exclude<keyof A, OptionalNames<A>>]: ValueOf<A[K]> } & {
        readonly [K in OptionalNames<A>]?: ValueOf<A[K]>;
      }
    : never;

export type AnswerOf<F> = F extends SqlFunction<Arguments, infer Answer> ? Answer : never;

const argument = <T>(sql: string): Argument<T> => ({ sql });

export const text = argument<string>('text');
export const texts = argument<readonly string[]>('text[]');
export const uuid = argument<string>('uuid');
export const integer = argument<number>('integer');
export const truth = argument<boolean>('boolean');
export const bigint = argument<number>('bigint');
/** ISO text. */
export const timestamp = argument<string>('timestamp with time zone');
export const jsonb = <T>(): Argument<T> => argument<T>('jsonb');
export const json = <T>(): Argument<T> => argument<T>('json');

export const orNull = <T>({ sql }: Argument<T>): Argument<T | null> => ({ sql });
/** It may be left out. */
export const optional = <T>({ sql }: Argument<T>): OptionalArgument<T> => ({ sql, optional: true });

/** `fn<Answer>()({ run_id: uuid })`. */
export const fn =
  <Answer>() =>
  <const A extends Arguments>(args: A): SqlFunction<A, Answer> => ({ args });
