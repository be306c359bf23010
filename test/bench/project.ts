import process from "node:process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project, with a slash at its end. */
export const PROJECT: string = fileURLToPath(
  new URL("../../", import.meta.url),
);

/** Runs `work` with a fresh folder for databases and the like, and removes it afterwards. */
export async function withFolder<Value>(
  work: (folder: string) => Promise<Value>,
): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  // Also when the benchmark is stopped by hand.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}
