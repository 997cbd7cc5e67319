/** The connection to a server, and who is calling. */

import { existsSync, readFileSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import { credentials, Metadata } from "@grpc/grpc-js";
import { ImportServiceClient } from "../gen/userimport/v1/import_service.grpc-client";

const OPTIONS = {
  // A server that is gone without a word is noticed within half a minute.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // How long gRPC itself waits between two connections; how often to import is `retry`'s.
  "grpc.max_reconnect_backoff_ms": 5_000,
};

/** Where systems keep the authorities that they trust: Debian, Fedora, SUSE, and Alpine, macOS and BSD. */
const SYSTEM_AUTHORITIES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Opens a channel to `endpoint`: https://HOST:PORT with TLS, or http://HOST:PORT without. HOST:PORT alone has TLS,
 * unless it is this machine and no `ca` is given. `ca` (PEM) has the authorities to trust, in place of the system's.
 */
export function connect(endpoint: string, ca?: Buffer): ImportServiceClient {
  const { host, isTls } = address(endpoint, ca);
  if (!isTls) return new ImportServiceClient(host, credentials.createInsecure(), OPTIONS);
  const authorities = ca ?? readFileSync(systemAuthorities());
  if (!authorities.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error("there is no certificate in the file of authorities");
  }
  return new ImportServiceClient(host, credentials.createSsl(authorities), OPTIONS);
}

/** The HOST:PORT of an endpoint, and whether it has TLS. */
export function address(endpoint: string, ca?: Buffer): { host: string; isTls: boolean } {
  const [, scheme, host] = /^(?:(https?):\/\/)?([^/?#@]+)$/.exec(endpoint) ?? [];
  if (!host) {
    throw new Error(`${endpoint}: write it as https://HOST:PORT, or http://HOST:PORT without TLS`);
  }
  if (scheme === "http" && ca) {
    throw new Error(`${endpoint} has no TLS, so there are no authorities to trust`);
  }
  const isTls = scheme ? scheme === "https" : Boolean(ca) || !isThisMachine(host);
  return { host, isTls };
}

function isThisMachine(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return (isIPv4(name) && name.startsWith("127.")) || (isIPv6(name) && name === "::1") || name === "localhost";
}

/** The file of the authorities that this system trusts, or the one that SSL_CERT_FILE names. Node has its own list. */
function systemAuthorities(): string {
  const file = process.env.SSL_CERT_FILE || SYSTEM_AUTHORITIES.find((path) => existsSync(path));
  if (!file) throw new Error("this system has no file of authorities: give one");
  return file;
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
