import * as v from "valibot";
import { expect, it } from "vitest";
import { makeFolder, readPassword, startScript } from "./example.ts";

const Granted = v.object({ token: v.string() });
const Made = v.object({ token: v.string(), id: v.string(), name: v.string() });
const List = v.object({
  tokens: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      status: v.string(),
      current: v.boolean(),
      revoked_reason: v.nullable(v.string()),
    }),
  ),
  next: v.null(),
});

it("npm run example:self-service lets a user look after tokens", async () => {
  const server = await startScript("example:self-service", makeFolder());
  const password = readPassword(server);
  expect(server.output()).toContain(`curl -i ${server.url}/api/auth/tokens/`);
  const ask = async (
    method: string,
    path: string,
    token: string | null = null,
    body: unknown = null,
  ): Promise<{ readonly status: number; readonly body: unknown }> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { Authorization: `Token ${token}` }),
        ...(body === null ? {} : { "Content-Type": "application/json" }),
      },
      body: body === null ? null : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  };
  const statusOf = async (token: string) => (await ask("GET", "/api/secret-info/", token)).status;
  const list = async (token: string) => {
    const { tokens } = v.parse(List, (await ask("GET", "/api/auth/tokens/", token)).body);
    return Object.fromEntries(tokens.map(({ id, ...rest }) => [id, rest]));
  };

  const credentials = { username: "admin", password };
  const loggedIn = await ask("POST", "/api/auth/login/", null, credentials);
  expect(loggedIn.status).toBe(200);
  const { token: session } = v.parse(Granted, loggedIn.body);
  const me = await ask("GET", "/api/auth/me/", session);
  expect(me).toMatchObject({ status: 200, body: { user: { username: "admin", is_staff: true } } });

  const created = await ask("POST", "/api/auth/tokens/", session, { name: "laptop" });
  expect(created).toMatchObject({ status: 201, body: { name: "laptop", scopes: [] } });
  const laptop = v.parse(Made, created.body);
  const phone = v.parse(
    Made,
    (await ask("POST", "/api/auth/tokens/", session, { name: "phone" })).body,
  );
  expect(Object.values(await list(session))).toMatchObject([
    { name: "phone", status: "active", current: false },
    { name: "laptop", status: "active", current: false },
    { name: "", status: "active", current: true },
  ]);

  const rotated = await ask("POST", "/api/auth/tokens/rotate/", laptop.token);
  expect(rotated.status).toBe(200);
  const { token: successor } = v.parse(Granted, rotated.body);
  expect(successor).not.toBe(laptop.token);
  expect(await ask("POST", "/api/auth/tokens/rotate/", laptop.token)).toEqual(rotated);
  expect(await Promise.all([laptop.token, successor].map(statusOf))).toEqual([200, 200]);

  expect((await ask("DELETE", `/api/auth/tokens/${phone.id}/`, session)).status).toBe(204);
  expect((await ask("DELETE", `/api/auth/tokens/${phone.id}/`, session)).status).toBe(404);
  expect(await statusOf(phone.token)).toBe(401);
  expect((await list(session))[phone.id]).toMatchObject({
    status: "revoked",
    revoked_reason: "revoked",
  });

  expect((await ask("POST", "/api/auth/logout/others/", session)).status).toBe(204);
  const tokens = [session, laptop.token, successor, phone.token];
  expect(await Promise.all(tokens.map(statusOf))).toEqual([200, 401, 401, 401]);
  const active = Object.values(await list(session)).filter(({ status }) => status === "active");
  expect(active).toMatchObject([{ current: true }]);
});
