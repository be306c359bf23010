/** What the examples use of Deno and Bun, so that one compiler run checks them all. */
type Handler = (request: Request, platform: object) => Response | Promise<Response>;

declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: Handler,
  ): { shutdown(): Promise<void> };
};

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    routes: Record<string, Handler>;
    fetch: Handler;
  }): { readonly port: number; stop(): Promise<void> };
};
