/** What a guard reads of a request. A `Request` of the Web platform is one. */
export interface GuardRequest {
  /** Upper-case. */
  readonly method: string;
  /** Two lines of one header must arrive joined by `", "`, those of `Cookie` by `"; "`. */
  readonly headers: { get(name: string): string | null };
  /** The address of the socket's other end; absent or `null` when the platform does not tell. */
  readonly address?: string | null;
  /** What a platform that may end with the answer, such as a Worker, is told to wait for. */
  readonly waitUntil?: (work: Promise<void>) => void;
}
