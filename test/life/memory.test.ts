import { memoryStore } from "latchkey/memory";
import { testLaws } from "./law.ts";
import { crashLaws } from "./crash_laws.ts";
import { goldenLaws } from "./golden_laws.ts";
import { leakLaws } from "./leak_laws.ts";
import { lifetimeLaws } from "./lifetime_laws.ts";
import { raceLaws } from "./race_laws.ts";
import { sinkLaws } from "./sink_laws.ts";

testLaws("memory", [
  ...goldenLaws,
  ...leakLaws,
  ...lifetimeLaws,
  ...crashLaws,
  ...sinkLaws,
  ...raceLaws,
], async () => {
  const store = memoryStore();
  return [store, store, store];
});
