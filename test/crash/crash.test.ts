import { expect, it } from "vitest";
import { faults } from "./faults.ts";
import { formatReport } from "./report.ts";
import { runRounds } from "./runner.ts";

const seed = Date.now() % 2 ** 31;

it(
  "nothing that was acknowledged is lost, and nothing is half done, when processes are killed",
  async () => {
    const report = await runRounds({ rounds: 20, seed });
    expect(report.losses, `seed ${seed}`).toEqual([]);
    expect(report.kills).toBe(40);
    expect(report.acknowledged.size).toBeGreaterThan(5);
    expect(report.tokens.holding).toBeGreaterThan(100);
    expect(report.tokens.ended).toBeGreaterThan(20);
    expect(formatReport(report)).toMatch(
      /^20 rounds, 40 kills, [1-9]\d* operations acknowledged$/m,
    );
  },
  120_000,
);

it.each([
  ["revokes nothing", /a token that was ended holds|nobody asked for/],
  ["answers early", /tokens do not hold|unknown_token|Cannot revoke|ended holds/],
  ["knows no epoch", /under way: (change password|set password|deactivate|revoke all)/],
  ["keeps no slot", /reusable token|MALFORMED_ANSWER/],
  ["rotates twice", /rotated into two|nobody asked for|more tokens than the limit/],
  ["revokes one by one", /under way: revoke others/],
])("a store that %s is found out", async (fault, loss) => {
  const { losses } = await runRounds({ rounds: 150, seed, fault });
  expect(losses.join("\n"), `seed ${seed}`).toMatch(loss);
}, 240_000);

it("every fault is tried", () => {
  expect(Object.keys(faults)).toHaveLength(7);
});
