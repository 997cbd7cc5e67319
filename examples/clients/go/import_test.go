package rosterimport_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	header = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE"
	many   = 1_000
)

// The program under test, built once.
var client string

func TestMain(m *testing.M) {
	directory, err := os.MkdirTemp("", "rosterimport-")
	if err == nil {
		client = filepath.Join(directory, "rosterimport")
		build := exec.Command("go", "build", "-o", client, "./cmd/rosterimport")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(directory)
	os.Exit(code)
}

// running is the program, as it runs.
type running struct {
	t       *testing.T
	process *exec.Cmd
	lines   *bufio.Reader
	errors  strings.Builder
}

// ended is what it printed, and its exit code.
type ended struct {
	code        int
	out, errors string
}

func begin(server *server, arguments ...string) *running {
	options := []string{"--endpoint", server.address, "--organization", organization}
	running := &running{t: server.t, process: exec.Command(client, append(options, arguments...)...)}
	running.process.Env = server.environment()
	running.process.Stderr = &running.errors
	out, err := running.process.StdoutPipe()
	check(server.t, err)
	running.lines = bufio.NewReader(out)
	check(server.t, running.process.Start())
	return running
}

func (running *running) firstResult() string {
	running.t.Helper()
	line, err := running.lines.ReadString('\n')
	check(running.t, err)
	return line
}

func (running *running) end() ended {
	running.t.Helper()
	out, err := io.ReadAll(running.lines)
	check(running.t, err)
	_ = running.process.Wait() // The exit code says it.
	return ended{running.process.ProcessState.ExitCode(), string(out), running.errors.String()}
}

func run(server *server, arguments ...string) ended { return begin(server, arguments...).end() }

func (ended ended) expect(t *testing.T, code int) {
	t.Helper()
	if ended.code != code {
		t.Fatalf("exit code %d: %s", ended.code, ended.errors)
	}
}

var rowLine = regexp.MustCompile(`(?m)^row (\d+): (\w+)`)

// outcomes are lines such as "16 rejected", by row.
func outcomes(out string) []string {
	found := []string{}
	for _, match := range rowLine.FindAllStringSubmatch(out, -1) {
		found = append(found, fmt.Sprintf("%5s %s", match[1], match[2]))
	}
	slices.Sort(found)
	return found
}

func all(rows int, outcome string) []string {
	expected := []string{}
	for row := range rows {
		expected = append(expected, fmt.Sprintf("%5d %s", row+1, outcome))
	}
	return expected
}

func expectRows(t *testing.T, out string, expected []string) {
	t.Helper()
	if found := outcomes(out); !slices.Equal(found, expected) {
		t.Fatalf("%d rows, not %d: %v", len(found), len(expected), found)
	}
}

func expectUsers(t *testing.T, server *server, users int) {
	t.Helper()
	if found := server.users(); found != users {
		t.Fatalf("%d users, not %d", found, users)
	}
}

func expectText(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Fatalf("no %q in %s", pattern, text)
	}
}

func officers(server *server, name string, rows int, header string) string {
	var csv strings.Builder
	fmt.Fprintln(&csv, header)
	for n := range rows {
		fmt.Fprintf(&csv, "E%d,o%d@riverton.example,B%d,An,Officer,Active,o%d,Officer\n", n, n, n, n)
	}
	path := filepath.Join(server.directory, name)
	check(server.t, os.WriteFile(path, []byte(csv.String()), 0o600))
	return path
}

func TestAllRowsOfAGoodFileStand(t *testing.T) {
	server := openServer(t)
	ended := run(server, "csv", filepath.Join(repository, "examples/roster-before.csv"))
	ended.expect(t, 0)
	expectRows(t, ended.out, all(12, "created"))
	expectText(t, ended.out, `(?m)^completed: 12 rows, 12 created,`)
	expectUsers(t, server, 12)
}

func TestRejectedRowsOfAFaultyFileAreListedWithTheirIssues(t *testing.T) {
	server := openServer(t)
	ended := run(server, "csv", filepath.Join(repository, "examples/roster.csv"))
	ended.expect(t, 3)
	rejected := slices.DeleteFunc(outcomes(ended.out), func(row string) bool { return !strings.HasSuffix(row, "rejected") })
	expected := []string{"   16 rejected", "   17 rejected", "   19 rejected", "   20 rejected"}
	if !slices.Equal(rejected, expected) {
		t.Fatal(rejected)
	}
	expectText(t, ended.out, `(?m)^row 16: rejected P-1016\n  error: ROLE "Oficer" is not a role`)
	expectText(t, ended.out, `(?m)^completed: 20 rows, 16 created, 0 updated, 0 unchanged, 4 rejected`)
}

func TestADryRunWritesNothing(t *testing.T) {
	server := openServer(t)
	ended := run(server, "--validate-only", "csv", filepath.Join(repository, "examples/roster-before.csv"))
	ended.expect(t, 0)
	expectRows(t, ended.out, all(12, "created"))
	expectUsers(t, server, 0)
}

func TestARefusalIsHeardWhileTheRosterIsStillOnItsWay(t *testing.T) {
	server := openServer(t)
	file := officers(server, "large.csv", 200_000, strings.Replace(header, "EMAIL", "EMIAL", 1))
	ended := run(server, "csv", file)
	ended.expect(t, 4)
	expectRows(t, ended.out, nil)
	expectText(t, ended.errors, `EMIAL.*did you mean EMAIL\?`)
	expectUsers(t, server, 0)
}

func TestTypedRowsAreImportedFromMemory(t *testing.T) {
	server := openServer(t)
	ended := run(server, "rows")
	ended.expect(t, 0)
	expectRows(t, ended.out, all(2, "created"))
	users := server.command("export", "--organization", organization)
	expectText(t, users, "HR-2,owen.price@riverton.example,0702,Owen,Price,Active,oprice,Officer")
	again := run(server, "rows")
	again.expect(t, 0)
	expectRows(t, again.out, all(2, "unchanged"))
}

const importID = "0190e7f2-0000-7000-8000-000000000001"

func TestTypedRowsArePushedAsOneCall(t *testing.T) {
	server := openServer(t)
	ended := run(server, "push")
	ended.expect(t, 0)
	expectRows(t, ended.out, all(2, "created"))
	expectText(t, ended.out, `(?m)^completed: 2 rows, 2 created,`)
	expectUsers(t, server, 2)
}

func TestAPushAndAnImportOfTheSameRowsUnderOneIDAreOneImport(t *testing.T) {
	server := openServer(t)
	run(server, "--import-id", importID, "rows").expect(t, 0)
	ended := run(server, "--import-id", importID, "push")
	ended.expect(t, 0)
	expectRows(t, ended.out, all(2, "created"))
}

func TestARefusedPushSaysWhy(t *testing.T) {
	server := openServer(t)
	file := filepath.Join(repository, "examples/roster-before.csv")
	run(server, "--import-id", importID, "csv", file).expect(t, 0)
	ended := run(server, "--import-id", importID, "push")
	ended.expect(t, 4)
	expectText(t, ended.out, `(?m)^refused: 0 rows`)
	expectText(t, ended.errors, `(?m)^refused: Import ID`)
}

func TestAPushWaitsForARunningImport(t *testing.T) {
	server := openServer(t, slow...)
	first := server.beginImport(officers(server, "many.csv", many, header))
	ended := run(server, "--retries", "100", "push")
	check(t, first.Wait())
	ended.expect(t, 0)
	expectText(t, ended.errors, `with the same import ID \(1 of 100\)`)
	expectRows(t, ended.out, all(2, "created"))
}

func TestAPushThatFindsNoServerSaysHowToGoOn(t *testing.T) {
	server := openServer(t)
	server.kill()
	lost := run(server, "--retries", "1", "push")
	lost.expect(t, 5)
	expectText(t, lost.errors, `with the same import ID \(1 of 1\)`)
	id := regexp.MustCompile(`--import-id (\S+)`).FindStringSubmatch(lost.errors)
	if id == nil {
		t.Fatal(lost.errors)
	}
	server.start()
	ended := run(server, "--import-id", id[1], "push")
	ended.expect(t, 0)
	expectRows(t, ended.out, all(2, "created"))
}

func TestAnImportSurvivesTheDeathOfItsServer(t *testing.T) {
	server := openServer(t, slow...)
	running := begin(server, "csv", officers(server, "many.csv", many, header))
	first := running.firstResult()
	server.kill()
	server.start()
	ended := running.end()
	ended.expect(t, 0)
	expectRows(t, first+ended.out, all(many, "created"))
	expectText(t, ended.errors, `with the same import ID \(1 of 8\)`)
	expectText(t, ended.errors, `The server goes on with this import\.`)
	expectText(t, ended.out, fmt.Sprintf("(?m)^completed: %d rows, %d created", many, many))
	expectUsers(t, server, many)
}

func TestASecondImportWaitsForTheFirst(t *testing.T) {
	server := openServer(t, slow...)
	first := server.beginImport(officers(server, "many.csv", many, header))
	ended := run(server, "--retries", "100", "csv", officers(server, "two.csv", 2, header))
	check(t, first.Wait())
	ended.expect(t, 0)
	expectText(t, ended.errors, `with the same import ID \(1 of 100\)`)
	expectRows(t, ended.out, all(2, "unchanged"))
}

func TestAnInterruptedImportSaysHowToGoOn(t *testing.T) {
	server := openServer(t, slow...)
	file := officers(server, "many.csv", many, header)
	running := begin(server, "--retries", "0", "csv", file)
	running.firstResult()
	server.kill()
	interrupted := running.end()
	interrupted.expect(t, 5)
	id := regexp.MustCompile(`--import-id (\S+)`).FindStringSubmatch(interrupted.errors)
	if id == nil {
		t.Fatal(interrupted.errors)
	}
	server.start()
	ended := run(server, "--import-id", id[1], "csv", file)
	ended.expect(t, 0)
	expectRows(t, ended.out, all(many, "created"))
}

func TestACancelledImportHasAnExitCodeOfItsOwn(t *testing.T) {
	server := openServer(t, slow...)
	running := begin(server, "--import-id", importID, "csv", officers(server, "many.csv", many, header))
	running.firstResult()
	server.command("cancel", importID, "--organization", organization)
	ended := running.end()
	ended.expect(t, 6)
	expectText(t, ended.out, "(?m)^cancelled: ")
}

func TestADeadlineBoundsAllAttempts(t *testing.T) {
	server := openServer(t, slow...)
	ended := run(server, "--deadline", "0.3", "csv", officers(server, "many.csv", many, header))
	ended.expect(t, 5)
	expectText(t, ended.errors, "deadline")
}

func TestAFileThatCannotBeReadIsWrongUse(t *testing.T) {
	ended := run(openServer(t), "csv", "missing.csv")
	ended.expect(t, 2)
	expectText(t, ended.errors, `missing\.csv`)
}

func TestAFileWithoutCertificatesAndAnImpossibleTokenAreWrongUse(t *testing.T) {
	server := openServer(t)
	ended := run(server, "--ca", filepath.Join(repository, "examples/catalog.json"), "rows")
	ended.expect(t, 2)
	expectText(t, ended.errors, "no certificate")
	ended = run(server, "--token", "line\nbreak", "rows")
	ended.expect(t, 2)
	expectText(t, ended.errors, "ASCII")
}
