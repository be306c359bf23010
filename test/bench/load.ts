import * as v from "valibot";
import { callable, importPeer } from "./peers.ts";
import type { Server } from "./server.ts";

/** What a server did under load. */
export interface Load {
  /** Answers a second. */
  readonly rate: number;
  /** Answers for each second of processor time; `null` where the system does not tell. */
  readonly perProcessor: number | null;
}

const CONNECTIONS = 16;
const Result = v.object({
  duration: v.number(),
  errors: v.number(),
  timeouts: v.number(),
  non2xx: v.number(),
  "2xx": v.number(),
});

/** Asks for the guarded route over sockets as fast as it goes, for some seconds. */
export async function loadServer(
  server: Server,
  seconds: number,
): Promise<Load> {
  const { default: autocannon } = await importPeer(
    "autocannon",
    v.object({ default: callable }),
  );
  const cpu = server.readCpu();
  const result = v.parse(
    Result,
    await autocannon({
      url: server.url,
      connections: CONNECTIONS,
      duration: seconds,
      headers: { authorization: server.authorization },
    }),
  );
  const after = server.readCpu();
  const failed = result.errors + result.timeouts + result.non2xx;
  if (failed > 0 || result["2xx"] === 0) {
    throw new Error(
      `Cannot go on: ${failed} requests failed, ${result["2xx"]} did not`,
    );
  }
  return {
    rate: result["2xx"] / result.duration,
    perProcessor: cpu === null || after === null ? null : result["2xx"] / (after - cpu),
  };
}
