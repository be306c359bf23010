/** What a case is replayed against: a server in a process of its own, or the library directly. */
import { execFile, spawn } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createGuard, createObtainToken, type EndpointRequest, toResponse } from "latchkey";
import * as v from "valibot";
import type { After, Fixtures, Setup } from "./case.ts";
import type { Command } from "./control.ts";
import { answerView, listViews, loginGuard, loginViews, tutorialLogin } from "./views.ts";
import { exchange, type WireAnswer, type WireRequest } from "./wire.ts";
import { buildWorld, type Keys } from "./world.ts";

/** Something that holds the recorded application. */
export interface Target {
  readonly reset: () => Promise<Keys>;
  readonly apply: (setup: Setup) => Promise<void>;
  /** What is wrong with a fact about the state; `null` when it holds. */
  readonly verify: (after: After) => Promise<string | null>;
  readonly exchange: (request: WireRequest) => Promise<WireAnswer>;
}

/** A target that must be stopped. */
export interface ServerTarget extends Target {
  readonly stop: () => Promise<void>;
}

/** The servers that the library has an adapter for here. */
export const adapterNames = ["express", "hono", "deno"] as const;

/** One of {@link adapterNames}. */
export type AdapterName = (typeof adapterNames)[number];

const Reply = v.object({ value: v.unknown(), error: v.nullable(v.string()) });
const KeyList = v.array(v.tuple([v.string(), v.string()]));

/** Starts a server as a process of its own. */
export async function startServer(name: AdapterName): Promise<ServerTarget> {
  const file = fileURLToPath(new URL(`servers/${name}.ts`, import.meta.url));
  const [command, ...words] = name === "deno"
    ? [await findDeno(), "run", "--allow-all", file]
    : [process.execPath, "--import", "tsx", file];
  const child = spawn(command, words, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, ...absoluteFixtures() },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function read(): Promise<unknown> {
    const line = await lines.next();
    if (line.done === true) throw new Error(`the ${name} server ended`);
    const { value, error } = v.parse(Reply, JSON.parse(line.value));
    if (error !== null) throw new Error(error);
    return value;
  }

  async function ask(command: Command): Promise<unknown> {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return await read();
  }

  const port = v.parse(v.number(), await read());
  return {
    reset: async () => v.parse(KeyList, await ask({ verb: "reset" })),
    apply: async (setup) => {
      await ask({ verb: "apply", setup });
    },
    verify: async (after) => v.parse(v.nullable(v.string()), await ask({ verb: "verify", after })),
    exchange: (request) => exchange(port, request),
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** The servers have a working folder of their own. */
function absoluteFixtures(): Readonly<Record<string, string>> {
  const file = process.env["DRF_FIXTURES"];
  return file === undefined || file === "" ? {} : { DRF_FIXTURES: resolve(file) };
}

/** The installer is run and not imported, because it is plain JavaScript without types. */
async function findDeno(): Promise<string> {
  const installer = fileURLToPath(new URL("../runtimes/install.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [installer, "deno"]);
  const path = /^deno \S+ (.+)$/m.exec(stdout)?.[1];
  if (path === undefined) throw new Error("Cannot run Deno: the installer gave no path");
  return path;
}

/** The library without any server, for bytes that an HTTP parser keeps from an application. */
export async function openDirectly(fixtures: Fixtures): Promise<Target> {
  const world = await buildWorld(fixtures);
  const views = listViews(world);

  async function respond(request: WireRequest): Promise<Response> {
    const { method } = request;
    const path = request.path.split("?", 1)[0];
    const authorization = readHeader(request, "authorization");
    const view = views.find((one) => one.path === path);
    if (view !== undefined) {
      const result = await createGuard(world.auth, view.guard)(toRequest(request));
      const answer = result.ok
        ? await answerView(view, world, { method, authorization, principal: result.value })
        : result.failure;
      const response = toResponse(answer);
      response.headers.set("Allow", view.methods.join(", "));
      return response;
    }
    const login = loginViews.find((one) => one.path === path);
    if (login === undefined) return new Response("Not found", { status: 404 });
    if (login.kind === "obtain") {
      return await createObtainToken(world.auth, login.options)(toRequest(request));
    }
    const result = await createGuard(world.auth, loginGuard)(toRequest(request));
    const response = result.ok
      ? await tutorialLogin(world)(toRequest(request))
      : toResponse(result.failure);
    response.headers.set("Allow", login.allow);
    return response;
  }

  return {
    ...world,
    async exchange(request) {
      const response = await respond(request);
      const body = request.method === "HEAD" ? "" : await response.text();
      return { status: response.status, headers: new Map(response.headers), body };
    },
  };
}

function toRequest(request: WireRequest): EndpointRequest {
  const { method, path, body } = request;
  return {
    method,
    url: `http://localhost${path}`,
    headers: { get: (name) => readHeader(request, name) },
    body: new ReadableStream({
      start(controller) {
        if (body !== null && body.length > 0) controller.enqueue(body);
        controller.close();
      },
    }),
    bodyUsed: false,
  };
}

/** As HTTP says: space and tab around a value are not part of it, and lines are joined. */
function readHeader({ headers }: WireRequest, name: string): string | null {
  const values = headers.flatMap(([key, value]) =>
    key.toLowerCase() === name ? [value.replace(/^[ \t]+|[ \t]+$/g, "")] : []
  );
  return values.length === 0 ? null : values.join(", ");
}
