import assert from "node:assert/strict";
import { devAccount, readPrivateKeyFile } from "./pay_wallet.ts";

/** Private key of anvil's account 0, as printed by anvil. */
const knownKey = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const knownAddress = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

Deno.test("dev accounts are anvil's", async () => {
  assert.equal((await devAccount(0)).address, knownAddress);
});

Deno.test("a private key file holds 32 bytes in hexadecimal", async () => {
  const file = await Deno.makeTempFile();
  try {
    for (const text of [knownKey, `0x${knownKey}\n`, ` ${knownKey.toUpperCase()}\r\n`]) {
      await Deno.writeTextFile(file, text);
      assert.equal((await readPrivateKeyFile(file)).address, knownAddress);
    }
    for (const text of ["", knownKey.slice(1), `${knownKey}\n${knownKey}`, "0".repeat(64)]) {
      await Deno.writeTextFile(file, text);
      const expected = {
        exitCode: 2,
        message:
          `${file} holds no private key; it must be 64 hexadecimal digits, with or without 0x.`,
      };
      await assert.rejects(readPrivateKeyFile(file), expected);
    }
  } finally {
    await Deno.remove(file);
  }
  await assert.rejects(readPrivateKeyFile(file), { exitCode: 2, message: /: no such file\.$/ });
});
