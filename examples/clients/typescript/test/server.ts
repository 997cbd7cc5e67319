/** The real server, on a free port and a database of its own. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const REPOSITORY = resolve(__dirname, "../../../../..");
export const ORGANIZATION = "riverton-pd";
const PROGRAM = process.env.USER_IMPORT_BIN ?? join(REPOSITORY, "target/debug/user-import");

const PERMISSIONS =
  "users.import,users.deactivate,users.read,users.grant-privileged,catalog.write,organizations.write";

/**
 * Each row in a transaction of its own, so that there is time to interfere; the import of a server
 * that died can be taken over after a second; and the server leaves it to the clients to wait for
 * their turn.
 */
export const SLOW = [
  ...["--transaction-rows", "1"],
  ...["--lease-seconds", "1"],
  ...["--import-turn-seconds", "0"],
];

export class Server {
  readonly directory = mkdtempSync(join(tmpdir(), "roster-import-"));
  address = "127.0.0.1:0";
  /** With a token: unlike the server's local one, it is valid after a restart too. */
  environment = process.env;
  private process?: ChildProcess;

  private constructor(private readonly options: string[]) {}

  static async open(...options: string[]): Promise<Server> {
    const server = new Server(options);
    await server.start();
    server.environment = { ...process.env, USER_IMPORT_TOKEN: server.createToken() };
    server.command("org", "create", ORGANIZATION);
    const catalog = join(REPOSITORY, "examples/catalog.json");
    server.command("catalog", "apply", catalog, "--organization", ORGANIZATION);
    return server;
  }

  /** On the same database and, the second time, the same port. */
  async start(): Promise<void> {
    const serve = ["serve", "--listen", this.address, "--database-url", this.database()];
    const log = openSync(join(this.directory, "server.log"), "a");
    this.process = spawn(PROGRAM, [...serve, ...this.options], { stdio: ["ignore", "pipe", log] });
    const [line] = await once(createInterface(this.process.stdout!), "line");
    this.address = line.split(" ").at(-1);
  }

  private database(): string {
    return `sqlite://${join(this.directory, "users.db")}`;
  }

  private createToken(): string {
    const create = ["token", "create", "tests", "--every-organization", "--permission", PERMISSIONS];
    const command = [...create, "--database-url", this.database()];
    return execFileSync(PROGRAM, command, { encoding: "utf8", stdio: "pipe" }).trim();
  }

  /** SIGKILL: it has no chance to tidy up. */
  async kill(): Promise<void> {
    this.process!.kill("SIGKILL");
    await once(this.process!, "exit");
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true });
  }

  /** Runs one of the `user-import` commands against it, and returns what that prints. */
  command(...args: string[]): string {
    const endpoint = ["--endpoint", `http://${this.address}`];
    return execFileSync(PROGRAM, [...args, ...endpoint], { encoding: "utf8", env: this.environment });
  }

  /** The number of its users. */
  users(): number {
    const csv = this.command("export", "--organization", ORGANIZATION);
    return csv.trimEnd().split("\n").length - 1;
  }

  /** Begins another import with the command line, and returns once it writes. */
  async beginImport(file: string): Promise<ChildProcess> {
    const command = ["import", file, "--organization", ORGANIZATION, "--format", "json"];
    const endpoint = ["--endpoint", `http://${this.address}`];
    const other = spawn(PROGRAM, [...command, ...endpoint], {
      stdio: ["ignore", "pipe", "ignore"],
      env: this.environment,
    });
    for await (const line of createInterface(other.stdout!)) {
      if (line.includes('"results"')) break;
    }
    other.stdout!.resume();
    return other;
  }
}
