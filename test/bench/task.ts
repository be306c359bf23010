import process from "node:process";
import * as v from "valibot";
import { type HotSpot, Missing, NotBuilt } from "./figure.ts";

/** What a worker's process offers. */
export interface Task {
  measure(): Promise<number>;
  profile(): Promise<readonly HotSpot[]>;
}

/** What a worker's process says to its parent. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "profile"; readonly spots: readonly HotSpot[] }
  | { readonly kind: "failure"; readonly name: string; readonly message: string };

const answerSchema: v.GenericSchema<unknown, Answer> = v.variant("kind", [
  v.object({ kind: v.literal("ready") }),
  v.object({ kind: v.literal("value"), value: v.number() }),
  v.object({
    kind: v.literal("profile"),
    spots: v.array(v.object({ place: v.string(), share: v.number() })),
  }),
  v.object({
    kind: v.literal("failure"),
    name: v.string(),
    message: v.string(),
  }),
]);

/** Reads what a worker's process said. */
export function readAnswer(message: unknown): Answer {
  return v.parse(answerSchema, message);
}

/** Prepares a worker's process, then does as it is told until the parent is gone. */
export async function serveTask(prepare: () => Promise<Task>): Promise<void> {
  const send = (answer: Answer) => process.send?.(answer);
  const fail = (error: unknown) => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const isTold = error instanceof NotBuilt || error instanceof Missing;
    send({
      kind: "failure",
      name,
      message: isTold ? message : stack ?? message,
    });
  };
  process.once("disconnect", () => process.exit());
  let task: Task;
  try {
    task = await prepare();
  } catch (error) {
    return fail(error);
  }
  process.on("message", (message) => {
    const work = message === "profile"
      ? task.profile().then((spots) => send({ kind: "profile", spots: [...spots] }))
      : task.measure().then((value) => send({ kind: "value", value }));
    work.catch(fail);
  });
  send({ kind: "ready" });
}
