import { createClient } from "@libsql/client";
import { createUser } from "latchkey";
import { libsqlStore, migrate } from "latchkey/libsql";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { type Account, apply, type Line, type Operation, type OperationKind } from "./account.ts";
import { checkDatabase, type Interrupted, type Outcome } from "./checker.ts";
import { configure, type Numbers, seedNumbers } from "./setup.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const PROCESSES = 2;
const WRITERS = 4;
/** The longest time between the first acknowledged operation and the kill, in milliseconds. */
const LONGEST_DELAY = 60;
/** The longest time between the line that a kill waits for and the kill, in microseconds. */
const LONGEST_PAUSE = 2_000;

/** How long to kill, and with what. */
export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The name of a fault from faults.ts; `none` when absent. */
  readonly fault?: string;
  /** Receives each loss as it is found. */
  readonly onLoss?: (loss: string) => void;
}

/** What came of it. */
export interface CrashReport {
  /** How many there were: the first one with a loss is the last. */
  readonly rounds: number;
  readonly kills: number;
  /** How many operations of each kind were acknowledged. */
  readonly acknowledged: ReadonlyMap<OperationKind, number>;
  /** How many operations that were under way at a kill were found how. */
  readonly interrupted: ReadonlyMap<OperationKind, ReadonlyMap<Outcome, number>>;
  /** How many tokens were looked at, and how many of them had ended. */
  readonly tokens: { readonly holding: number; readonly ended: number };
  readonly losses: readonly string[];
}

/**
 * Kills processes that write to one libSQL file, again and again, and looks after each time
 * whether the file still says what they were told.
 */
export async function runRounds(options: CrashOptions): Promise<CrashReport> {
  const { rounds, seed, fault = "none", onLoss = () => undefined } = options;
  const folder = mkdtempSync(join(tmpdir(), "latchkey-crash-"));
  try {
    const worker = await bundleWorker(folder);
    const url = `file:${join(folder, "crash.db")}`;
    const numbers = seedNumbers(seed);
    const acknowledged = new Map<OperationKind, number>();
    const interrupted = new Map<OperationKind, Map<Outcome, number>>();
    const losses: string[] = [];
    const everEnded: string[] = [];
    let accounts = await makeAccounts(url);
    let holding = 0;
    let kills = 0;
    let round = 0;
    const lose = (round: string, loss: string) => {
      losses.push(`${round}: ${loss}`);
      onLoss(`${round}: ${loss}`);
    };

    // After a loss nobody knows any more what must hold.
    while (round < rounds && losses.length === 0) {
      round++;
      const assignments = assign(accounts).map((writers, index) => ({
        url,
        timeout: index % 2 === 0 ? 0 : 50,
        seed: numbers(2 ** 31),
        fault,
        writers,
      }));
      const runs = await Promise.all(
        assignments.map((assignment) =>
          runUntilKilled(worker, JSON.stringify(assignment), numbers)
        ),
      );
      kills += runs.length;
      const heard = new Hearing(accounts, acknowledged);
      for (const { lines, problem } of runs) {
        if (problem !== null) lose(`round ${round}`, problem);
        for (const line of lines) heard.hear(line);
      }
      const finding = await checkDatabase(url, heard.interrupted(), heard.ended);
      for (const loss of [...heard.losses, ...finding.losses]) lose(`round ${round}`, loss);
      for (const { kind, outcome } of finding.outcomes) {
        const outcomes = interrupted.get(kind) ?? new Map<Outcome, number>();
        interrupted.set(kind, count(outcomes, outcome));
      }
      everEnded.push(...heard.ended, ...listEnded(heard.interrupted(), finding.accounts));
      accounts = finding.accounts;
      holding += accounts.reduce((sum, { tokens }) => sum + tokens.length, 0);
    }
    if (losses.length === 0) {
      const untouched = accounts.map((account) => ({ account, pending: null }));
      const { losses: late } = await checkDatabase(url, untouched, everEnded);
      for (const loss of late) lose("at the end", loss);
    }
    const tokens = { holding, ended: everEnded.length };
    return { rounds: round, kills, acknowledged, interrupted, tokens, losses };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A worker that starts quickly, because some hundreds are started. */
async function bundleWorker(folder: string): Promise<string> {
  await build({
    entry: [join(PROJECT, "test/crash/worker.ts")],
    tsconfig: join(PROJECT, "tsconfig.json"),
    outDir: folder,
    format: "esm",
    target: "node20",
    outExtension: () => ({ js: ".mjs" }),
    config: false,
    silent: true,
    splitting: false,
    dts: false,
  });
  // So that the bundle finds the packages that it does not hold.
  symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"), "junction");
  return join(folder, "worker.mjs");
}

/** One user for each writer, and one in whom all of them meet. */
async function makeAccounts(url: string): Promise<readonly Account[]> {
  const client = createClient({ url, timeout: 5_000 });
  try {
    await migrate(client);
    const auth = configure(libsqlStore(client), "new", null);
    const password = "the first password";
    const make = async (username: string) => {
      const created = await createUser(auth, { username, password });
      if (!created.ok) throw new Error(`Cannot make ${username}: ${created.failure.reason}`);
      const user = { userId: created.value.id, username, password };
      return { ...user, isActive: true, tokens: [] };
    };
    const crowd = await make("crowd");
    const accounts: Account[] = [];
    for (let index = 0; index < PROCESSES * WRITERS; index++) {
      const own = await make(`writer${index}`);
      accounts.push({ ...own, key: own.username, isShared: false });
      accounts.push({ ...crowd, key: `crowd${index}`, isShared: true });
    }
    return accounts;
  } finally {
    client.close();
  }
}

/** For each process the accounts of its writers: one of their own each, and their part of the shared one. */
function assign(accounts: readonly Account[]): readonly (readonly (readonly Account[])[])[] {
  const own = accounts.filter(({ isShared }) => !isShared);
  const shared = accounts.filter(({ isShared }) => isShared);
  const writers = own.map((account, index) => [account, ...shared.slice(index, index + 1)]);
  return Array.from(
    { length: PROCESSES },
    (_, index) => writers.slice(index * WRITERS, (index + 1) * WRITERS),
  );
}

/** Starts a worker, kills it at a random moment, and returns every whole line it had sent. */
async function runUntilKilled(
  worker: string,
  assignment: string,
  numbers: Numbers,
): Promise<{ readonly lines: readonly Line[]; readonly problem: string | null }> {
  const delay = numbers(LONGEST_DELAY + 1);
  // Half of the kills wait for the next line, and so hit the operation that begins with it. A
  // timer is too coarse for that.
  const waitsForLine = numbers(2) === 0;
  const pause = numbers(LONGEST_PAUSE + 1) / 1_000;
  const child = spawn(process.execPath, [worker], { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  let state: "starting" | "working" | "doomed" = "starting";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    if (state === "doomed") {
      for (const end = performance.now() + pause; performance.now() < end;);
      child.kill("SIGKILL");
    }
    if (state !== "starting" || !output.includes('"answered"')) return;
    state = "working";
    setTimeout(() => {
      state = "doomed";
      if (!waitsForLine) child.kill("SIGKILL");
    }, delay);
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
  // A worker that ends before it has read everything says why on its own.
  child.stdin.on("error", () => undefined);
  child.stdin.end(assignment);
  const [code, signal] = await once(child, "close");
  const complete = output.slice(0, output.lastIndexOf("\n") + 1).split("\n").slice(0, -1);
  const lines = complete.map((line): Line => JSON.parse(line));
  const problem = signal === "SIGKILL"
    ? null
    : `a worker ended by itself with ${code}: ${/^\w*Error: .*/m.exec(errors)?.[0] ?? errors}`;
  return { lines, problem };
}

/** Follows what the workers said: what was acknowledged, what ended, what was under way. */
class Hearing {
  readonly losses: string[] = [];
  /** The texts of the tokens that an acknowledged operation ended. */
  readonly ended: string[] = [];
  readonly #accounts: Map<string, Account>;
  readonly #pending: Map<string, Operation> = new Map();
  readonly #acknowledged: Map<OperationKind, number>;

  constructor(accounts: readonly Account[], acknowledged: Map<OperationKind, number>) {
    this.#accounts = new Map(accounts.map((account) => [account.key, account]));
    this.#acknowledged = acknowledged;
  }

  hear(line: Line): void {
    if ("begins" in line) {
      this.#pending.set(line.key, line.begins);
      return;
    }
    const account = this.#accounts.get(line.key);
    const operation = this.#pending.get(line.key);
    if (account === undefined || operation === undefined) throw new Error("Cannot follow a worker");
    this.#pending.delete(line.key);
    count(this.#acknowledged, operation.kind);
    try {
      const next = apply(account, operation, line.answered);
      this.#accounts.set(line.key, next);
      const kept = new Set(next.tokens.map(({ id }) => id));
      this.ended.push(...textsOf(account, kept));
    } catch (error) {
      this.losses.push(`${line.key}: ${error instanceof Error ? error.message : error}`);
    }
  }

  interrupted(): readonly Interrupted[] {
    return [...this.#accounts.values()].map((account) => ({
      account,
      pending: this.#pending.get(account.key) ?? null,
    }));
  }
}

/** The texts of the tokens that operations under way had ended. */
function listEnded(
  interrupted: readonly Interrupted[],
  accounts: readonly Account[],
): readonly string[] {
  const kept = new Set(accounts.flatMap(({ tokens }) => tokens.map(({ id }) => id)));
  return interrupted.flatMap(({ account }) => textsOf(account, kept));
}

function textsOf({ tokens }: Account, kept: ReadonlySet<string>): readonly string[] {
  return tokens.filter(({ id }) => !kept.has(id)).flatMap((
    { text },
  ) => (text === null ? [] : [text]));
}

function count<Key>(counts: Map<Key, number>, key: Key): Map<Key, number> {
  return counts.set(key, (counts.get(key) ?? 0) + 1);
}
