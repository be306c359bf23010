/** What a timer can count: beyond it, timers fire at once. */
const LONGEST_TIMER = 2_147_483_647;

/**
 * Settles as `work` does, or as `onLate` does when `work` takes longer than some milliseconds.
 *
 * The timer is stopped as soon as `work` settles, so it keeps no process awake. `work` itself
 * goes on: whoever can stop it does so in `onLate`. What becomes of it after the deadline is
 * ignored, a rejection too. More than 24 days count as 24 days.
 *
 * @param work What is waited for
 * @param milliseconds How long, from now
 * @param onLate Runs once, only when the time is over; what it throws is thrown
 */
export function withDeadline<Value, Late>(
  work: Promise<Value>,
  milliseconds: number,
  onLate: () => Late,
): Promise<Value | Late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(onLate());
      } catch (error) {
        reject(error);
      }
    }, Math.min(milliseconds, LONGEST_TIMER));
    const stop = () => clearTimeout(timer);
    work.then(resolve, reject);
    work.then(stop, stop);
  });
}
