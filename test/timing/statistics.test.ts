import { describe, expect, it } from "vitest";
import { seededNumbers } from "../fixture.ts";
import { chanceOf, compareSeries, describeSeries, shuffle, welchT } from "./statistics.ts";

describe("welchT()", () => {
  // Means 1 apart, variances 2.5 and 10, five values each: 1 / sqrt(2.5 / 5 + 10 / 5).
  it.each<[string, readonly number[], readonly number[], number]>([
    ["two series of unequal variance", [1, 2, 3, 4, 5], [0, 2, 4, 6, 8], -1 / Math.sqrt(2.5)],
    ["the same two the other way round", [0, 2, 4, 6, 8], [1, 2, 3, 4, 5], 1 / Math.sqrt(2.5)],
    ["series of unequal length", [1, 2, 3], [5, 7], -4 / Math.sqrt(1 / 3 + 1)],
    ["a series and itself", [3, 9, 4], [3, 9, 4], 0],
    ["equal constants", [2, 2], [2, 2, 2], 0],
    ["unequal constants", [3, 3], [2, 2], Infinity],
  ])("is known for %s", (_name, left, right, t) => {
    expect(welchT(left, right)).toBeCloseTo(t, 10);
  });

  it("is refused for a series of one value", () => {
    expect(() => welchT([1], [1, 2])).toThrow(RangeError);
  });
});

describe("describeSeries()", () => {
  it("gives the mean and the variance of a sample", () => {
    expect(describeSeries([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, variance: 32 / 7 });
  });
});

describe("chanceOf()", () => {
  it.each([[0, 1], [1, 0.3173105], [-1.959964, 0.05], [2.575829, 0.01], [4.5, 0.0000068]])(
    "of %d is %d, on both sides",
    (t, chance) => {
      expect(chanceOf(t)).toBeCloseTo(chance, 6);
      expect(chanceOf(-t)).toBe(chanceOf(t));
    },
  );
});

describe("compareSeries()", () => {
  it("sees a small shift under large outliers, and none where there is none", () => {
    const seed = Date.now() >>> 0;
    const draw = seededNumbers(seed);
    const measure = (base: number) =>
      Array.from(
        { length: 4_000 },
        (_, index) => base + draw(1_000) + (index % 50 === 0 ? 1e6 : 0),
      );
    const [control, same, slower] = [measure(5_000), measure(5_000), measure(5_100)];
    expect(Math.abs(compareSeries(same, control).t), `seed ${seed}`).toBeLessThan(6);
    expect(compareSeries(slower, control).t, `seed ${seed}`).toBeGreaterThan(6);
    expect(compareSeries(slower, control).ratio, `seed ${seed}`).toBeCloseTo(5_600 / 5_500, 1);
  });
});

describe("shuffle()", () => {
  it("keeps every item and follows the numbers that it draws", () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = shuffle(items, seededNumbers(7));
    expect([...shuffled].sort((left, right) => left - right)).toEqual(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffle(items, seededNumbers(7))).toEqual(shuffled);
    expect(shuffle(items, () => 0)).toEqual(items);
  });
});
