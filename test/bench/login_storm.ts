import { Agent } from "node:http";
import type { Effort, Figure, HotSpot, Outcome } from "./figure.ts";
import { sampleLatency, send } from "./latency.ts";
import { alternate, quantileOf } from "./rounds.ts";
import { type Server, startApplication } from "./server.ts";
import { CREDENTIALS } from "./subject.ts";

const LOGINS = 8;

/** Whether logins, each of which hashes a password, make verifications wait. */
export const loginFigures: readonly Figure[] = [
  {
    name: "login storm",
    subject: `verification p99, ${LOGINS} logins at once`,
    rival: "the same, idle",
    unit: "ms",
    relation: "ratio",
    target: { bound: "at most", value: 2 },
    measure,
    profile,
  },
];

async function measure({ quick }: Effort): Promise<Outcome> {
  const server = await startApplication("hono", "login");
  const duration = quick ? 1_000 : 5_000;
  let logins = 0;
  try {
    const rounds = await alternate(quick ? 3 : 5, {
      subject: async () => {
        const storm = startStorm(server);
        const samples = await sampleLatency(server, duration);
        logins += await storm.stop();
        return quantileOf(samples, 0.99);
      },
      rival: async () => quantileOf(await sampleLatency(server, duration), 0.99),
    });
    return { kind: "measured", rounds, note: `${logins} logins meanwhile` };
  } finally {
    await server.stop();
  }
}

async function profile(): Promise<readonly HotSpot[]> {
  const server = await startApplication("hono", "login", { profiled: true });
  let spots: readonly HotSpot[] = [];
  try {
    const storm = startStorm(server);
    await sampleLatency(server, 3_000);
    await storm.stop();
  } finally {
    spots = await server.stop();
  }
  return spots;
}

/** Logs in from several connections, each time as soon as the last one was answered. */
function startStorm(server: Server): { stop(): Promise<number> } {
  const agent = new Agent({ keepAlive: true, maxSockets: LOGINS });
  const body = JSON.stringify(CREDENTIALS);
  let isOver = false;
  let count = 0;
  const work = Array.from({ length: LOGINS }, async () => {
    while (!isOver) {
      await send(server, agent, { method: "POST", path: "/login", body });
      count += 1;
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(work);
      agent.destroy();
      return count;
    },
  };
}
