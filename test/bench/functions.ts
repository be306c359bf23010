import type { Effort, Figure, Outcome } from "./figure.ts";
import { alternate } from "./rounds.ts";
import { startWorker, type Worker } from "./worker.ts";

/** A figure, with the names in calls.ts of what its sides call. */
interface Comparison {
  readonly name: string;
  readonly subject: readonly [call: string, words: string];
  readonly rival: readonly [call: string, words: string];
  readonly unit: "µs" | "/s";
  readonly target: Figure["target"];
}

const comparisons: readonly Comparison[] = [
  {
    name: "cached hit",
    subject: ["verify cached", "verifyToken, cached"],
    rival: ["hash", "one SHA-256"],
    unit: "µs",
    target: { bound: "at most", value: 2.5 },
  },
  {
    name: "verify libsql",
    subject: ["verify libsql", "verifyToken, libSQL file"],
    rival: ["look up by hand", "client.execute by hand"],
    unit: "/s",
    target: { bound: "at least", value: 2 },
  },
  {
    name: "verify libsql sync",
    subject: ["verify libsql sync", "verifyToken, libSQL file, synchronous"],
    rival: ["look up by hand", "client.execute by hand"],
    unit: "/s",
    target: { bound: "at least", value: 10 },
  },
  {
    name: "verify libsql better-auth",
    subject: ["verify libsql", "verifyToken, libSQL file"],
    rival: ["better-auth libsql", "better-auth, drizzle + libSQL"],
    unit: "/s",
    target: { bound: "at least", value: 30 },
  },
  {
    name: "verify memory better-auth",
    subject: ["verify memory", "verifyToken, memory store"],
    rival: ["better-auth memory", "better-auth, memory adapter"],
    unit: "/s",
    target: { bound: "at least", value: 100 },
  },
  {
    name: "verify memory",
    subject: ["verify memory", "verifyToken, memory store"],
    rival: ["hash", "one SHA-256"],
    unit: "µs",
    target: null,
  },
];

/** The figures about functions, without a server. */
export const functionFigures: readonly Figure[] = comparisons.map(
  (comparison) => {
    const { name, subject, rival, unit, target } = comparison;
    return {
      name,
      subject: subject[1],
      rival: rival[1],
      unit,
      relation: "ratio",
      target,
      measure: (effort) => compare(comparison, effort),
      profile: () => profile(comparison),
    };
  },
);

async function compare(
  { subject, rival, unit }: Comparison,
  { quick }: Effort,
): Promise<Outcome> {
  const time = quick ? 100 : 500;
  const start = ([call]: Comparison["subject"]) =>
    startWorker("function_worker", [call, unit, String(time)]);
  const workers: Worker[] = [];
  try {
    const [one, other] = [await start(subject), await start(rival)];
    workers.push(one, other);
    const sides = {
      subject: () => one.measure(),
      rival: () => other.measure(),
    };
    return { kind: "measured", rounds: await alternate(quick ? 5 : 11, sides) };
  } finally {
    for (const worker of workers) await worker.stop();
  }
}

async function profile({ subject: [call], unit }: Comparison) {
  const worker = await startWorker("function_worker", [call, unit, "100"]);
  try {
    return await worker.profile();
  } finally {
    await worker.stop();
  }
}
