import { Reply } from "../front/reply.ts";
import { Abort } from "./abort.ts";
import { clientHeaders } from "./headers.ts";
import type { Http1Transport } from "./http1_transport.ts";
import { type ProxyCall, type ProxySettings, toReply } from "./proxy.ts";
import { UpstreamFailure } from "./transport.ts";
import { checkHandshake, upgradeLines } from "./websocket.ts";

/**
 * Passes a WebSocket's handshake on. The backend is asked before the client gets its 101: between the
 * two a payment can be settled. What the backend says meanwhile waits in its socket.
 * @returns a 101 that connects the two, or the reply with which the backend refuses
 * @throws {UpstreamFailure}
 */
export async function openWebSocket(
  settings: ProxySettings,
  transport: Pick<Http1Transport, "upgrade">,
  call: ProxyCall,
): Promise<Reply> {
  const { request, target, backendUrl, headers, paid, onEnd } = call;
  checkHandshake(request);
  const abort = new Abort();
  const watch = settings.idleTimer.watch(
    settings.limits.connectOrHeadMs,
    () => abort.abort(new UpstreamFailure("upstream_timeout", "no handshake in time", "maybe")),
  );
  if (!paid) request.onGone = () => abort.abort(new UpstreamFailure("upstream_reset", "", "maybe"));
  try {
    const reply = await transport.upgrade({
      method: "GET",
      origin: backendUrl,
      target: target.path + target.query,
      headers: [...headers, ...upgradeLines],
      body: null,
      once: true,
      abort,
    });
    const { status, upgraded } = reply;
    if (upgraded === undefined) return toReply(reply, abort, settings, call);
    if (reply.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      upgraded.close();
      throw new UpstreamFailure("upstream_invalid", "an upgrade to something else", "maybe");
    }
    const lines = clientHeaders(reply.headers);
    for (const [name, value] of upgradeLines) lines.append(name, value);
    return new Reply({ status, headers: lines, body: null, upgraded, onEnd });
  } finally {
    watch.stop();
  }
}
