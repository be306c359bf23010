import { startDjango } from "./django/django.ts";
import type { Effort, Figure, HotSpot, Outcome, Round } from "./figure.ts";
import { type Load, loadServer } from "./load.ts";
import { alternate, summarize } from "./rounds.ts";
import { type Server, startApplication } from "./server.ts";
import { formatNumber } from "./table.ts";

/*
 * What a server answers in a second depends on whether the load generator, on the
 * same few cores, can keep it busy, and on whatever else the machine does. What it
 * answers for each second of its own processor time does not: that is the ratio
 * wherever the system tells it of both sides. Django has two processes on two
 * cores, so there the clock counts.
 */

type Application = "hono" | "express" | "deno" | "bun";

/** A figure, with the variants in apps/ that its sides serve. */
interface Comparison {
  readonly name: string;
  readonly subject: readonly [Application, variant: string, words: string];
  readonly rival: readonly [
    Application | "django",
    variant: string,
    words: string,
  ];
  readonly target: number | null;
  readonly isLong?: boolean;
}

const MAP = "a map by hand";

const comparisons: readonly Comparison[] = [
  {
    name: "hono cached",
    subject: ["hono", "cached", "Hono, cached"],
    rival: ["hono", "map", MAP],
    target: 0.9,
  },
  {
    name: "express cached",
    subject: ["express", "cached", "Express, cached"],
    rival: ["express", "map", MAP],
    target: 0.9,
  },
  {
    name: "deno cached",
    subject: ["deno", "cached", "Deno.serve, cached"],
    rival: ["deno", "map", MAP],
    target: 0.9,
  },
  {
    name: "bun cached",
    subject: ["bun", "cached", "Bun.serve, cached"],
    rival: ["bun", "map", MAP],
    target: 0.9,
  },
  {
    name: "hono cached bearerAuth",
    subject: ["hono", "cached", "Hono, cached"],
    rival: ["hono", "bearerAuth", "bearerAuth, one token"],
    target: 3,
  },
  {
    name: "express cached passport",
    subject: ["express", "cached", "Express, cached"],
    rival: ["express", "passport", "passport, a map by hand"],
    target: 1,
  },
  {
    name: "django",
    subject: ["hono", "libsql", "Hono, libSQL file"],
    rival: ["django", "", "Django REST framework"],
    target: 4,
  },
  {
    name: "django cached",
    subject: ["hono", "cached", "Hono, cached"],
    rival: ["django", "", "Django REST framework"],
    target: 30,
  },
  ...(["hono", "express", "deno", "bun"] as const).map((
    application,
  ): Comparison => ({
    name: `${application} memory`,
    subject: [application, "memory", `${application}, memory store`],
    rival: [application, "map", MAP],
    target: null,
    isLong: true,
  })),
  {
    name: "hono libsql",
    subject: ["hono", "libsql", "Hono, libSQL file"],
    rival: ["hono", "map", MAP],
    target: null,
    isLong: true,
  },
];

/** The figures about guarded routes, each over sockets. */
export const serverFigures: readonly Figure[] = comparisons.map(
  (comparison) => {
    const { name, subject, rival, target, isLong = false } = comparison;
    return {
      name,
      subject: subject[2],
      rival: rival[2],
      unit: "/s",
      relation: "ratio",
      target: target === null ? null : { bound: "at least", value: target },
      isLong,
      measure: (effort) => compare(comparison, effort),
      ...(["hono", "express"].includes(subject[0]) ? { profile: () => profile(comparison) } : {}),
    };
  },
);

async function compare(
  { subject, rival }: Comparison,
  { quick }: Effort,
): Promise<Outcome> {
  const seconds = quick ? 0.6 : 3;
  const servers: Server[] = [];
  try {
    const one = await startApplication(subject[0], subject[1]);
    servers.push(one);
    const [name, variant] = rival;
    const other = name === "django" ? await startDjango() : await startApplication(name, variant);
    servers.push(other);
    const loads = { subject: new Array<Load>(), rival: new Array<Load>() };
    const byClock = await alternate(quick ? 3 : 5, {
      subject: () => measure(one, loads.subject),
      rival: () => measure(other, loads.rival),
    });
    // The first of each was thrown away, too.
    const byProcessor = byClock.flatMap((_, index) =>
      pair(loads.subject[index + 1], loads.rival[index + 1])
    );
    if (byProcessor.length < byClock.length) {
      return { kind: "measured", rounds: byClock };
    }
    const ratio = formatNumber(summarize(byClock, "ratio").median);
    return {
      kind: "measured",
      rounds: byProcessor,
      note: `by the clock ${ratio} ×`,
    };
  } finally {
    for (const server of servers) await server.stop();
  }

  async function measure(server: Server, loads: Load[]): Promise<number> {
    const load = await loadServer(server, seconds);
    loads.push(load);
    return load.rate;
  }
}

/** Answers for each second of processor time; nothing where that is unknown of one side. */
function pair(
  subject: Load | undefined,
  rival: Load | undefined,
): readonly Round[] {
  if (subject === undefined || rival === undefined) return [];
  if (subject.perProcessor === null || rival.perProcessor === null) return [];
  return [{ subject: subject.perProcessor, rival: rival.perProcessor }];
}

async function profile(
  { subject: [name, variant] }: Comparison,
): Promise<readonly HotSpot[]> {
  const server = await startApplication(name, variant, { profiled: true });
  let spots: readonly HotSpot[] = [];
  try {
    await loadServer(server, 3);
  } finally {
    // The profile comes with the end.
    spots = await server.stop();
  }
  return spots;
}
