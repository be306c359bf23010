import { memoryStore } from "latchkey/memory";
import { storeContract } from "latchkey/testing";
import { describe, expect, it } from "vitest";
import { brokenStores, countBy } from "./broken_stores.ts";

const opened = new WeakMap<object, Pick<ReturnType<typeof memoryStore>, "events">>();
const laws = storeContract({ readEvents: async (store) => opened.get(store)?.events ?? [] });

describe("the store contract", () => {
  const caught = new Set<string>();

  it.each(brokenStores)("catches a store in which %s", async (_, breakStore) => {
    const broken: string[] = [];
    for (const law of laws) {
      const open = async () => {
        const store = memoryStore();
        const broken = breakStore(store);
        const changed = { ...store, ...broken };
        opened.set(changed, broken.events === undefined ? store : changed);
        return changed;
      };
      await law.run(open).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Error);
        broken.push(law.name);
      });
    }
    expect(broken).not.toEqual([]);
    expect(broken.length).toBeLessThan(laws.length);
    for (const name of broken) caught.add(name);
  });

  it("is kept by a store that counts attempts by the rules that others break", async () => {
    for (const law of storeContract()) {
      await law.run(async () => ({ ...memoryStore(), ...countBy({}).verbs }));
    }
  });

  it("has no law that every store would keep", () => {
    expect(laws.map((law) => law.name).filter((name) => !caught.has(name))).toEqual([]);
  });

  it("says what was expected and what came", async () => {
    const store = { ...memoryStore(), findUser: async () => null };
    const messages = await Promise.all(
      storeContract().map((law) =>
        law.run(async () => store).then(() => "", (error: unknown) => String(error))
      ),
    );
    expect(messages.join("\n")).toMatch(/Broken contract: .+: expected \{.+\}, got null/);
  });

  it("names every law by a sentence of its own", () => {
    const names = laws.map((law) => law.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("has no law of events for a store whose events cannot be read", () => {
    const names = storeContract().map((law) => law.name);
    expect(names.filter((name) => name.includes("vent"))).toEqual([]);
    expect(names.length).toBeLessThan(laws.length);
  });
});
