import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as os from "node:os";
import process from "node:process";
import { PROJECT } from "./project.ts";

/** Where figures were taken. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
  /** How many processes wanted a core in the last minute, before anything was measured. */
  readonly load: number;
  readonly commit: string;
  readonly peers: Readonly<Record<string, string>>;
}

/** Describes the machine, the project's commit and the versions of the rivals. */
export function describeMachine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    load: os.loadavg()[0] ?? 0,
    commit: describeCommit(),
    peers: readPeers(),
  };
}

/** The machine in one paragraph. */
export function formatMachine(
  { cpu, cores, memory, system, node, load, commit }: Machine,
): string {
  return `${cpu}, ${cores} cores, ${memory}, ${system}, Node ${node}, ` +
    `load ${load.toFixed(1)} before the start, commit ${commit}`;
}

function describeCommit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      cwd: PROJECT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

function readPeers(): Readonly<Record<string, string>> {
  const text = readFileSync(new URL("package.json", import.meta.url), "utf8");
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    text,
  );
  return dependencies;
}
