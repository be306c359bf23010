/** What the tests of advisories share: altered stores, and questions that only a test asks. */
import { type Auth, type EndpointRequest, type Store, StoreError, verifyToken } from "latchkey";
import type { Service } from "../http/service.ts";

/** A store that counts the calls of its verbs, by name. */
export function countVerbs(store: Store): {
  readonly store: Store;
  readonly calls: Map<string, number>;
} {
  const calls = new Map<string, number>();
  const counted = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...rest: readonly unknown[]): unknown => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        return Reflect.apply(member, target, rest);
      };
    },
  });
  return { store: counted, calls };
}

/** A store one of whose verbs answers whatever `change` makes of its answer. */
export function alterVerb(
  store: Store,
  verb: keyof Store,
  change: (answer: unknown) => unknown,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name !== verb || typeof member !== "function") return member;
      return async (...rest: readonly unknown[]) =>
        change(await Reflect.apply(member, target, rest));
    },
  });
}

/** `ok`, the reason, or `StoreError`. Anything else that is thrown is thrown. */
export async function outcomeOf(auth: Auth, text: string): Promise<string> {
  try {
    const result = await verifyToken(auth, text);
    return result.ok ? "ok" : result.failure.reason;
  } catch (error) {
    if (error instanceof StoreError) return "StoreError";
    throw error;
  }
}

/** All that a service keeps, to compare before and after. */
export async function snapshot({ store, ada, bob }: Service): Promise<string> {
  const kept = [];
  for (const { id } of [ada, bob]) {
    kept.push(await store.listTokens(id, { limit: 1_000 }), await store.findUser(id));
  }
  return JSON.stringify(kept);
}

/** A login from a socket's address, as an adapter passes it on. */
export function loginFrom(address: string, username: string, password: string): EndpointRequest {
  const request = new Request("http://test/login/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  return Object.defineProperty(request, "address", { value: address });
}

/** Where a request of a route goes, with an id where it names one. */
export function pathOf(path: string, id: string): string {
  return path.replace("{id}", id);
}
