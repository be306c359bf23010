import { Hono } from "hono";
import { createSelfService } from "latchkey";
import * as onFetch from "latchkey/fetch";
import * as onHono from "latchkey/hono";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, START } from "../fixture.ts";
import { issue } from "../http/issue.ts";

/** What Workers pass besides the request: it works on itself, as theirs does. */
class ExecutionContext {
  readonly work: Promise<unknown>[] = [];
  readonly props: Record<string, never> = {};
  readonly exports: Record<string, never> = {};
  waitUntil(promise: Promise<unknown>): void {
    this.work.push(promise);
  }
  passThroughOnException(): void {}
}

/** A store whose write of a use waits until it is let go. */
async function makeWorld() {
  const store = memoryStore();
  let release = () => {};
  const released = new Promise<void>((resolve) => release = resolve);
  const { auth, clock } = makeAuth({
    store: {
      ...store,
      touchTokens: async (uses) => {
        await released;
        await store.touchTokens(uses);
      },
    },
  });
  const user = await makeUser(auth, "ada");
  const { text } = await issue(auth, user);
  const headers = { Authorization: `Token ${text}` };
  const lastUse = async () => (await store.listTokens(user.id, { limit: 1 }))[0]?.token.lastUsedAt;
  return { auth, clock, headers, lastUse, release };
}

type World = Awaited<ReturnType<typeof makeWorld>>;
type Call = (path: string, headers: Record<string, string>, context?: ExecutionContext) =>
  | Response
  | Promise<Response>;

const frameworks: readonly (readonly [string, (world: World) => Call])[] = [
  ["a guarded fetch handler", ({ auth }) => {
    const handler = onFetch.guard(auth)((_request, _principal, ..._rest: unknown[]) =>
      new Response("in")
    );
    return (path, headers, context) =>
      handler(new Request(`http://test${path}`, { headers }), { BINDING: 1 }, context);
  }],
  ["a mounted fetch endpoint", ({ auth }) => {
    const handler = onFetch.mount(createSelfService(auth).endpoint);
    return (path, headers, context) =>
      handler(new Request(`http://test${path}`, { headers }), {}, context);
  }],
  ["a guard in Hono", ({ auth }) => {
    const app = new Hono().get("/me/", onHono.guard(auth), (c) => c.text("in"));
    return (path, headers, context) => app.request(path, { headers }, {}, context);
  }],
  ["an endpoint in Hono", ({ auth }) => {
    const app = new Hono().all("/*", onHono.mount(createSelfService(auth).endpoint));
    return (path, headers, context) => app.request(path, { headers }, {}, context);
  }],
];

describe.each(frameworks)("%s", (_name, make) => {
  it("answers first, and has the platform wait for the use to be written down", async () => {
    const world = await makeWorld();
    const call = make(world);
    const context = new ExecutionContext();
    expect((await call("/me/", world.headers, context)).status).toBe(200);
    expect([context.work.length, await world.lastUse()]).toEqual([1, null]);
    world.release();
    await Promise.all(context.work);
    expect(await world.lastUse()).toBe(START);
  });

  it("has it wait for nothing when there is nothing to write", async () => {
    const world = await makeWorld();
    world.release();
    const call = make(world);
    const context = new ExecutionContext();
    expect((await call("/me/", {}, context)).status).toBe(401);
    expect((await call("/me/", { Authorization: "Token x" }, context)).status).toBe(401);
    expect(context.work).toEqual([]);
    await call("/me/", world.headers, context);
    await Promise.all(context.work);
    await call("/me/", world.headers, context);
    expect(context.work).toHaveLength(1);
    world.clock.now += 60_000;
    await call("/me/", world.headers, context);
    expect(context.work).toHaveLength(2);
  });

  it("works where the platform passes nothing", async () => {
    const world = await makeWorld();
    world.release();
    expect((await make(world)("/me/", world.headers)).status).toBe(200);
  });
});
