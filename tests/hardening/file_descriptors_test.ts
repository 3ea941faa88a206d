/** More connections than the process has file descriptors for. */
import assert from "node:assert/strict";
import { Crowd } from "./crowd.ts";
import { HardeningBed, longest, type Purchase } from "./hardening_bed.ts";
import { figures, hardeningTest, sized } from "./size.ts";

/** The process itself needs about fifty. */
const fileDescriptors = 200;
const count = sized(500, 2_000);
const purchasesMeanwhile = sized(30, 100);

function served(purchases: readonly Purchase[]): number {
  return purchases.filter(({ status }) => status === 200).length;
}

hardeningTest(
  "out of file descriptors: the gateway sheds load, goes on serving and recovers",
  async () => {
    await using bed = await HardeningBed.start({ fileDescriptors });
    const base = bed.fileDescriptors();
    let meanwhile: Purchase[];
    {
      await using crowd = await Crowd.start({ port: bed.port, count, first: "", again: true });
      meanwhile = await bed.payOften(purchasesMeanwhile);
      await bed.gateway.logged("cannot accept connections");
      void crowd;
    }
    await bed.closedDownTo(base + 40);
    const after = await bed.payOften(20);
    figures(`${count} clients for ${fileDescriptors} file descriptors`, {
      "paid meanwhile": `${served(meanwhile)} of ${meanwhile.length}`,
      "statuses": [...new Set(meanwhile.map(({ status }) => status))].join(" "),
      "longest ms": longest(meanwhile),
      "lines in the log": bed.gateway.log().filter(({ level }) => level === "error").length,
      "paid after": `${served(after)} of ${after.length}`,
    });
    assert.equal(served(after), after.length, "it recovers by itself");
    assert.ok(served(meanwhile) >= meanwhile.length * 0.9, "it goes on serving");
  },
);
