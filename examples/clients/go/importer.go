// Package rosterimport imports rosters into User Import over gRPC; see [Import].
package rosterimport

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "example.com/rosterimport/userimportv1"
)

//go:generate ./generate.sh

// Handlers receive the events of an import; each may be nil.
type Handlers struct {
	// Row is called for each row exactly once, as soon as it is decided.
	Row         func(*pb.RowResult)
	Deactivated func(*pb.DeactivatedUser)
	Retry       func(ended *Ended, wait time.Duration, attempt int)
	// Resumed is called where the server goes on with an import that an earlier attempt had begun.
	Resumed func()
}

// An UnreadableError says that the roster could not be read to its end. The server has refused what it got of it.
type UnreadableError struct{ cause error }

func (err *UnreadableError) Error() string { return err.cause.Error() }
func (err *UnreadableError) Unwrap() error { return err.cause }

// Import imports roster, and tries again at most retries times; the deadline of ctx bounds all attempts together.
// A refusal is an end like any other. The only error is an [UnreadableError]; nothing is written then.
func Import(
	ctx context.Context, client pb.ImportServiceClient, start *pb.ImportStart, roster Roster, retries int,
	handlers Handlers,
) (*Ended, error) {
	start = named(start)
	return attempts(ctx, start, retries, handlers, func(heard *heard) (*Ended, error) {
		return runAttempt(ctx, client, start, roster, heard)
	})
}

// named gives the import an ID, which must not change between attempts: by it the server knows the import again.
func named(start *pb.ImportStart) *pb.ImportStart {
	if start.ImportId == "" {
		start = proto.Clone(start).(*pb.ImportStart)
		start.ImportId = uuid.NewString()
	}
	return start
}

// attempts makes attempts until the import has ended, or another makes no sense.
func attempts(
	ctx context.Context, start *pb.ImportStart, retries int, handlers Handlers,
	run func(*heard) (*Ended, error),
) (*Ended, error) {
	heard := heard{handlers: handlers, rows: map[uint32]bool{}, users: map[string]bool{}}
	for attempt := 1; ; attempt++ {
		ended, err := run(&heard)
		if err != nil {
			return nil, err
		}
		// A dry run leaves no record to go on from, and a second one may judge rows otherwise.
		toldForGood := start.ValidateOnly && len(heard.rows) > 0
		if attempt > retries || !ended.Transient() || toldForGood {
			return ended, nil
		}
		wait := waitBefore(attempt, ended.Status)
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) <= wait {
			return ended, nil
		}
		if handlers.Retry != nil {
			handlers.Retry(ended, wait, attempt)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ended, nil
		}
	}
}

// heard knows what was reported already. A retry hears it again, and tells it by its row number.
type heard struct {
	handlers Handlers
	rows     map[uint32]bool
	users    map[string]bool
}

func (heard *heard) hear(answer *pb.ImportUsersResponse, ended *Ended) {
	if answer.GetStarted().GetResumed() && heard.handlers.Resumed != nil {
		heard.handlers.Resumed()
	}
	heard.hearRows(answer.GetResults().GetResults())
	heard.hearUsers(answer.GetDeactivations().GetUsers())
	if summary := answer.GetSummary(); summary != nil {
		ended.Summary = summary
	}
}

func (heard *heard) hearRows(rows []*pb.RowResult) {
	for _, row := range rows {
		if !heard.rows[row.Row] && heard.handlers.Row != nil {
			heard.handlers.Row(row)
		}
		heard.rows[row.Row] = true
	}
}

func (heard *heard) hearUsers(users []*pb.DeactivatedUser) {
	for _, user := range users {
		if !heard.users[user.UserId] && heard.handlers.Deactivated != nil {
			heard.handlers.Deactivated(user)
		}
		heard.users[user.UserId] = true
	}
}

func runAttempt(
	ctx context.Context, client pb.ImportServiceClient, start *pb.ImportStart, roster Roster, heard *heard,
) (*Ended, error) {
	ended := &Ended{ImportID: start.ImportId}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.ImportUsers(ctx)
	if err != nil {
		ended.Status = status.Convert(err)
		return ended, nil
	}
	// Sent and read side by side: neither the server nor this client ever waits for the other.
	sent := make(chan error, 1)
	go func() { sent <- send(stream, start, roster) }()
	for {
		answer, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			ended.Status = status.Convert(err)
			break
		}
		heard.hear(answer, ended)
	}
	cancel()
	if err := <-sent; err != nil {
		return nil, &UnreadableError{fmt.Errorf("the roster cannot be read: %w", err)}
	}
	return ended, nil
}

// send sends the roster until the server has answered for good, and returns why it could not be read.
func send(stream pb.ImportService_ImportUsersClient, start *pb.ImportStart, roster Roster) error {
	// If the roster breaks off, this ends the stream without finish: half a roster is never taken for a
	// whole one.
	defer stream.CloseSend()
	message := &pb.ImportUsersRequest{Message: &pb.ImportUsersRequest_Start{Start: start}}
	if stream.Send(message) != nil {
		return nil
	}
	for message, err := range roster {
		if err != nil {
			return err
		}
		// Waits while the server takes nothing. It fails if the call has ended; Recv says how.
		if stream.Send(message) != nil {
			return nil
		}
	}
	return nil
}
