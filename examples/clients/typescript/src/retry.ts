/**
 * Whether an attempt that failed is made again, and when.
 *
 * Sending an import again is safe: under the same import ID the server goes on where it was, and
 * reports again what it has done. Nothing is ever applied twice.
 */

import { status, type ServiceError } from "@grpc/grpc-js";
import { RetryInfo, Status } from "../gen/status";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

// The server always says why, in the status' details. Without them these codes are the connection's.
const LOST = [status.CANCELLED, status.INTERNAL, status.UNKNOWN];

/** True if the same import, sent again, may end better. */
export function isTransient(error: ServiceError): boolean {
  if (error.code === status.ABORTED) {
    // Another import holds the organisation; RetryInfo says when to ask again.
    return requestedWaitMs(error) !== undefined;
  }
  return error.code === status.UNAVAILABLE || (LOST.includes(error.code) && !hasDetails(error));
}

/** Milliseconds to wait before retry number `attempt` (1 = the first). */
export function waitBeforeMs(attempt: number, error?: ServiceError): number {
  const requested = (error && requestedWaitMs(error)) ?? 0;
  const doubled = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  const own = error?.code === status.ABORTED ? 0 : doubled;
  // Jitter, so that all who lost the same server do not come back at the same moment.
  return Math.max(own * (0.5 + Math.random() / 2), requested) + Math.random() * 250;
}

/** True if the server itself said this: everything it says has details. */
export function hasDetails(error: ServiceError): boolean {
  return details(error).length > 0;
}

/** Milliseconds that the server asks to wait. */
function requestedWaitMs(error: ServiceError): number | undefined {
  const retry = detail(error, "google.rpc.RetryInfo");
  const delay = retry && RetryInfo.fromBinary(retry).retryDelay;
  return delay && Number(delay.seconds) * 1_000 + delay.nanos / 1e6;
}

/** The encoded message of this type among the details of the status. */
export function detail(error: ServiceError, type: string): Uint8Array | undefined {
  return details(error).find(({ typeUrl }) => typeUrl.endsWith(`/${type}`))?.value;
}

function details(error: ServiceError) {
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  return Buffer.isBuffer(encoded) ? Status.fromBinary(encoded).details : [];
}
