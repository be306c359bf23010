import { readGlobal, readProperty } from "./platform.ts";

/** How many processors the platform says it has; 2 where it does not say, as on Node 20. */
export function countProcessors(): number {
  const count = readProperty(readGlobal("navigator"), "hardwareConcurrency");
  return typeof count === "number" && Number.isInteger(count) && count > 0 ? count : 2;
}
