import { describe, expect, test } from "vitest";
import { withDeadline } from "../../src/data/deadline.ts";

const never = new Promise<never>(() => {});
const HOUR = 3_600_000;

describe("withDeadline", () => {
  test("settles as work that is done in time, and never calls onLate", async () => {
    const late: string[] = [];
    const onLate = () => late.push("late");
    expect(await withDeadline(Promise.resolve("done"), 1, onLate)).toBe("done");
    await expect(withDeadline(Promise.reject(new Error("broken")), 1, onLate)).rejects.toThrow(
      "broken",
    );
    // A later deadline has passed, so that the timers above would have fired.
    await withDeadline(never, 5, () => null);
    expect(late).toEqual([]);
  });

  test("settles as onLate does when the time is over", async () => {
    expect(await withDeadline(never, 1, () => "late")).toBe("late");
    await expect(withDeadline(never, 1, () => {
      throw new RangeError("late");
    })).rejects.toThrow(new RangeError("late"));
  });

  // Vitest fails a run in which a rejection is handled by nobody.
  test("swallows what becomes of the work after the deadline", async () => {
    const rejected: (() => void)[] = [];
    const work = new Promise<never>((_, reject) => rejected.push(() => reject(new Error("late"))));
    expect(await withDeadline(work, 1, () => "late")).toBe("late");
    for (const reject of rejected) reject();
    await withDeadline(never, 5, () => null);
  });

  test.each([HOUR, 2 ** 31, Number.MAX_SAFE_INTEGER])(
    "waits for the work when the deadline is %i milliseconds away",
    async (milliseconds) => {
      const work = withDeadline(never, 5, () => "work");
      expect(await withDeadline(work, milliseconds, () => "late")).toBe("work");
    },
  );
});
