/** Replays the recordings against every adapter: `npm run test:drf`. */
import process from "node:process";
import { replayAll } from "./replay.ts";
import { type AdapterReport, countFailures, writeReport } from "./report.ts";
import { type AdapterName, adapterNames } from "./target.ts";

const reports = await Promise.all(adapterNames.map(report));
console.log(writeReport(reports));
if (countFailures(reports) > 0) process.exitCode = 1;

async function report(name: AdapterName): Promise<AdapterReport> {
  try {
    return { name, outcomes: await replayAll(name), problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { name, outcomes: [], problem };
  }
}
