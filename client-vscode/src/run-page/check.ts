/** Small checks that a value from elsewhere has a shape. The type is what the check says, so the two can't differ. */

export type Check<T> = (value: unknown) => value is T;
export type Checked<C> = C extends Check<infer T> ? T : never;
type Shape = Readonly<Record<string, Check<unknown>>>;

export const text: Check<string> = (value): value is string => typeof value === "string";
export const flag: Check<boolean> = (value): value is boolean => typeof value === "boolean";
export const number: Check<number> = (value): value is number => Number.isFinite(value);
/** A whole number from 0: a turn, a count. */
export const whole: Check<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export function nullable<T>(inner: Check<T>): Check<T | null> {
  return (value): value is T | null => value === null || inner(value);
}

export function list<T>(inner: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every((each) => inner(each));
}

export function oneOf<const T extends string>(...words: readonly T[]): Check<T> {
  return (value): value is T => words.some((word) => word === value);
}

/** One of several shapes. */
export function anyOf<S extends Shape>(shapes: S): Check<Checked<S[keyof S]>> {
  const checks = Object.values(shapes);
  return (value): value is Checked<S[keyof S]> => checks.some((check) => check(value));
}

/** Every named property is there and right; others are not looked at. */
export function object<S extends Shape>(shape: S): Check<{ readonly [K in keyof S]: Checked<S[K]> }> {
  return (value): value is { readonly [K in keyof S]: Checked<S[K]> } =>
    isRecord(value) && Object.entries(shape).every(([name, check]) => check(value[name]));
}

/** Like `object`, but properties may be missing. */
export function partial<S extends Shape>(shape: S): Check<{ readonly [K in keyof S]?: Checked<S[K]> }> {
  return (value): value is { readonly [K in keyof S]?: Checked<S[K]> } =>
    isRecord(value) && Object.entries(shape).every(([name, check]) => !(name in value) || check(value[name]));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
