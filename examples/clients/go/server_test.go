package rosterimport_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	repository   = "../../.."
	organization = "riverton-pd"
	permissions  = "users.import,users.deactivate,users.read,users.grant-privileged,catalog.write," +
		"organizations.write"
)

// Each row in a transaction of its own, so that there is time to interfere; the import of a server that died can be
// taken over after a second; and the server leaves it to the clients to wait for their turn.
var slow = []string{"--transaction-rows", "1", "--lease-seconds", "1", "--import-turn-seconds", "0"}

// server is the real one, on a free port and a database of its own.
type server struct {
	t         *testing.T
	directory string
	options   []string
	address   string
	process   *exec.Cmd
	// A credential of its own: unlike the server's local token, it is valid after a restart too.
	token string
}

func openServer(t *testing.T, options ...string) *server {
	server := &server{t: t, directory: t.TempDir(), options: options, address: "127.0.0.1:0"}
	server.start()
	t.Cleanup(server.kill)
	server.token = server.createToken()
	server.command("org", "create", organization)
	server.command("catalog", "apply", filepath.Join(repository, "examples/catalog.json"),
		"--organization", organization)
	return server
}

// start starts it on the same database and, the second time, the same port.
func (server *server) start() {
	server.t.Helper()
	serve := []string{"serve", "--listen", server.address, "--database-url", server.database()}
	server.process = exec.Command(program(), append(serve, server.options...)...)
	out, err := server.process.StdoutPipe()
	check(server.t, err)
	check(server.t, server.process.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	check(server.t, err)
	server.address = line[strings.LastIndex(line, " ")+1 : len(line)-1]
}

func (server *server) database() string {
	return "sqlite://" + filepath.Join(server.directory, "users.db")
}

func (server *server) createToken() string {
	server.t.Helper()
	command := exec.Command(program(), "token", "create", "tests", "--every-organization",
		"--permission", permissions, "--database-url", server.database())
	out, err := command.Output()
	check(server.t, err)
	return strings.TrimSpace(string(out))
}

// environment is the one of clients, which has the token.
func (server *server) environment() []string {
	return append(os.Environ(), "USER_IMPORT_TOKEN="+server.token)
}

// kill sends SIGKILL: it has no chance to tidy up.
func (server *server) kill() {
	_ = server.process.Process.Kill()
	_ = server.process.Wait()
}

// command runs one of the user-import commands against it, and returns what that prints.
func (server *server) command(arguments ...string) string {
	server.t.Helper()
	command := exec.Command(program(), append(arguments, "--endpoint", "http://"+server.address)...)
	command.Stderr = os.Stderr
	command.Env = server.environment()
	out, err := command.Output()
	check(server.t, err)
	return string(out)
}

// users counts its users.
func (server *server) users() int {
	server.t.Helper()
	return strings.Count(server.command("export", "--organization", organization), "\n") - 1
}

// beginImport begins another import with the command line, and returns once it writes.
func (server *server) beginImport(file string) *exec.Cmd {
	server.t.Helper()
	command := exec.Command(program(), "import", file, "--organization", organization,
		"--format", "json", "--endpoint", "http://"+server.address)
	command.Env = server.environment()
	out, err := command.StdoutPipe()
	check(server.t, err)
	check(server.t, command.Start())
	lines := bufio.NewReader(out)
	for line := ""; !strings.Contains(line, `"results"`); {
		line, err = lines.ReadString('\n')
		check(server.t, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return command
}

func program() string {
	if program := os.Getenv("USER_IMPORT_BIN"); program != "" {
		return program
	}
	return filepath.Join(repository, "target/debug/user-import")
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
