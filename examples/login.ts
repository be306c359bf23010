/** A login with a schema, criteria and answers of the application's own. */
import {
  type Auth,
  charField,
  defineEndpoint,
  type Endpoint,
  grantToken,
  verifyPassword,
} from "latchkey";
import * as v from "valibot";

const Login = v.object({
  username: charField({ maxLength: 20 }),
  password: charField({ maxLength: 20 }),
});

export function customLogin(auth: Auth): Endpoint {
  return defineEndpoint(auth, {
    schema: Login,
    async handle(credentials) {
      const verified = await verifyPassword(auth, credentials);
      if (!verified.ok) {
        return Response.json({ msg: "Invalid username/password" }, { status: 400 });
      }
      const { text } = await grantToken(auth, verified.value.id);
      return Response.json({ token: text.reveal() });
    },
  });
}
