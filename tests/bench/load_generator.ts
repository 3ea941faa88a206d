/**
 * Keep-alive HTTP/1.1 as cheap as possible, because it shares the machine with the server that it
 * measures. Prints its port; a LoadPlan that is posted there is carried out, and the LoadResult is
 * the reply, or 500 with the reason.
 */
import { runLoad } from "./load_run.ts";

const onListen = ({ port }: Deno.NetAddr) =>
  void Deno.stdout.writeSync(new TextEncoder().encode(`listening ${port}\n`));
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async (request) => {
  try {
    return Response.json(runLoad(await request.json()));
  } catch (error) {
    return new Response((error as Error).message, { status: 500 });
  }
});
