/** What an example reads from its environment and prints to its terminal, on every host. */
import { systemRandom } from "latchkey";
import process from "node:process";

/** What there is to say once a server listens. */
export interface Announcement {
  readonly hostname: string;
  readonly port: number | undefined;
  readonly username: string;
  /** The password to show, or in words where it comes from. */
  readonly password: { readonly shown: string } | { readonly origin: string };
  /** What Ctrl-C does to users and tokens. */
  readonly ending: string;
  /** What else there is to try, below the tutorial. */
  readonly more?: (url: string) => string;
}

/** Prints where the server listens, who can log in, and the tutorial to paste. */
export function printTutorial(announcement: Announcement): void {
  const { hostname, port, username, password, ending, more = () => "" } = announcement;
  const url = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const isShown = "shown" in password;
  const name = encodeField("username", username);
  const form = `${name} ${encodeField("password", isShown ? password.shown : "YOUR-PASSWORD")}`;
  console.log(`Latchkey is listening on ${url}

  user:     ${username}
  password: ${isShown ? `${password.shown}   (shown this once)` : `(${password.origin})`}

Paste these into another terminal, one by one.

Without a token, the secret is refused (401):
  curl -i ${url}/api/secret-info/

Log in, then once more to keep the token; it is the same one (200):
  curl -i ${url}/api/get-token/ ${form}
  TOKEN=$(curl -s ${url}/api/get-token/ ${form} | cut -d '"' -f 4)

With the token, the secret is told (200):
  curl -i ${url}/api/secret-info/ -H "Authorization: Token $TOKEN"

A login written for this application has answers of its own (400):
  curl -i ${url}/api/login/ ${name} -d password=wrong
${more(url)}
Ctrl-C stops the server; ${ending}.`);
}

/** The port in `PORT`: 3000 when absent, 0 for a free one. */
export function readPort(text: string = process.env["PORT"] ?? "3000"): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  return refuse(`Cannot listen on PORT=${text}: expected a number from 0 to 65535`);
}

/** Ends because another server listens on the port. */
export function refuseTakenPort(port: number): never {
  return refuse(`Cannot listen on PORT=${port}: it is taken, set another one such as PORT=3001`);
}

/** Ends with one line that says why. */
export function refuse(message: string): never {
  console.error(message);
  process.exit(1);
}

/** 20 characters of 5 random bits each: short enough for the tutorial's own login. */
export function generatePassword(): string {
  const characters = "abcdefghijkmnpqrstuvwxyz23456789";
  return Array.from(systemRandom(20), (byte) => characters[byte % 32]).join("");
}

/** A form field for curl; what comes out holds nothing that a shell or a form would read. */
function encodeField(name: string, value: string): string {
  return `-d ${new URLSearchParams({ [name]: value })}`;
}
