import { Session } from "node:inspector/promises";
import type { HotSpot } from "./figure.ts";

const SPOTS = 12;

/** Runs `work` under the profiler and tells which functions took the most time by themselves. */
export async function profileWhile(
  work: () => Promise<unknown>,
): Promise<readonly HotSpot[]> {
  const stop = await startProfile();
  await work();
  return await stop();
}

/** Starts the profiler; what it returns stops it and tells. */
export async function startProfile(): Promise<
  () => Promise<readonly HotSpot[]>
> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    const places = new Map<number, string>();
    for (
      const { id, callFrame: { functionName, url, lineNumber } } of profile
        .nodes
    ) {
      const file = url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "").replace(
        /^\.built-\w+\//,
        "",
      );
      const name = functionName === "" ? "(anonymous)" : functionName;
      // Of native code the profiler knows only the nearest symbol that is exported.
      const native = name.startsWith("(") ? name : `${name} (native, or near it)`;
      places.set(
        id,
        file === "" ? native : `${name} ${file}:${lineNumber + 1}`,
      );
    }
    return addUp(profile.samples ?? [], places);
  };
}

function addUp(
  samples: readonly number[],
  places: ReadonlyMap<number, string>,
): readonly HotSpot[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const id of samples) {
    const place = places.get(id) ?? "unknown";
    if (place === "(idle)") continue;
    total += 1;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, SPOTS)
    .map(([place, count]) => ({ place, share: count / total }));
}
