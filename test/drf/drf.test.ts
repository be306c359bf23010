import { expect, test } from "vitest";
import { pbkdf2 } from "latchkey/pbkdf2";
import { type Case, readFixtures, readRehearsal } from "./case.ts";
import { deviationTexts } from "./deviations.ts";
import { type Outcome, replayAll, replayOne } from "./replay.ts";
import { listFailures } from "./report.ts";
import { adapterNames, openDirectly } from "./target.ts";

const MINUTES = 60_000;

function describeFailures(outcomes: readonly Outcome[]): readonly unknown[] {
  return listFailures(outcomes)
    .map(({ recording, differences }) => ({ id: recording.id, differences }));
}

test.concurrent.each(adapterNames)(
  "%s answers like Django REST framework in every recording in scope",
  async (name) => {
    const outcomes = await replayAll(name);
    expect(describeFailures(outcomes)).toEqual([]);
    expect(outcomes.some(({ outOfScope }) => outOfScope === null)).toBe(true);
  },
  5 * MINUTES,
);

test.concurrent.each(adapterNames)(
  "%s answers cases like it that nobody recorded",
  async (name) => {
    const outcomes = await replayAll(name, readRehearsal());
    expect(describeFailures(outcomes)).toEqual([]);
    const deviations = new Set(outcomes.flatMap(({ deviation }) => deviation ?? []));
    const rest = Object.keys(deviationTexts).filter((id) => id !== "stronger-hash");
    expect([...deviations].sort()).toEqual(rest.sort());
  },
  5 * MINUTES,
);

test("a hash stronger than configured is kept where the recording weakens it", async () => {
  const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
  const encoded = await pbkdf2({ iterations: 300_000 }).hash("ivan-pass-1", random);
  const recorded = readFixtures();
  const users = recorded.users
    .map((user) => (user.username === "ivan" ? { ...user, encoded } : user));
  const fixtures = { ...recorded, users };
  const direct = await openDirectly(fixtures);
  const outcome = await replayOne(findCase("ok-stronger-hash"), fixtures, direct, direct);
  expect(outcome).toMatchObject({ deviation: "stronger-hash", differences: [] });
});

const tampered: readonly (readonly [string, (recording: Case) => Case])[] = [
  ["the status", ({ response, ...rest }) => ({ ...rest, response: { ...response, status: 204 } })],
  ["the body", ({ response, ...rest }) => ({ ...rest, response: { ...response, json: {} } })],
  [
    "a header",
    ({ response, ...rest }) => ({ ...rest, response: { ...response, headers: { Allow: "GET" } } }),
  ],
  [
    "a header that must be absent",
    ({ response, ...rest }) => ({
      ...rest,
      response: { ...response, headers_absent: ["Allow"] },
    }),
  ],
  [
    "a fact about the tokens",
    (recording) => ({
      ...recording,
      after: [{ check: "token-count", user: "alice", value: 2 }],
    }),
  ],
  [
    "a fact about the password",
    (recording) => ({
      ...recording,
      after: [{ check: "hash-prefix", user: "alice", value: "argon2" }],
    }),
  ],
  ["an operation", (recording) => ({ ...recording, setup: [{ op: "fly", user: "alice" }] })],
];

test.each(tampered)("the replay fails when %s differs", async (_, tamper) => {
  const fixtures = readFixtures();
  const direct = await openDirectly(fixtures);
  const recording = findCase("tl-aged");
  expect((await replayOne(recording, fixtures, direct, direct)).differences).toEqual([]);
  const outcome = await replayOne(tamper(recording), fixtures, direct, direct);
  expect(outcome.differences).toHaveLength(1);
});

function findCase(id: string): Case {
  const found = readRehearsal().find((recording) => recording.id === id);
  if (found === undefined) throw new Error(`Cannot find ${id}: it is not in the rehearsal`);
  return found;
}
