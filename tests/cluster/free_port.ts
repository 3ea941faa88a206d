/** Kernels choose the ports of outgoing connections from 32768 (Linux) or 49152 on. */
const lowest = 20_000, count = 12_000;

/**
 * Ports of 127.0.0.1 that nobody listens on and that no outgoing connection is given, so that a
 * server finds its port free again when it is restarted.
 */
export function freePorts(wanted: number): number[] {
  const ports = new Set<number>();
  while (ports.size < wanted) {
    const port = lowest + Math.floor(Math.random() * count);
    if (isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
