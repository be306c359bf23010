/** Replays all recordings against one adapter. */
import { type Case, type Fixtures, readCases, readFixtures } from "./case.ts";
import { findDifferences } from "./comparison.ts";
import { REACHED } from "./control.ts";
import { type DeviationId, findDeviation } from "./deviations.ts";
import { makeKeyRing } from "./key_ring.ts";
import { findScope } from "./scope.ts";
import { type AdapterName, openDirectly, startServer, type Target } from "./target.ts";
import { listViews } from "./views.ts";
import type { WireAnswer } from "./wire.ts";
import { buildWorld } from "./world.ts";

/** What became of one recording. */
export interface Outcome {
  readonly recording: Case;
  /** Why it was not replayed; `null` when it was. */
  readonly outOfScope: string | null;
  readonly deviation: DeviationId | null;
  /** Why the library was asked directly: the bytes depend on the HTTP server; `null` when it was not. */
  readonly unit: "refused" | "changed" | null;
  /** What is wrong, one line each; none when it passed. */
  readonly differences: readonly string[];
}

/** Starts a server with the adapter, replays every recording in scope, and stops the server. */
export async function replayAll(
  name: AdapterName,
  recordings: readonly Case[] = readCases(),
): Promise<readonly Outcome[]> {
  const fixtures = readFixtures();
  const views = listViews(await buildWorld(fixtures));
  const direct = await openDirectly(fixtures);
  const server = await startServer(name);
  try {
    const outcomes: Outcome[] = [];
    for (const recording of recordings) {
      const outOfScope = findScope(recording, views, fixtures);
      outcomes.push(
        outOfScope === null
          ? await replayOne(recording, fixtures, server, direct)
          : { recording, outOfScope, deviation: null, unit: null, differences: [] },
      );
    }
    return outcomes;
  } finally {
    await server.stop();
  }
}

/**
 * Replays one recording.
 *
 * @param direct What is asked when a recording that depends on the HTTP server is answered otherwise
 */
export async function replayOne(
  recording: Case,
  fixtures: Fixtures,
  server: Target,
  direct: Target,
): Promise<Outcome> {
  const outcome = { recording, outOfScope: null, deviation: null, unit: null };
  try {
    const first = await judge(recording, fixtures, server);
    if (first.differences.length === 0 || recording.server_specific === undefined) {
      return { ...outcome, ...first };
    }
    const unit = first.reached ? "changed" : "refused";
    return { ...outcome, ...await judge(recording, fixtures, direct), unit };
  } catch (error) {
    return { ...outcome, differences: [error instanceof Error ? error.message : String(error)] };
  }
}

interface Judgement {
  readonly deviation: DeviationId | null;
  readonly differences: readonly string[];
  /** Whether the application saw the request. */
  readonly reached: boolean;
}

async function judge(recording: Case, fixtures: Fixtures, target: Target): Promise<Judgement> {
  const deviation = await findDeviation(recording, fixtures, (one) => send(one, target));
  const expected = deviation?.instead ?? recording;
  const answer = await send(expected, target);
  const facts = await Promise.all(expected.after.map(target.verify));
  return {
    deviation: deviation?.id ?? null,
    differences: [
      ...findDifferences(expected, answer),
      ...facts.filter((problem) => problem !== null),
    ],
    reached: answer.headers.get(REACHED.name.toLowerCase()) === REACHED.value,
  };
}

/** Brings about the recorded state, sends the request, and returns the answer, keys as recorded. */
async function send({ setup, request }: Case, target: Target): Promise<WireAnswer> {
  const keys = makeKeyRing(await target.reset());
  for (const one of setup) {
    if (one.request === undefined) await target.apply(keys.toSetup(one));
    else await target.exchange(keys.toWire(one.request));
  }
  return keys.toRecorded(await target.exchange(keys.toWire(request)));
}
