/** The self-service on a fresh memory store, and how a test calls it. */
import {
  type Auth,
  type AuthOptions,
  bearer,
  createSelfService,
  type Endpoint,
  hasScopes,
  type SelfService,
  type SelfServiceOptions,
  type User,
} from "latchkey";
import { type MemoryStore, memoryStore } from "latchkey/memory";
import { expect } from "vitest";
import { type Clock, makeAuth, makeUser } from "../fixture.ts";
import { issue, type Issued } from "./issue.ts";

/** An answer, read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** As it was sent. */
  readonly text: string;
  /** The body as JSON; `null` without one. */
  readonly body: unknown;
}

/** What a request has besides its method and path. */
export interface CallOptions {
  /** A token for `Authorization`. */
  readonly token?: string | undefined;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Two users with a token each, and the self-service. */
export interface Service {
  readonly auth: Auth;
  readonly clock: Clock;
  readonly store: MemoryStore;
  readonly service: SelfService;
  readonly ada: User;
  readonly bob: User;
  /** Ada's, with the scopes `read` and `tokens:write`. */
  readonly mine: Issued;
  /** Bob's, with no scope. */
  readonly his: Issued;
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
}

/** The scopes of the application. */
export const SCOPES: readonly string[] = ["read", "read:all", "tokens:write", "tokens:introspect"];

/** Makes it; tokens may be introspected by whoever has that scope. */
export async function makeService(
  options: Partial<AuthOptions> = {},
  service: SelfServiceOptions = { introspect: [hasScopes(["tokens:introspect"])] },
): Promise<Service> {
  const store = memoryStore();
  const { auth, clock } = makeAuth({ store, scopes: SCOPES, touchInterval: null, ...options });
  const ada = await makeUser(auth, "ada");
  const bob = await makeUser(auth, "bob");
  const mine = await issue(auth, ada, { name: "laptop", scopes: ["read", "tokens:write"] });
  const his = await issue(auth, bob, { name: "phone" });
  const made = createSelfService(auth, service);
  return {
    auth,
    clock,
    store,
    service: made,
    ada,
    bob,
    mine,
    his,
    async call(method, path, call) {
      const reply = await send(made.endpoint, auth, method, path, call);
      checkReply(reply, await listSecrets(store, [ada.id, bob.id]));
      return reply;
    },
  };
}

/** All that is stored and that no answer may hold: digests, nonces and password texts. */
async function listSecrets(
  store: MemoryStore,
  owners: readonly string[],
): Promise<readonly string[]> {
  const secrets: string[] = [];
  for (const owner of owners) {
    const found = await store.listTokens(owner, { limit: 1_000 });
    for (const { token: { digest, rotation } } of found) {
      secrets.push(digest, ...(rotation === null ? [] : [rotation.nonce]));
    }
    secrets.push((await store.findUser(owner))?.password ?? "no password");
  }
  return secrets;
}

/** What holds of every answer: no cache keeps it, it tells no secret, and one token at most. */
function checkReply({ status, headers, text }: Reply, secrets: readonly string[]): void {
  const seen = JSON.stringify([text, ...headers]);
  expect(headers.get("Cache-Control")).toBe("no-store");
  expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
  const tokens = seen.match(/lk_[0-9A-Za-z]{49}/g) ?? [];
  expect(tokens.length).toBeLessThanOrEqual(status === 200 || status === 201 ? 1 : 0);
  expect(headers.has("Location")).toBe(false);
  if (status === 401) expect(headers.get("WWW-Authenticate")).not.toBeNull();
}

/** Sends a request of the Web platform to an endpoint. */
export async function send(
  endpoint: Endpoint,
  auth: Auth,
  method: string,
  path: string,
  { token, json, form, headers = {} }: CallOptions = {},
): Promise<Reply> {
  const scheme = auth.dialect?.scheme ?? "Token";
  const body = json !== undefined
    ? typeof json === "string" ? json : JSON.stringify(json)
    : form === undefined
    ? null
    : new URLSearchParams(form).toString();
  const type = json !== undefined ? "application/json" : "application/x-www-form-urlencoded";
  const request = new Request(new URL(`http://test${path}`), {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `${scheme} ${token}` }),
      ...(body === null ? {} : { "Content-Type": type }),
      ...headers,
    },
    body,
  });
  const response = await endpoint(request);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("Content-Type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text !== "" && isJson ? JSON.parse(text) : null,
  };
}

/** A member of a JSON body; `undefined` where there is none. */
export function read(body: unknown, ...keys: readonly (string | number)[]): unknown {
  return keys.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined,
    body,
  );
}

/** The same, where it is a text. */
export function readText(body: unknown, ...keys: readonly (string | number)[]): string {
  const value = read(body, ...keys);
  if (typeof value !== "string") throw new Error(`${keys.join(".")} is no text`);
  return value;
}

/** Both dialects, for tables. */
export const dialects: readonly {
  readonly name: string;
  readonly options: Partial<AuthOptions>;
}[] = [{ name: "drf", options: {} }, { name: "bearer", options: { dialect: bearer() } }];
