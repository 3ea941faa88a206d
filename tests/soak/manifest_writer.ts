import type { Random } from "../fuzz/random.ts";
import {
  brokenFile,
  fillerFile,
  shiftingFile,
  type SoakTargets,
  steadyFiles,
} from "./soak_manifests.ts";

/** Ms between two changes of the folder. A gateway waits for 50 ms of quiet before it reads it. */
const intervalMs = 100;

/** Keeps changing a folder of manifests, in ways that must not be noticed outside the shifting path. */
export class ManifestWriter {
  /** Changes so far after which the folder can be used, and those after which it cannot. */
  changes = 0;
  brokenChanges = 0;
  #broken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly folder: string,
    private readonly targets: SoakTargets,
    private readonly random: Random,
  ) {}

  /** Writes what has to be there before a gateway starts. */
  async begin(): Promise<void> {
    const files = {
      ...steadyFiles(this.targets),
      "shifting.yaml": shiftingFile(this.targets, this.random),
      "filler.yaml": fillerFile(this.targets, this.random),
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${this.folder}/${name}`, text);
    }
  }

  /** One change every 100 ms from now on. */
  start(): void {
    const next = () => {
      this.#timer = setTimeout(next, intervalMs);
      this.#turn = this.#turn.then(() => this.#change());
    };
    next();
  }

  /** Leaves the folder as it can be used. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#turn;
    if (this.#broken) await this.#change();
  }

  async #change(): Promise<void> {
    const { random, targets } = this;
    if (this.#broken) {
      await Deno.remove(`${this.folder}/broken.yaml`);
      this.#broken = false;
      this.changes++;
    } else if (random.chance(0.05)) {
      await this.#write("broken.yaml", brokenFile(random));
      this.#broken = true;
      this.brokenChanges++;
    } else {
      if (random.chance(0.5)) await this.#write("shifting.yaml", shiftingFile(targets, random));
      else await this.#write("filler.yaml", fillerFile(targets, random));
      this.changes++;
    }
  }

  /** In one step, as a careful editor does it, or as a shell does it, with half files to be seen. */
  async #write(name: string, text: string): Promise<void> {
    const path = `${this.folder}/${name}`;
    if (this.random.chance(0.5)) return await Deno.writeTextFile(path, text);
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
  }
}
