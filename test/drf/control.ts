/** Steers a server through its standard input and output, so that its port serves the API alone. */
import process from "node:process";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { type After, readFixtures, type Setup } from "./case.ts";
import { buildWorld, type World } from "./world.ts";

/** One line to a server. */
export type Command =
  | { readonly verb: "reset" }
  | { readonly verb: "apply"; readonly setup: Setup }
  | { readonly verb: "verify"; readonly after: After };

/** One line from a server, for each command in turn. */
export type Reply =
  | { readonly value: unknown; readonly error: null }
  | { readonly value: null; readonly error: string };

/** Says on every answer that the request came as far as the application. */
export const REACHED = { name: "X-Reached", value: "application" } as const;

const Incoming = v.variant("verb", [
  v.object({ verb: v.literal("reset") }),
  v.object({ verb: v.literal("apply"), setup: v.looseObject({ op: v.string() }) }),
  v.object({
    verb: v.literal("verify"),
    after: v.looseObject({ check: v.string(), user: v.string() }),
  }),
]);

/**
 * Runs a server until its standard input ends.
 *
 * @param start Listens on any port of this machine, and returns the port
 */
export async function runServer(start: (world: World) => Promise<number>): Promise<void> {
  const world = await buildWorld(readFixtures());
  write({ value: await start(world), error: null });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      const command = v.parse(Incoming, JSON.parse(line));
      write({ value: await obey(world, command) ?? null, error: null });
    } catch (error) {
      write({ value: null, error: error instanceof Error ? error.message : String(error) });
    }
  }
  process.exit();
}

async function obey(world: World, command: v.InferOutput<typeof Incoming>): Promise<unknown> {
  switch (command.verb) {
    case "reset":
      return await world.reset();
    case "apply":
      return await world.apply(command.setup);
    case "verify":
      return await world.verify(command.after);
  }
}

function write(reply: Reply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
