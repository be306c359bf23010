/** The platform's clock, in milliseconds since the epoch. */
export function systemClock(): number {
  return Date.now();
}
