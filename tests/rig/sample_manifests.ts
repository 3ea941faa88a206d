import { fileURLToPath } from "node:url";

/** The manifests that users copy, and on which the demo runs. */
export const samplesFolder = fileURLToPath(new URL("../../deploy/samples", import.meta.url));

/** Ports of the paid API and the facilitator. */
export interface Ports {
  readonly api: number;
  readonly facilitator: number;
}

/** The ports that stand in the samples. */
export const samplePorts: Ports = { api: 9090, facilitator: 9402 };

/** Writes the samples, with other ports, to `folder`. */
export async function renderSamples(folder: string, ports: Ports): Promise<void> {
  for await (const { name } of Deno.readDir(samplesFolder)) {
    if (!name.endsWith(".yaml")) continue;
    const text = await Deno.readTextFile(`${samplesFolder}/${name}`);
    const rendered = text
      .replaceAll(`port: ${samplePorts.api}`, `port: ${ports.api}`)
      .replaceAll(`localhost:${samplePorts.facilitator}`, `localhost:${ports.facilitator}`);
    await Deno.writeTextFile(`${folder}/${name}`, rendered);
  }
}
