/** Express with a guarded route: `express.ts <variant>`. */
import express, { type RequestHandler } from "express";
import { guard } from "latchkey/express";
import * as v from "valibot";
import { callable, importPeer } from "../peers.ts";
import {
  announce,
  ANSWER,
  createHeaderCheck,
  createMapCheck,
  prepareSubject,
  TEXT,
  variant,
} from "./serving.ts";

const subject = await prepareSubject();
const app = express();
if (subject === null) {
  app.get("/", variant === "passport" ? await checkWithPassport() : checkMap());
} else app.get("/", guard(subject.auth));
app.get("/", (_request, response) => {
  response.json(ANSWER);
});
const scheme = variant === "passport" ? "Bearer" : "Token";
const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address !== "object" || address === null) {
    throw new Error("Cannot listen");
  }
  announce(address.port, `${scheme} ${subject?.text ?? TEXT}`);
});

function checkMap(): RequestHandler {
  const find = createHeaderCheck();
  return (request, response, next) => {
    const user = find(request.headers.authorization);
    if (user === undefined) {
      response.status(401).json({ detail: "Invalid token." });
      return;
    }
    response.locals["user"] = user;
    next();
  };
}

async function checkWithPassport(): Promise<RequestHandler> {
  const find = createMapCheck();
  const { default: passport } = await importPeer(
    "passport",
    v.object({ default: v.custom<Passport>(isPassport) }),
  );
  const { Strategy } = await importPeer(
    "passport-http-bearer",
    v.object({ Strategy: callable }),
  );
  passport.use(Reflect.construct(Strategy, [
    (text: string, done: (error: null, user: unknown) => void) => done(null, find(text) ?? false),
  ]));
  return passport.authenticate("bearer", { session: false });
}

/** What is used of passport. */
interface Passport {
  use(strategy: unknown): unknown;
  authenticate(
    name: string,
    options: { readonly session: boolean },
  ): RequestHandler;
}

function isPassport(value: unknown): boolean {
  return typeof value === "object" && value !== null && "use" in value &&
    "authenticate" in value;
}
