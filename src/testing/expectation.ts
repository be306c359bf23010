/** Fails unless both are equal, field by field, with no field more or less. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isEqual(actual, expected)) return;
  throw new Error(`Broken contract: ${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** Fails unless the promise rejects. */
export async function expectRejection(promise: Promise<unknown>, what: string): Promise<void> {
  const result = await settle(promise);
  if (result.isRejected) return;
  throw new Error(`Broken contract: ${what}: expected a rejection, got ${show(result.value)}`);
}

/** What became of a promise. */
export type Settled<T> =
  | { readonly isRejected: false; readonly value: T }
  | { readonly isRejected: true };

/** Waits for a promise that may reject. */
export function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ isRejected: false, value }),
    () => ({ isRejected: true }),
  );
}

function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === null || right === null || Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) =>
    Object.hasOwn(right, name) && isEqual(Reflect.get(left, name), Reflect.get(right, name))
  );
}

const MAX_SHOWN = 400;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
