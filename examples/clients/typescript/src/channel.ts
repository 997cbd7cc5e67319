/** The connection to a server, and who is calling. */

import { credentials, Metadata } from "@grpc/grpc-js";
import { ImportServiceClient } from "../gen/userimport/v1/import_service.grpc-client";

const OPTIONS = {
  // A server that is gone without a word is noticed within half a minute.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // How long gRPC itself waits between two connections; how often to import is `retry`'s.
  "grpc.max_reconnect_backoff_ms": 5_000,
};

/** Opens a channel to HOST:PORT: over TLS where `ca` (PEM) says whose servers to trust. */
export function connect(endpoint: string, ca?: Buffer): ImportServiceClient {
  if (ca && !ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error("there is no certificate in the file of authorities");
  }
  const security = ca ? credentials.createSsl(ca) : credentials.createInsecure();
  return new ImportServiceClient(endpoint, security, OPTIONS);
}

/** The metadata that says who is calling. Without TLS anyone on the way can read it. */
export function bearer(token?: string): Metadata {
  const metadata = new Metadata();
  if (token && !/^[\x20-\x7e]*$/.test(token)) {
    throw new Error("a token has printable ASCII characters only");
  }
  if (token) {
    metadata.set("authorization", `Bearer ${token}`);
  }
  return metadata;
}
