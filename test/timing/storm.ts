import { Buffer } from "node:buffer";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { withFolder } from "../bench/project.ts";
import { quantileOf } from "../bench/rounds.ts";

/** What was measured, as lines to print, and what must not be. */
export interface StormReport {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

/** How long each part takes at least, in milliseconds. */
const DURATION = 5_000;
const VOLLEY = 200;
const PERSISTENT = 8;
const MEBIBYTE = 1_048_576;

const Ready = v.object({
  kind: v.literal("ready"),
  port: v.number(),
  token: v.string(),
  credentials: v.object({ username: v.string(), password: v.string() }),
});
const Memory = v.object({ kind: v.literal("memory"), now: v.number(), peak: v.number() });

/** Measures verifications while nothing else happens, and in storms of logins. */
export function measureStorm(): Promise<StormReport> {
  return withFolder(async (folder) => {
    const child = fork(
      fileURLToPath(new URL("storm_server.ts", import.meta.url)),
      [join(folder, "storm.db")],
      { execArgv: ["--import", "tsx"] },
    );
    try {
      const [first] = await once(child, "message");
      return await measure(new Target(child, v.parse(Ready, first)));
    } finally {
      child.kill();
    }
  });
}

async function measure(target: Target): Promise<StormReport> {
  const lines: string[] = [];
  const problems: string[] = [];
  const parts: readonly [string, (isOver: () => boolean) => Promise<readonly Answer[]>][] = [
    ["first seconds, thrown away", async () => []],
    ["idle", async () => []],
    [`${PERSISTENT} logins without pause`, (isOver) => persist(target, isOver)],
    ["idle again", async () => []],
    [`${VOLLEY} logins at once, again and again`, (isOver) => volley(target, isOver)],
    ["idle after all", async () => []],
  ];
  for (const [name, storm] of parts) {
    const before = (await target.readMemory()).now;
    let isOver = false;
    const storming = storm(() => isOver);
    const verifications = await verifyFor(target, DURATION);
    isOver = true;
    const logins = await storming;
    const memory = await target.readMemory();
    if (name !== parts[0]?.[0]) {
      lines.push(
        `${name}: verification ${describeTimes(verifications)}`,
        ...(logins.length > 0 ? [`  logins ${describeLogins(logins)}`] : []),
        `  memory ${toMebibytes(before)} before, ${toMebibytes(memory.peak)} at most, ` +
          `${toMebibytes(memory.now)} after`,
      );
    }
    problems.push(...findProblems(name, verifications, logins));
  }
  return { lines, problems };
}

/** One answer of the server. */
interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** In milliseconds. */
  readonly time: number;
}

/** What must hold however busy the machine is. */
function findProblems(
  name: string,
  verifications: readonly Answer[],
  logins: readonly Answer[],
): readonly string[] {
  const isRefused = ({ status, retryAfter }: Answer) =>
    status === 503 && /^[1-9]\d*$/.test(retryAfter ?? "");
  const failed = verifications.filter(({ status }) => status !== 200).length;
  const odd = logins.filter((answer) => answer.status !== 200 && !isRefused(answer)).length;
  return [
    ...(failed > 0 ? [`${name}: ${failed} verifications were not answered with 200`] : []),
    ...(odd > 0 ? [`${name}: ${odd} logins were neither 200 nor 503 with Retry-After`] : []),
  ];
}

/** Logs in from a few connections, each time as soon as the last one was answered. */
async function persist(target: Target, isOver: () => boolean): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  await Promise.all(Array.from({ length: PERSISTENT }, async () => {
    while (!isOver()) answers.push(await target.login());
  }));
  return answers;
}

/** Logs in from many connections at once, and again when all were answered. */
async function volley(target: Target, isOver: () => boolean): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  while (!isOver()) {
    answers.push(...await Promise.all(Array.from({ length: VOLLEY }, () => target.login())));
  }
  return answers;
}

/** Verifies one token after the other, with a rest in between. */
async function verifyFor(target: Target, duration: number): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const end = performance.now() + duration;
  while (performance.now() < end) {
    answers.push(await target.verify());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return answers;
}

function describeTimes(answers: readonly Answer[]): string {
  const times = answers.map(({ time }) => time);
  const [middle, late] = [quantileOf(times, 0.5), quantileOf(times, 0.99)];
  return `p50 ${middle.toFixed(2)} ms, p99 ${late.toFixed(2)} ms of ${times.length}`;
}

function describeLogins(answers: readonly Answer[]): string {
  const statuses = [...new Set(answers.map(({ status }) => status))].sort();
  return statuses.map((status) => {
    const some = answers.filter((answer) => answer.status === status);
    const waits = [...new Set(some.flatMap(({ retryAfter }) => retryAfter ?? []))];
    const wait = waits.length > 0 ? ` with Retry-After ${waits.join(", ")}` : "";
    const middle = quantileOf(some.map(({ time }) => time), 0.5);
    return `${some.length} × ${status}${wait}, half of them within ${middle.toFixed(0)} ms`;
  }).join("; ");
}

function toMebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}

/** The server, from outside. */
class Target {
  readonly #child: ChildProcess;
  readonly #ready: v.InferOutput<typeof Ready>;
  readonly #logins = new Agent({ keepAlive: true, maxSockets: VOLLEY });
  readonly #verifications = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(child: ChildProcess, ready: v.InferOutput<typeof Ready>) {
    this.#child = child;
    this.#ready = ready;
  }

  async readMemory(): Promise<v.InferOutput<typeof Memory>> {
    const answer = once(this.#child, "message");
    this.#child.send("memory");
    return v.parse(Memory, (await answer)[0]);
  }

  verify(): Promise<Answer> {
    const headers = { authorization: `Token ${this.#ready.token}` };
    return this.#send("GET", "/", { agent: this.#verifications, headers });
  }

  login(): Promise<Answer> {
    const body = JSON.stringify(this.#ready.credentials);
    const headers = {
      "content-type": "application/json",
      "content-length": `${Buffer.byteLength(body)}`,
    };
    return this.#send("POST", "/login", { agent: this.#logins, headers, body });
  }

  #send(
    method: string,
    path: string,
    { agent, headers, body }: {
      readonly agent: Agent;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    },
  ): Promise<Answer> {
    const start = performance.now();
    const url = `http://127.0.0.1:${this.#ready.port}${path}`;
    return new Promise((resolve, reject) => {
      request(url, { method, agent, headers }, (response) => {
        response.resume().once("error", reject).once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers["retry-after"] ?? null,
            time: performance.now() - start,
          }));
      }).once("error", reject).end(body);
    });
  }
}
