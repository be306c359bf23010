import { guard } from "latchkey/fetch";
import { ANSWER, createHeaderCheck, prepareSubject, TEXT } from "./serving.ts";

/** The handler of a fetch-style server, and what to send to it. */
export interface FetchApplication {
  readonly handle: (request: Request) => Response | Promise<Response>;
  readonly authorization: string;
}

/** Makes the handler that Deno and Bun serve: the library's, or the map written by hand. */
export async function createFetch(): Promise<FetchApplication> {
  const subject = await prepareSubject();
  if (subject !== null) {
    const handle = guard(subject.auth)(() => Response.json(ANSWER));
    return { handle, authorization: `Token ${subject.text}` };
  }
  const check = createHeaderCheck();
  return {
    handle: (request) =>
      check(request.headers.get("authorization")) === undefined
        ? Response.json({ detail: "Invalid token." }, { status: 401 })
        : Response.json(ANSWER),
    authorization: `Token ${TEXT}`,
  };
}
