// Command rosterimport imports a roster: rosterimport --organization my-department csv roster.csv
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	"example.com/rosterimport"
	pb "example.com/rosterimport/userimportv1"
)

// As they may come from another system. Phone is "": cleared. Rank is nil: left as it is.
var rows = []*pb.UserRow{
	{
		ExternalId:  proto.String("HR-1"),
		Email:       proto.String("nadia.keller@riverton.example"),
		BadgeNumber: proto.String("0701"),
		FirstName:   proto.String("Nadia"),
		LastName:    proto.String("Keller"),
		Status:      proto.String("Active"),
		Username:    proto.String("nkeller"),
		Role:        proto.String("Supervisor"),
		Rank:        proto.String("Sergeant"),
		Phone:       proto.String("+12025550171"),
	},
	{
		ExternalId:      proto.String("HR-2"),
		Email:           proto.String("owen.price@riverton.example"),
		BadgeNumber:     proto.String("0702"),
		FirstName:       proto.String("Owen"),
		LastName:        proto.String("Price"),
		Status:          proto.String("Active"),
		Username:        proto.String("oprice"),
		Role:            proto.String("Officer"),
		SupervisorEmail: proto.String("nadia.keller@riverton.example"),
		Phone:           proto.String(""),
	},
}

type options struct {
	endpoint, token, ca string
	start               pb.ImportStart
	deadline            float64
	retries             int
}

func main() {
	options, roster, err := parse()
	if err == nil {
		var ended *rosterimport.Ended
		if ended, err = run(options, roster); err == nil {
			printEnd(ended)
			os.Exit(ended.ExitCode())
		}
	}
	note("error: " + err.Error())
	os.Exit(2)
}

// parse gives no roster where the rows are pushed as one call.
func parse() (*options, rosterimport.Roster, error) {
	options := &options{}
	env := os.Getenv
	flag.StringVar(&options.start.Organization, "organization", env("USER_IMPORT_ORGANIZATION"), "`slug`")
	endpoint := cmp.Or(env("USER_IMPORT_ENDPOINT"), "http://127.0.0.1:50051")
	flag.StringVar(&options.endpoint, "endpoint", endpoint, "`URL`: https://HOST:PORT, or http://HOST:PORT without TLS")
	flag.StringVar(&options.token, "token", "", "bearer `token` (default $USER_IMPORT_TOKEN)")
	flag.StringVar(&options.ca, "ca", "", "PEM `file` of the authorities to trust, not the system's")
	flag.StringVar(&options.start.ImportId, "import-id", "", "`UUID`, to go on with an interrupted import")
	flag.BoolVar(&options.start.ValidateOnly, "validate-only", false, "report what would happen, write nothing")
	flag.Float64Var(&options.deadline, "deadline", 3600, "`seconds` for all attempts together")
	flag.IntVar(&options.retries, "retries", 8, "how often to try again")
	flag.Parse()
	if options.token == "" {
		options.token = env("USER_IMPORT_TOKEN")
	}
	if options.start.Organization == "" {
		return nil, nil, errors.New("--organization is missing")
	}
	switch {
	case flag.Arg(0) == "csv" && flag.NArg() == 2:
		return options, rosterimport.CSVFile(flag.Arg(1)), nil
	case flag.Arg(0) == "rows" && flag.NArg() == 1:
		return options, rosterimport.TypedRows(rows), nil
	case flag.Arg(0) == "push" && flag.NArg() == 1:
		return options, nil, nil
	default:
		return nil, nil, errors.New("say what to import: csv FILE, rows, or push")
	}
}

func run(options *options, roster rosterimport.Roster) (*rosterimport.Ended, error) {
	var ca []byte
	if options.ca != "" {
		var err error
		if ca, err = os.ReadFile(options.ca); err != nil {
			return nil, err
		}
	}
	connection, err := rosterimport.Connect(options.endpoint, ca, options.token)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	deadline := time.Duration(options.deadline * float64(time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	handlers := rosterimport.Handlers{
		Row:         printRow,
		Deactivated: func(user *pb.DeactivatedUser) { fmt.Println("deactivated:", printable(user.ExternalId)) },
		Resumed:     func() { note("The server goes on with this import.") },
		Retry: func(ended *rosterimport.Ended, wait time.Duration, attempt int) {
			why := "The stream broke off."
			if ended.Status != nil {
				why = ended.Status.Message()
			}
			note(fmt.Sprintf("%s Retrying in %.1f s with the same import ID (%d of %d).",
				why, wait.Seconds(), attempt, options.retries))
		},
	}
	client := pb.NewImportServiceClient(connection)
	if roster == nil {
		return rosterimport.Push(ctx, client, &options.start, rows, options.retries, handlers), nil
	}
	return rosterimport.Import(ctx, client, &options.start, roster, options.retries, handlers)
}

func printRow(row *pb.RowResult) {
	fmt.Printf("row %d: %s %s\n", row.Row, name(row.Outcome, "ROW_OUTCOME_"), printable(row.ExternalId))
	for _, issue := range row.Issues {
		fmt.Printf("  %s: %s\n", name(issue.Severity, "ISSUE_SEVERITY_"), printable(issue.Message))
	}
}

func printEnd(ended *rosterimport.Ended) {
	if summary := ended.Summary; summary != nil {
		fmt.Printf("%s: %d rows, %d created, %d updated, %d unchanged, %d rejected, %d deactivated\n",
			name(summary.State, "IMPORT_STATE_"), summary.Rows, summary.Created, summary.Updated,
			summary.Unchanged, summary.Rejected, summary.Deactivated)
		for _, warning := range summary.Warnings {
			fmt.Println("  warning:", printable(warning.Message))
		}
		for _, refusal := range summary.Refusals {
			note("refused: " + refusal.Message)
		}
	}
	// The summary has every reason; the status only as many as fit.
	if ended.Status != nil && len(ended.Summary.GetRefusals()) == 0 {
		note("error: " + ended.Status.Message())
	}
	if ended.ExitCode() == 5 {
		note("To go on, repeat this with --import-id " + ended.ImportID)
	}
}

func name(value fmt.Stringer, prefix string) string {
	return strings.ToLower(strings.TrimPrefix(value.String(), prefix))
}

func note(text string) { fmt.Fprintln(os.Stderr, printable(text)) }

// printable replaces what would command the terminal: a quoted value may hold such characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
