import type { AttemptLimit, AttemptWindow, Store } from "../ports/store.ts";
import { expectEqual, settle } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import { sampleLimit, seedRandom } from "./sample.ts";

const RACERS = 100;
const NOW = 1_700_000_000_000;
/** An instant before all windows of the laws: at it none of them is over. */
const EARLY = 0;
const ROUNDS = 5;
const STEPS = 80;

/** The contract of `AttemptStore`. */
export const attemptLaws: readonly StoreLaw[] = [
  law("takeAttempts counts up to the limit and then returns null", async (store) => {
    const limit = sampleLimit("a", { max: 3, window: 1_000 });
    const endsAt = NOW + 1_000;
    expectEqual(await store.findAttempts(["a"], EARLY), [], "a key without attempts");
    for (const count of [1, 2, 3]) {
      const window = { key: "a", count, endsAt };
      expectEqual(await store.takeAttempts([limit], NOW + count - 1), [window], "what was taken");
      expectEqual(await store.findAttempts(["a"], NOW), [window], "what was counted");
    }
    for (const now of [NOW + 3, endsAt - 1]) {
      expectEqual(await store.takeAttempts([limit], now), null, "one more than the limit");
      const window = { key: "a", count: 3, endsAt };
      expectEqual(await store.findAttempts(["a"], now), [window], "after a refusal");
    }
    const wider = { ...limit, max: 4 };
    expectEqual(
      await store.takeAttempts([wider], NOW),
      [{ key: "a", count: 4, endsAt }],
      "a limit that is wider now",
    );
    expectEqual(await store.takeAttempts([limit], NOW), null, "a limit that is narrower again");
    expectEqual(await store.takeAttempts([], NOW), [], "no limits at all");
  }),

  law("takeAttempts counts against every limit or, when one is exhausted, none", async (store) => {
    const limits = [
      sampleLimit("b", { max: 3, window: 300 }),
      sampleLimit("c", { max: 2, window: 200 }),
      sampleLimit("a", { max: 4, window: 100 }),
    ];
    for (const count of [1, 2]) {
      const windows = limits.map(({ key, window }) => ({ key, count, endsAt: NOW + window }));
      expectEqual(await store.takeAttempts(limits, NOW), windows, "the windows, in their order");
    }
    const before = await findAll(store, ["a", "b", "c"]);
    for (const order of [limits, limits.toReversed()]) {
      expectEqual(await store.takeAttempts(order, NOW + 1), null, "with one of three exhausted");
    }
    const [first = sampleLimit("b")] = limits;
    const unknown = sampleLimit("d");
    for (const order of [[unknown, ...limits], [...limits, unknown]]) {
      expectEqual(await store.takeAttempts(order, NOW + 150), null, "beside a window that is over");
    }
    expectEqual(await findAll(store, ["a", "b", "c", "d"]), before, "what was counted");
    expectEqual(
      await store.takeAttempts([first], NOW),
      [{ key: "b", count: 3, endsAt: NOW + 300 }],
      "a limit that is not exhausted",
    );
  }),

  law("a window is over at its end exactly, and the next one begins then", async (store) => {
    const limit = sampleLimit("a", { max: 1, window: 1_000, longest: 1_000 });
    const other = sampleLimit("b", { max: 9, window: 1_000 });
    await store.takeAttempts([limit, other], NOW);
    const end = NOW + 1_000;
    expectEqual((await store.findAttempts(["a", "b"], end - 1)).length, 2, "just before the end");
    expectEqual(await store.findAttempts(["a", "b"], end), [], "at the end");
    expectEqual(await store.takeAttempts([limit], end - 1), null, "one more just before the end");
    expectEqual(
      await store.takeAttempts([other], end - 1),
      [{ key: "b", count: 2, endsAt: end }],
      "in the same window",
    );
    expectEqual(await store.takeAttempts([limit, other], end), [
      { key: "a", count: 1, endsAt: end + 1_000 },
      { key: "b", count: 1, endsAt: end + 1_000 },
    ], "in the next windows");
  }),

  law(
    "a window that soon follows an exhausted one is twice as long, up to the longest",
    async (store) => {
      const limit = sampleLimit("a", { max: 2, window: 100, longest: 500 });
      let now = NOW;
      for (const length of [100, 200, 400, 500, 500]) {
        for (const count of [1, 2]) {
          const window = { key: "a", count, endsAt: now + length };
          const what = `${length} milliseconds`;
          expectEqual(await store.takeAttempts([limit], now), [window], what);
        }
        expectEqual(await store.takeAttempts([limit], now + length - 1), null, "until the end");
        now += length;
      }
      const flat = sampleLimit("b", { max: 1, window: 100, longest: 100 });
      for (const start of [NOW, NOW + 100, NOW + 200]) {
        const window = { key: "b", count: 1, endsAt: start + 100 };
        expectEqual(await store.takeAttempts([flat], start), [window], "without growth");
      }
    },
  ),

  law("a window is as long as the first after a quiet time or attempts to spare", async (store) => {
    const limit = sampleLimit("a", { max: 2, window: 100, longest: 1_000 });
    async function take(now: number, length: number, what: string): Promise<void> {
      const window = { key: "a", count: 1, endsAt: now + length };
      expectEqual(await store.takeAttempts([limit], now), [window], what);
    }
    await take(NOW, 100, "the first window");
    await store.takeAttempts([limit], NOW);
    await take(NOW + 199, 200, "just before as much time again has passed");
    await store.takeAttempts([limit], NOW + 199);
    await take(NOW + 599, 100, "after as much time again as an exhausted one was long");
    await take(NOW + 699, 100, "after one that was not exhausted");
    await store.takeAttempts([limit], NOW + 699);
    await take(NOW + 799, 200, "after one that was");
    await take(NOW + 999, 100, "after a longer one that was not");
  }),

  law("attempts of different keys are independent", async (store) => {
    const keys = ["a", "A", "a ", "aa", "", "a\u0301", "\u00e1"];
    const windows = keys.map((key, index) => ({ key, count: index + 1, endsAt: NOW + 100 }));
    for (const { key, count: max } of windows) {
      const limit = sampleLimit(key, { max, window: 100 });
      for (let count = 1; count <= max; count++) {
        const window = { key, count, endsAt: NOW + 100 };
        expectEqual(await store.takeAttempts([limit], NOW), [window], `${count} of ${max}`);
      }
      expectEqual(await store.takeAttempts([limit], NOW), null, "one more than the limit");
    }
    await store.returnAttempts(windows.slice(0, 1));
    const changed = windows.map((window) => window.key === "a" ? { ...window, count: 0 } : window);
    expectEqual(await findAll(store, keys), sortWindows(changed), "after one was returned");
    expectEqual(await findAll(store, ["a", "aa"]), [changed[0], changed[3]], "two of them");
    expectEqual(await store.findAttempts([], NOW), [], "no keys at all");
  }),

  law("hostile text in a key of attempts is taken literally", async (store) => {
    const expected: AttemptWindow[] = [];
    for (const { name, text, mayBeRefused } of hostileTexts) {
      const limits = [sampleLimit(text, { max: 2 }), sampleLimit(`${text}'`, { max: 9 })];
      const result = await settle(store.takeAttempts(limits, NOW));
      expectEqual(result.isRejected && !mayBeRefused, false, `${name} refused`);
      if (result.isRejected) {
        expectEqual((await settle(store.findAttempts([text], NOW))).isRejected, false, name);
        continue;
      }
      const windows = limits.map(({ key, window }) => ({ key, count: 1, endsAt: NOW + window }));
      expectEqual(result.value, windows, name);
      await store.takeAttempts(limits, NOW);
      expectEqual(await store.takeAttempts(limits, NOW), null, `${name}, exhausted`);
      await store.returnAttempts(windows);
      expectEqual(await findAll(store, [text]), windows.slice(0, 1), `${name}, returned`);
      expected.push(...windows);
    }
    const keys = expected.map(({ key }) => key);
    expectEqual(await findAll(store, keys), sortWindows(expected), "all of them");
  }),

  law("findAttempts passes over what is over, and changes nothing", async (store) => {
    await store.takeAttempts([sampleLimit("a", { max: 1, window: 100, longest: 900 })], NOW);
    await store.takeAttempts([sampleLimit("b", { max: 5, window: 200 })], NOW);
    const [a, b] = [
      { key: "a", count: 1, endsAt: NOW + 100 },
      { key: "b", count: 1, endsAt: NOW + 200 },
    ];
    const keys = ["b", "unknown", "a"];
    for (let time = 0; time < 2; time++) {
      expectEqual(await findAll(store, keys, NOW), [a, b], "both");
      expectEqual(await findAll(store, keys, NOW + 100), [b], "one of two");
      expectEqual(await findAll(store, keys, NOW + 200), [], "none of two");
      expectEqual(await findAll(store, keys, EARLY), [a, b], "both at an earlier instant");
    }
    expectEqual(
      await store.takeAttempts(
        [sampleLimit("a", { max: 1, window: 100, longest: 900 })],
        NOW + 100,
      ),
      [{ key: "a", count: 1, endsAt: NOW + 300 }],
      "twice as long as the one that was found",
    );
  }),

  law("returnAttempts takes one attempt back from each window, and never more", async (store) => {
    const limits = [sampleLimit("a", { max: 3 }), sampleLimit("b", { max: 3 })];
    for (let time = 0; time < 3; time++) await store.takeAttempts(limits, NOW);
    const windows = await findAll(store, ["a", "b"]);
    const counted = (count: number) => windows.map((window) => ({ ...window, count }));
    expectEqual(windows, counted(3), "what was taken");
    // The count of what is returned says nothing: others may have counted meanwhile.
    await store.returnAttempts(counted(1));
    expectEqual(await findAll(store, ["a", "b"]), counted(2), "after one return");
    expectEqual((await store.takeAttempts(limits, NOW)) === null, false, "room for one");
    expectEqual(await store.takeAttempts(limits, NOW), null, "and no more");
    for (const count of [2, 1, 0, 0, 0]) {
      await store.returnAttempts(counted(3));
      expectEqual(await findAll(store, ["a", "b"]), counted(count), `down to ${count}`);
    }
    expectEqual(await store.takeAttempts(limits, NOW), counted(1), "counted again from 0");
    await store.returnAttempts([]);
    await store.returnAttempts([{ key: "unknown", count: 1, endsAt: NOW }]);
    expectEqual(await findAll(store, ["a", "b", "unknown"]), counted(1), "after no return");
  }),

  law("returnAttempts passes over a window that another has followed", async (store) => {
    const limit = sampleLimit("a", { max: 2, window: 100, longest: 1_000 });
    const other = sampleLimit("b", { max: 2, window: 900 });
    const [old] = await store.takeAttempts([limit, other], NOW) ?? [];
    await store.takeAttempts([limit], NOW);
    await store.takeAttempts([limit], NOW + 100);
    await store.takeAttempts([limit], NOW + 101);
    if (old !== undefined) await store.returnAttempts([old, { ...old, key: "b" }]);
    expectEqual(await findAll(store, ["a", "b"]), [
      { key: "a", count: 2, endsAt: NOW + 300 },
      { key: "b", count: 1, endsAt: NOW + 900 },
    ], "the windows that are there now");
    await store.returnAttempts([{ key: "a", count: 9, endsAt: NOW + 300 }]);
    expectEqual(
      await store.takeAttempts([limit], NOW + 300),
      [{ key: "a", count: 1, endsAt: NOW + 400 }],
      "after one that is over and no longer exhausted",
    );
  }),

  law("pruneAttempts deletes windows that no longer matter, and no others", async (store) => {
    const gone = [["a", 100, NOW], ["b", 300, NOW - 400], ["c", 1, NOW - 900]] as const;
    const kept = [["d", 101, NOW], ["e", 100, NOW + 1], ["f", 5_000, NOW - 900]] as const;
    const before = NOW + 200;
    for (const [key, window, start] of [...gone, ...kept]) {
      await store.takeAttempts([sampleLimit(key, { window })], start);
    }
    const keys = [...gone, ...kept].map(([key]) => key);
    const windows = await findAll(store, keys);
    expectEqual(windows.length, keys.length, "the windows");
    expectEqual(await store.pruneAttempts(before, 99), gone.length, "how many");
    const left = windows.filter(({ key }) => kept.some(([name]) => name === key));
    expectEqual(await findAll(store, keys), left, "what is left");
    expectEqual(await store.pruneAttempts(before, 99), 0, "how many again");
    // Its length is that of the window there is, not that of the first.
    const limit = sampleLimit("g", { max: 1, window: 100, longest: 1_000 });
    for (const start of [NOW, NOW + 100]) await store.takeAttempts([limit], start);
    expectEqual(await store.pruneAttempts(NOW + 499, 99), kept.length - 1, "all but two");
    expectEqual((await findAll(store, ["f", "g"])).length, 2, "the two");
    expectEqual(await store.pruneAttempts(NOW + 500, 99), 1, "the one that has doubled");
  }),

  law("pruneAttempts deletes at most as many as it is told", async (store) => {
    const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
    await store.takeAttempts(keys.map((key) => sampleLimit(key, { window: 100 })), NOW);
    await store.takeAttempts([sampleLimit("kept", { window: 101 })], NOW);
    expectEqual(await store.pruneAttempts(NOW + 200, 0), 0, "none of ten");
    for (const expected of [4, 4, 2, 0]) {
      expectEqual(await store.pruneAttempts(NOW + 200, 4), expected, "four of what is left");
    }
    const [left, ...none] = await findAll(store, [...keys, "kept"]);
    expectEqual([left?.key, none], ["kept", []], "what is left");
  }),

  law("prunes of attempts that race count each window once", async (store) => {
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    await store.takeAttempts(keys.map((key) => sampleLimit(key, { window: 100 })), NOW);
    const counts = await Promise.all(
      Array.from({ length: 8 }, () => store.pruneAttempts(NOW + 200, 9)),
    );
    expectEqual(counts.reduce((sum, count) => sum + count, 0), keys.length, "all of them");
  }),

  law("takeAttempts counts exactly up to the limit, however many callers race", async (store) => {
    const limit = sampleLimit("a", { max: 20 });
    const taken = await Promise.all(
      Array.from({ length: RACERS }, () => store.takeAttempts([limit], NOW)),
    );
    const counts = taken.flatMap((windows) => windows ?? []).map(({ count }) => count);
    const expected = Array.from({ length: 20 }, (_, index) => index + 1);
    expectEqual(counts.sort((left, right) => left - right), expected, "the counts told");
    const window = { key: "a", count: 20, endsAt: NOW + limit.window };
    expectEqual(await findAll(store, ["a"]), [window], "the count");
  }),

  law("takeAttempts that race over several limits count all of them or none", async (store) => {
    const own = (racer: number) => `own-${racer}`;
    const taken = await Promise.all(
      Array.from({ length: RACERS }, (_, racer) => {
        const limits = [sampleLimit(own(racer)), sampleLimit("shared", { max: 20 })];
        return store.takeAttempts(racer % 2 === 0 ? limits : limits.toReversed(), NOW);
      }),
    );
    const winners = taken.flatMap((windows, racer) => windows === null ? [] : [own(racer)]);
    expectEqual(winners.length, 20, "the callers who were counted");
    const [shared] = await findAll(store, ["shared"]);
    expectEqual(shared?.count, 20, "the count of the limit they share");
    const keys = Array.from({ length: RACERS }, (_, racer) => own(racer));
    const found = await findAll(store, keys);
    expectEqual(found.map(({ key }) => key), winners.sort(), "the limits of their own");
  }),

  law("takeAttempts that race at the end of a window begin one next window", async (store) => {
    const limit = sampleLimit("a", { max: 5, window: 100, longest: 1_000 });
    for (let time = 0; time < 5; time++) await store.takeAttempts([limit], NOW);
    const taken = await Promise.all(
      Array.from({ length: 30 }, () => store.takeAttempts([limit], NOW + 100)),
    );
    expectEqual(taken.filter((windows) => windows !== null).length, 5, "those who were counted");
    const window = { key: "a", count: 5, endsAt: NOW + 300 };
    expectEqual(await findAll(store, ["a"]), [window], "the next window");
  }),

  law("returnAttempts that race with others lose no attempt", async (store) => {
    const limit = sampleLimit("a", { max: 90 });
    const window = { key: "a", count: 50, endsAt: NOW + limit.window };
    await Promise.all(Array.from({ length: 50 }, () => store.takeAttempts([limit], NOW)));
    await Promise.all(
      Array.from({ length: 60 }, async (_, racer) => {
        if (racer % 3 === 0) await store.takeAttempts([limit], NOW);
        else await store.returnAttempts([window]);
      }),
    );
    expectEqual(await findAll(store, ["a"]), [{ ...window, count: 30 }], "50 + 20 - 40");
  }),

  {
    name: "attempts are counted, returned and pruned as a model does it",
    async run(open) {
      for (let seed = 0; seed < ROUNDS; seed++) await followModel(await open(), seed);
    },
  },

  law("a window changed outside the store changes nothing inside it", async (store) => {
    const limit = sampleLimit("a", { max: 5 });
    const spoil = (windows: readonly AttemptWindow[] | null) => {
      for (const window of windows ?? []) Reflect.set(window, "count", 99);
    };
    spoil(await store.takeAttempts([limit], NOW));
    spoil(await store.findAttempts(["a"], NOW));
    const window = { key: "a", count: 1, endsAt: NOW + limit.window };
    expectEqual(await store.findAttempts(["a"], NOW), [window], "the window");
  }),
];

/** The windows of these keys that are not over, in the order of their keys. */
async function findAll(
  store: Store,
  keys: readonly string[],
  now: number = EARLY,
): Promise<readonly AttemptWindow[]> {
  return sortWindows(await store.findAttempts(keys, now));
}

function sortWindows(windows: readonly AttemptWindow[]): readonly AttemptWindow[] {
  return windows.toSorted((left, right) =>
    left.key === right.key ? 0 : left.key < right.key ? -1 : 1
  );
}

/** A window as the model keeps it. */
interface ModelWindow extends AttemptWindow {
  readonly length: number;
}

/** Does random things to a store and to a model, one after the other, and compares. */
async function followModel(store: Store, seed: number): Promise<void> {
  const random = seedRandom(seed);
  const keys = ["a", "b", "c", "d"];
  const model = new Map<string, ModelWindow>();
  let now = NOW;
  for (let step = 0; step < STEPS; step++) {
    const what = `step ${step} of seed ${seed}`;
    now += random(3) === 0 ? random(40) : 0;
    const choice = random(10);
    if (choice < 7) {
      const limits = keys.filter(() => random(2) === 0).map((key) =>
        sampleLimit(key, { max: 1 + random(3), window: 10, longest: 10 + random(60) })
      );
      const expected = takeFromModel(model, limits, now);
      expectEqual(await store.takeAttempts(limits, now), expected, `taken in ${what}`);
    } else if (choice < 9) {
      const window = model.get(keys[random(keys.length)] ?? "");
      if (window === undefined) continue;
      const endsAt = window.endsAt - (random(4) === 0 ? 1 : 0);
      await store.returnAttempts([{ key: window.key, count: random(9), endsAt }]);
      if (endsAt === window.endsAt && window.count > 0) {
        model.set(window.key, { ...window, count: window.count - 1 });
      }
    } else {
      const before = now - random(20);
      const gone = [...model.values()].filter(({ endsAt, length }) => endsAt + length <= before);
      for (const { key } of gone) model.delete(key);
      expectEqual(await store.pruneAttempts(before, 9), gone.length, `pruned in ${what}`);
    }
    const held = [...model.values()].map(toWindow);
    expectEqual(await findAll(store, keys), sortWindows(held), `held after ${what}`);
  }
}

function takeFromModel(
  model: Map<string, ModelWindow>,
  limits: readonly AttemptLimit[],
  now: number,
): readonly AttemptWindow[] | null {
  const taken = limits.map((limit) => countInModel(model.get(limit.key), limit, now));
  if (taken.some(({ count }, index) => count > (limits[index]?.max ?? 0))) return null;
  for (const window of taken) model.set(window.key, window);
  return taken.map(toWindow);
}

function countInModel(
  old: ModelWindow | undefined,
  { key, max, window, longest }: AttemptLimit,
  now: number,
): ModelWindow {
  if (old !== undefined && now < old.endsAt) return { ...old, count: old.count + 1 };
  const isQuiet = old === undefined || old.count < max || now >= old.endsAt + old.length;
  const length = isQuiet ? window : Math.min(longest, 2 * old.length);
  return { key, count: 1, endsAt: now + length, length };
}

function toWindow({ key, count, endsAt }: ModelWindow): AttemptWindow {
  return { key, count, endsAt };
}
