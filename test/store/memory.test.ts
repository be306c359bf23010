// deno-lint-ignore-file require-await -- the port is asynchronous
import { memoryStore } from "latchkey/memory";
import { storeContract } from "latchkey/testing";
import { describe, expect, it } from "vitest";

describe("memoryStore keeps the contract:", () => {
  for (const law of storeContract()) it(law.name, () => law.run(async () => memoryStore()));
});

describe("memoryStore", () => {
  it("shares nothing between two stores", async () => {
    const [one, other] = [memoryStore(), memoryStore()];
    const user = {
      id: "1",
      username: "ada",
      password: null,
      isActive: true,
      isStaff: false,
      isSuperuser: false,
      createdAt: 0,
    };
    await one.insertUser(user);
    expect(await other.findUserByName("ada")).toBeNull();
  });

  it("rejects a duplicate with a StoreError that names the verb and the conflict", async () => {
    const store = memoryStore();
    const token = {
      id: "1",
      owner: "1",
      digest: "0".repeat(64),
      pepper: null,
      scopes: [],
      slot: null,
      createdAt: 0,
      expiresAt: null,
      revokedAt: null,
    };
    await store.insertToken(token);
    await expect(store.insertToken(token)).rejects.toMatchObject({
      name: "StoreError",
      code: "conflict",
      message: "Cannot insert token: a unique value exists already",
    });
  });
});
