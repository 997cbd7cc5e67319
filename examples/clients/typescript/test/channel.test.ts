/** Which endpoints have TLS, and by whose word they are trusted. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { address } from "../src/channel";

const CA = Buffer.from("PEM");

test("an endpoint has TLS unless it says otherwise or is this machine", () => {
  const cases: [string, Buffer | undefined, string, boolean][] = [
    ["https://import.example:443", undefined, "import.example:443", true],
    ["https://127.0.0.1:50051", CA, "127.0.0.1:50051", true],
    ["http://import.example:80", undefined, "import.example:80", false],
    ["import.example:50051", undefined, "import.example:50051", true],
    ["192.0.2.1:50051", undefined, "192.0.2.1:50051", true],
    ["127.0.0.1.example:50051", undefined, "127.0.0.1.example:50051", true],
    ["127.0.0.1:50051", undefined, "127.0.0.1:50051", false],
    ["localhost:50051", undefined, "localhost:50051", false],
    ["[::1]:50051", undefined, "[::1]:50051", false],
    ["127.0.0.1:50051", CA, "127.0.0.1:50051", true],
  ];
  for (const [endpoint, ca, host, isTls] of cases) {
    assert.deepEqual(address(endpoint, ca), { host, isTls }, endpoint);
  }
});

test("another endpoint is refused", () => {
  for (const endpoint of ["", "https://", "ftp://h:1", "https://h/path", "https://u:p@h:1"]) {
    assert.throws(() => address(endpoint), /write it as https:\/\/HOST:PORT/, endpoint);
  }
});

test("authorities for a connection without TLS are a mistake", () => {
  assert.throws(() => address("http://127.0.0.1:1", CA), /has no TLS/);
});
