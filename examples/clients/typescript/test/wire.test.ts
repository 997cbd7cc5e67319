/** The contract's golden messages, which all clients decode alike. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { MessageType } from "@protobuf-ts/runtime";
import * as contract from "../gen/userimport/v1/import_service";
import { REPOSITORY } from "./server";

const fixtures = join(REPOSITORY, "tests/wire");
const directories = readdirSync(fixtures, { withFileTypes: true }).filter((e) => e.isDirectory());

for (const { name: kind } of directories) {
  const type = contract[kind as keyof typeof contract] as unknown as MessageType<object>;
  for (const file of readdirSync(join(fixtures, kind)).filter((name) => name.endsWith(".binpb"))) {
    test(`${kind}/${file} decodes to its JSON`, () => {
      const path = join(fixtures, kind, file);
      const twin = readFileSync(path.replace(/binpb$/, "json"), "utf8");
      const message = type.fromBinary(readFileSync(path));
      assert.deepEqual(type.toJson(message), JSON.parse(twin));
    });
  }
}
