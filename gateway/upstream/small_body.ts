/**
 * Bodies up to this length (bytes, announced by content-length) fit into socket buffers and are
 * passed on by the runtime; JavaScript that watched them would double the CPU of a request. Once a
 * reply is handed to the runtime nothing but the client's leaving ends it, so a backend that falls
 * silent inside a small body holds that one client until it gives up (measured on Deno 2.9.6).
 */
export const smallBodyBytes = 64 * 1024;
