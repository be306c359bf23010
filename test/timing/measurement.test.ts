import { fail, ok } from "latchkey";
import { describe, expect, it } from "vitest";
import { seededNumbers } from "../fixture.ts";
import { type Case, formatReport, judgeCases, measureCases } from "./measurement.ts";

const draw = seededNumbers(7);

function describeCase(name: string, kind: Case["kind"], like?: string): Case {
  const compared = like === undefined ? {} : { like };
  return { name, kind, ...compared, outcome: "ok", run: async () => ok(null) };
}

/** Times around a middle, in milliseconds, that differ by a tenth of it at most. */
function drawTimes(middle: number): readonly number[] {
  return Array.from({ length: 500 }, () => middle * (0.95 + draw(1_000) / 10_000));
}

describe("judgeCases()", () => {
  const cases = [
    describeCase("base", "base"),
    describeCase("base once more", "control", "base"),
    describeCase("the same", "promised", "base"),
    describeCase("5 % more", "promised", "base"),
    describeCase("20 % more", "promised", "base"),
    describeCase("20 % less", "promised", "base"),
    describeCase("twice", "told", "base"),
  ];
  const middles = [10, 10, 10, 10.5, 12, 8, 20];
  const series = new Map(cases.map(({ name }, at) => [name, drawTimes(middles[at] ?? 0)]));
  const report = judgeCases(cases, series);

  it("breaks a promise only by more than 10 %, and tells what else differs", () => {
    expect(report.noise).toBeLessThan(6);
    expect(
      report.findings.map(({ name, isBeyondNoise, isBroken }) => [name, isBeyondNoise, isBroken]),
    ).toEqual([
      ["base once more", false, false],
      ["the same", false, false],
      ["5 % more", true, false],
      ["20 % more", true, true],
      ["20 % less", true, true],
      ["twice", true, false],
    ]);
  });

  it("breaks no promise by what the controls do as well", () => {
    const noisy = new Map(series).set("base once more", drawTimes(30));
    expect(judgeCases(cases, noisy).findings.filter(({ isBroken }) => isBroken)).toEqual([]);
  });

  it("is laid out with a line for each, and the noise", () => {
    const lines = formatReport(report).split("\n");
    expect(lines).toHaveLength(8);
    expect(lines.filter((line) => line.endsWith("BROKEN"))).toHaveLength(2);
    expect(lines.filter((line) => line.endsWith("differs"))).toHaveLength(2);
    expect(lines.at(-1)).toContain(`|t| up to ${report.noise.toFixed(1)}`);
  });

  it("refuses a comparison with what was not measured", () => {
    expect(() => judgeCases([describeCase("a", "told", "b")], new Map([["a", [1, 2]]])))
      .toThrow('"b"');
  });
});

describe("measureCases()", () => {
  it("runs each case once per round after a tenth of them, in changing orders, and restores it", async () => {
    const steps: string[] = [];
    const cases = ["a", "b", "c"].map((name): Case => ({
      ...describeCase(name, "base"),
      run: async () => ok(steps.push(name)),
      restore: async () => steps.push(`after ${name}`),
    }));
    const series = await measureCases(cases, { rounds: 20, draw });
    expect([...series].map(([name, times]) => [name, times.length]))
      .toEqual([["a", 20], ["b", 20], ["c", 20]]);
    expect(steps).toHaveLength(2 * 3 * 22);
    expect(steps.filter((step, at) => at % 2 === 1 && step !== `after ${steps[at - 1]}`))
      .toEqual([]);
    const orders = Array.from({ length: 22 }, (_, round) =>
      steps.slice(6 * round, 6 * round + 6)
        .join());
    expect(new Set(orders).size).toBeGreaterThan(3);
  });

  it("measures nothing that ends in another way than it should", async () => {
    const odd: Case = {
      ...describeCase("a", "base"),
      run: async () => fail({ reason: "unknown_user" }),
    };
    await expect(measureCases([odd], { rounds: 2, draw })).rejects.toThrow("unknown_user");
  });
});
