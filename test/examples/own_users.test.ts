import { createClient } from "@libsql/client";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Server } from "../../examples/server.ts";
import { logIn, makeFolder, readPassword, startScript } from "./example.ts";

it("npm run example:own-users keeps its users in its own table, and theirs are the tokens", async () => {
  const folder = makeFolder();
  const server = await startScript("example:own-users", folder);
  const password = readPassword(server);
  const { token, failed } = await logIn(server, password);
  expect(failed).toEqual([]);
  expect(await seeMe(server, token)).toBe('200 {"id":1,"username":"admin"}');

  const client = createClient({ url: `file:${join(folder, "latchkey.db")}`, timeout: 5_000 });
  try {
    expect(await select(client, "select id, name from account")).toEqual([[1, "admin"]]);
    expect(await select(client, "select owner from latchkey_token")).toEqual([["1"]]);
    expect(await select(client, "select count(*) from latchkey_user")).toEqual([[0]]);

    await client.execute("update account set is_locked = 1");
    expect(await seeMe(server, token)).toBe('401 {"detail":"User inactive or deleted."}');
    expect((await logIn(server, password)).token).toBe("");
    await client.execute("update account set is_locked = 0");
    expect(await seeMe(server, token)).toBe('200 {"id":1,"username":"admin"}');
    expect(await logIn(server, password)).toEqual({ token, failed: [] });
    await client.execute("delete from account");
    expect(await seeMe(server, token)).toBe('401 {"detail":"Invalid token."}');
  } finally {
    client.close();
  }
});

it("npm run example:own-users makes its user at the first start only", async () => {
  const folder = makeFolder();
  const first = await startScript("example:own-users", folder);
  const password = readPassword(first);
  await first.stop();
  const second = await startScript("example:own-users", folder);
  expect(second.output()).toContain("password: (the one from the first start)");
  expect((await logIn(second, password)).failed).toEqual([]);
});

async function seeMe({ url }: Server, token: string): Promise<string> {
  const headers = { Authorization: `Token ${token}` };
  const response = await fetch(`${url}/api/me/`, { headers });
  return `${response.status} ${await response.text()}`;
}

async function select(client: ReturnType<typeof createClient>, sql: string) {
  return (await client.execute(sql)).rows.map((row) => Array.from(row));
}
