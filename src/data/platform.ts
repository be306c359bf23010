/** A global of the platform that it may lack. */
export function readGlobal(name: string): unknown {
  return readProperty(globalThis, name);
}

/** A property of what may be no object; `undefined` when there is none. */
export function readProperty(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
