/** What is tried again, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { RetryInfo, Status } from "../gen/status";
import { Ended } from "../src/ended";
import { waitBeforeMs } from "../src/retry";

const RETRY = {
  typeUrl: "type.googleapis.com/google.rpc.RetryInfo",
  value: RetryInfo.toBinary({ retryDelay: { seconds: 7n, nanos: 0 } }),
};
const INFO = { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: new Uint8Array() };

function failed(code: status, ...details: Status["details"]): ServiceError {
  const metadata = new Metadata();
  if (details.length > 0) {
    metadata.set("grpc-status-details-bin", Buffer.from(Status.toBinary({ details })));
  }
  return Object.assign(new Error("why"), { code, details: "why", metadata });
}

const CASES: [ServiceError | undefined, boolean, number][] = [
  [failed(status.UNAVAILABLE), true, 5],
  [failed(status.UNAVAILABLE, RETRY), true, 5],
  [failed(status.ABORTED, INFO, RETRY), true, 5],
  [failed(status.ABORTED, INFO), false, 4],
  [failed(status.CANCELLED), true, 5],
  [failed(status.CANCELLED, INFO), false, 6],
  [failed(status.INTERNAL), true, 5],
  [failed(status.INTERNAL, INFO), false, 5],
  [failed(status.UNKNOWN), true, 5],
  [failed(status.DEADLINE_EXCEEDED), false, 5],
  [failed(status.FAILED_PRECONDITION, INFO), false, 4],
  [failed(status.UNAUTHENTICATED, INFO), false, 4],
  [undefined, true, 5],
];

test("only what may end better is sent again", () => {
  for (const [error, transient, exitCode] of CASES) {
    const ended = new Ended("id");
    ended.error = error;
    assert.deepEqual([ended.isTransient, ended.exitCode], [transient, exitCode], `${error?.code}`);
  }
});

test("waits grow to half a minute and never fall short of what the server asks", () => {
  for (let attempt = 1; attempt < 50; attempt++) {
    const own = Math.min(1_000 * 2 ** (attempt - 1), 30_000);
    const wait = waitBeforeMs(attempt, failed(status.UNAVAILABLE));
    assert.ok(wait >= own / 2 && wait <= own + 250, `${wait}`);
    const held = waitBeforeMs(attempt, failed(status.ABORTED, INFO, RETRY));
    assert.ok(held >= 7_000 && held <= 7_250, `${held}`);
    assert.ok(waitBeforeMs(attempt, failed(status.UNAVAILABLE, RETRY)) >= 7_000);
  }
});
