/** The controller's door: what the rest of the program may use of it. */
export { type ManifestLoop, startManifestLoop } from "./reconcile_loop.ts";
export type { ManifestEvent } from "./manifest_event.ts";
