import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { takeStep, useToken } from "../../examples/tutorial.ts";
import manifest from "../../package.json" with { type: "json" };
import {
  logIn,
  logOut,
  makeFolder,
  readPassword,
  readScript,
  type Script,
  startScript,
  takePort,
} from "./example.ts";

const scripts: readonly Script[] = [
  "example:bun",
  "example:custom-login",
  "example:deno",
  "example:express",
  "example:hono",
  "example:own-users",
  "example:self-service",
  "example:workers",
];

it("starts every example that package.json offers", () => {
  const offered = Object.keys(manifest.scripts).filter((name) => name.startsWith("example:"));
  expect(offered.sort()).toEqual(scripts);
  expect(readScript("start")).toEqual(readScript("example:hono"));
});

describe.each(scripts)("npm run %s", (script) => {
  it("walks the tutorial, logs out and ends at Ctrl-C", async () => {
    const folder = makeFolder();
    const server = await startScript(script, folder, { TMPDIR: folder });
    const { token, failed } = await logIn(server, readPassword(server));
    expect(failed).toEqual([]);
    expect(token).toMatch(/^lk_\w{40,}$/);

    expect(await logOut(server, token)).toBe(204);
    const refused = await takeStep(server.url, useToken(token));
    expect(refused).toMatchObject({ status: 401, body: '{"detail":"Invalid token."}' });

    expect(await server.stop()).toBe(0);
    await expect(fetch(server.url)).rejects.toThrow();
    const names = fs.readdirSync(folder);
    expect(names.filter((name) => name.startsWith("latchkey-"))).toEqual([]);
    expect(names.includes("latchkey.db")).toBe(script !== "example:workers");
  });

  it("says in one line that the port is taken", async () => {
    const port = await takePort();
    const start = startScript(script, makeFolder(), { PORT: `${port}` });
    await expect(start).rejects.toThrow(
      new Error(
        `The server ended with 1:\nCannot listen on PORT=${port}: ` +
          "it is taken, set another one such as PORT=3001\n",
      ),
    );
  });

  it("says in one line that PORT is no port", async () => {
    const start = startScript(script, makeFolder(), { PORT: "abc" });
    await expect(start).rejects.toThrow(
      new Error(
        "The server ended with 1:\nCannot listen on PORT=abc: " +
          "expected a number from 0 to 65535\n",
      ),
    );
  });
});
