import type { AuthEvent } from "../pure/event.ts";
import type { Auth } from "./auth.ts";

/** Hands an event to the application's sink, whose failures of any kind stay its own. */
export function emit<Scope extends string>({ onEvent }: Auth<Scope>, event: AuthEvent): void {
  if (onEvent === null) return;
  try {
    Promise.resolve(onEvent(event)).catch(() => undefined);
  } catch {
    // A sink that throws must not change what a request is answered.
  }
}
