import { Buffer } from "node:buffer";
import { Agent, request } from "node:http";
import type { Server } from "./server.ts";

/** How long a client rests between two requests: enough that none waits for the one before. */
const REST = 2;

/**
 * Asks for the guarded route again and again for some milliseconds, with one
 * request at a time, and returns how long each took in milliseconds.
 *
 * What is wanted is how long a request waits for other work, not how many pass.
 */
export async function sampleLatency(
  server: Server,
  duration: number,
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const samples: number[] = [];
  const end = performance.now() + duration;
  while (performance.now() < end) {
    const start = performance.now();
    await send(server, agent, { method: "GET", path: "/" });
    samples.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, REST));
  }
  agent.destroy();
  return samples;
}

/** What to ask for. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

/** Sends one request and waits for the end of the answer, which must be a success. */
export function send(
  server: Server,
  agent: Agent,
  { method, path, body }: Call,
): Promise<void> {
  const headers = {
    ...(body === undefined ? { authorization: server.authorization } : {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    }),
  };
  return new Promise((resolve, reject) => {
    const call = request(
      `${server.url}${path}`,
      { method, agent, headers },
      (response) => {
        response.resume().once("error", reject).once("end", () => {
          if (response.statusCode === 200) resolve();
          else {reject(
              new Error(
                `Cannot go on: ${method} ${path} was ${response.statusCode}`,
              ),
            );}
        });
      },
    );
    call.once("error", reject).end(body);
  });
}
