/** The tutorial on Express: `npm run example:express`. */
import express from "express";
import { guard, logout, mount, obtainToken } from "latchkey/express";
import { customLogin } from "./login.ts";
import { announce, auth, hostname, onStop, port } from "./setup.ts";

const app = express();
app.all("/api/get-token/", obtainToken(auth));
app.all("/api/login/", mount(customLogin(auth)));
app.all("/api/logout/", logout(auth));
app.get("/api/secret-info/", guard(auth), (_request, response) => {
  response.json({ hello: "World" });
});

const server = app.listen(port, hostname, (error?: Error) => {
  if (error !== undefined) throw error;
  announce(server.address());
});
onStop(() => server.close());
