/**
 * An address of this machine that may stand in EndpointSlices: the API server refuses loopback
 * addresses there. It is reserved for documentation (RFC 5737), so it hides no real host.
 */
export const endpointAddress = "198.51.100.1";

/** Whether servers can listen on `endpointAddress`; a privileged user gets it added to `lo`. */
export async function hasEndpointAddress(): Promise<boolean> {
  if (canListen()) return true;
  const args = ["addr", "add", `${endpointAddress}/32`, "dev", "lo"];
  try {
    await new Deno.Command("ip", { args, stderr: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return canListen();
}

function canListen(): boolean {
  try {
    Deno.listen({ hostname: endpointAddress, port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) return false;
    throw error;
  }
}
