import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Missing } from "../figure.ts";
import type { Server } from "../server.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const WORKERS = 2;

/**
 * Serves the tutorial of Django REST framework under gunicorn.
 *
 * @throws {Missing} where they are not installed: on Debian, `apt-get install python3-djangorestframework gunicorn`
 */
export async function startDjango(): Promise<Server> {
  const python = findPython();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const database = join(folder, "django.db");
  const setUp = spawnSync(python, [join(FOLDER, "tutorial.py"), database], {
    encoding: "utf8",
    env: environment(database),
  });
  if (setUp.status !== 0) {
    throw new Error(`Cannot set Django up: ${setUp.stderr}`);
  }
  const port = await findPort();
  // A worker that keeps connections: twice as fast as the default one that closes each of them, and
  // the load generator counts a closed one as an error.
  const kind = [
    "--workers",
    `${WORKERS}`,
    "--worker-class",
    "gthread",
    "--threads",
    "1",
  ];
  const words = [
    "-m",
    "gunicorn",
    ...kind,
    "--keep-alive",
    "30",
    "--bind",
    `127.0.0.1:${port}`,
  ];
  const child = spawn(python, [
    ...words,
    "--chdir",
    FOLDER,
    "--log-level",
    "error",
    "tutorial",
  ], {
    env: environment(database),
    stdio: ["ignore", "inherit", "inherit"],
  });
  const stopNow = () => child.kill("SIGTERM");
  process.once("exit", stopNow);
  await waitForPort(port);
  return {
    url: `http://127.0.0.1:${port}`,
    authorization: `Token ${setUp.stdout.trim()}`,
    readCpu: () => null,
    async stop() {
      const exit = once(child, "exit");
      stopNow();
      await exit;
      process.off("exit", stopNow);
      process.off("exit", remove);
      remove();
      return [];
    },
  };
}

/** Nothing is written into the checkout. */
function environment(database: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PYTHONDONTWRITEBYTECODE: "1",
    LATCHKEY_DATABASE: database,
  };
}

/** The Python that has both: Debian's, even where another one comes first on the path. */
function findPython(): string {
  const found = ["python3", "/usr/bin/python3"].find((python) =>
    spawnSync(python, ["-c", "import rest_framework.authtoken, gunicorn"])
      .status === 0
  );
  if (found !== undefined) return found;
  throw new Missing(
    "python3-djangorestframework and gunicorn are not installed",
  );
}

async function findPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) {
    throw new Error("Cannot find a free port");
  }
  return address.port;
}

async function waitForPort(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = createConnection(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      socket.destroy();
    }
  }
  throw new Error("Cannot go on: gunicorn does not listen");
}
