package rosterimport

import (
	"context"

	"google.golang.org/grpc/status"

	pb "example.com/rosterimport/userimportv1"
)

// Push pushes at most 1,000 rows as one call, for services that send users as they change. It tries again as [Import]
// does; a refusal is an end like any other.
func Push(
	ctx context.Context, client pb.ImportServiceClient, start *pb.ImportStart, rows []*pb.UserRow, retries int,
	handlers Handlers,
) *Ended {
	start = named(start)
	push := &pb.PushUsersRequest{Start: start, Rows: rows}
	// Rows in memory can always be read.
	ended, _ := attempts(ctx, start, retries, handlers, func(heard *heard) (*Ended, error) {
		return pushAttempt(ctx, client, push, heard), nil
	})
	return ended
}

func pushAttempt(
	ctx context.Context, client pb.ImportServiceClient, push *pb.PushUsersRequest, heard *heard,
) *Ended {
	ended := &Ended{ImportID: push.Start.ImportId}
	answer, err := client.PushUsers(ctx, push)
	if err != nil {
		ended.Status = status.Convert(err)
		ended.Summary = toldSummary(ended.Status)
		return ended
	}
	heard.hearRows(answer.GetResults())
	heard.hearUsers(answer.GetDeactivations().GetUsers())
	ended.Summary = answer.GetSummary()
	return ended
}

// toldSummary is the summary that a refused push has in the details of its status, or nil.
func toldSummary(failed *status.Status) *pb.ImportSummary {
	for _, detail := range failed.Details() {
		if summary, ok := detail.(*pb.ImportSummary); ok {
			return summary
		}
	}
	return nil
}
