import type { RevocationBus, TokenChange } from "../ports/revocation_bus.ts";

/** Tells a bus of a change that is stored; whatever the bus does is its own affair. */
export function tell(bus: RevocationBus | undefined, change: TokenChange): void {
  try {
    Promise.resolve(bus?.publish(change)).catch(() => undefined);
  } catch {
    // The change is stored; the others notice it when their entries have grown stale.
  }
}

/** Guards those who configure from JavaScript. */
export function isBus(bus: RevocationBus): boolean {
  return typeof bus?.publish === "function" && typeof bus.subscribe === "function";
}

/** A change as it should be; `null` for anything else that a bus may bring. */
export function readChange(change: TokenChange): TokenChange | null {
  try {
    const { of, id } = change;
    const isKind = of === "token" || of === "family" || of === "owner";
    return isKind && typeof id === "string" ? { of, id } : null;
  } catch {
    return null;
  }
}
