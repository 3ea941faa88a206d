/** A backend that answers when it is told to. */
export interface HeldBackend extends AsyncDisposable {
  readonly port: number;
  /** Paths of the requests that wait for their replies. */
  readonly waiting: readonly string[];
  /** Resolves when so many wait. */
  waits(count: number): Promise<void>;
  /** Answers all that wait, and from now on at once. */
  release(): void;
  /** From now on requests wait again. */
  hold(): void;
}

/** Starts it on a free port of the loopback interface, holding what comes. */
export function startHeldBackend(): HeldBackend {
  const waiting: string[] = [];
  const watchers: { readonly count: number; readonly tell: () => void }[] = [];
  let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (gate !== undefined) {
        waiting.push(new URL(request.url).pathname);
        for (const { count, tell } of watchers) if (waiting.length >= count) tell();
        await gate.promise;
      }
      return new Response("served\n");
    },
  );
  const release = () => {
    gate?.resolve();
    gate = undefined;
    waiting.length = 0;
  };
  return {
    port: server.addr.port,
    waiting,
    waits(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (waiting.length >= count) resolve();
      else watchers.push({ count, tell: resolve });
      return promise;
    },
    release,
    hold() {
      gate ??= Promise.withResolvers<void>();
    },
    async [Symbol.asyncDispose]() {
      release();
      await server.shutdown();
    },
  };
}
